/**
 * Kernel functions: one perf event each, or many by one kprobe_multi link (5.18). A name that several functions have means
 * all of them; the kernel knows such by address only.
 */
import {
  attachKprobe,
  attachKprobeMulti,
  type BpfProgram,
  FdLink,
  Kallsyms,
  type KprobeMultiTarget,
  type Link,
} from "libbpf-ts";
import type { Attach } from "../compile/typed.ts";
import { AttachError, type Attached, type Attacher, attachOf, isRefusal } from "./attached.ts";
import { withPerfLinks } from "./tracepoint.ts";

type Kprobe = Extract<Attach, { kind: "kprobe" }>;

const fullName = ({ function: name, module }: Kprobe): string => (module ? `${module}:${name}` : name);

/** Addresses of all functions of the targets' names, read when they are needed. */
const addressesOf = (targets: readonly Kprobe[]): Map<string, bigint[]> => {
  const kallsyms = Kallsyms.load();
  kallsyms.requireAddresses();
  return kallsyms.functionAddresses(new Set(targets.map(fullName)));
};

function attachOne(program: BpfProgram, target: Kprobe, index: number, cookie: number): Attached {
  const { function: symbol, module, offset, address, return: ret, several } = target;
  const more = { offset: BigInt(offset), ret, cookie: withPerfLinks(BigInt(cookie)) };
  const places =
    address !== undefined ? [address] : several ? (addressesOf([target]).get(fullName(target)) ?? []) : [];
  if (places.length === 0) {
    const link = attachKprobe(program, { symbol, module, ...more });
    return { link, probes: [index], slowToClose: true };
  }
  const links: Link[] = [];
  try {
    for (const place of places) links.push(attachKprobe(program, { address: place, ...more }));
  } catch (error) {
    for (const link of links) link.detach();
    throw error;
  }
  const link = new FdLink(
    links[0].target,
    links.map(({ fd }) => fd),
    links[0].info() !== undefined,
  );
  return { link, probes: [index], slowToClose: true };
}

export const kprobe: Attacher = ({ program, probes, indexes, cookies }) =>
  probes.map((probe, i) => attachOne(program, attachOf(probe, "kprobe"), indexes[i], cookies[i]));

/** Functions of one call: all by name, or all by address. */
interface Batch {
  /** Places in the request. */
  members: number[];
  byAddress: boolean;
}

export const kprobeMulti: Attacher = ({ program, probes, indexes, cookies, refused }) => {
  const targets = probes.map((probe) => attachOf(probe, "kprobe"));
  const needsAddress = (target: Kprobe) => target.module !== undefined || target.several === true;
  const byAddress = targets.flatMap((target, i) => (needsAddress(target) ? [i] : []));
  const byName = targets.flatMap((target, i) => (needsAddress(target) ? [] : [i]));
  const addresses = byAddress.length > 0 ? addressesOf(byAddress.map((i) => targets[i])) : undefined;
  const attached: Attached[] = [];

  const attach = (members: readonly number[], ofAddress: boolean) => {
    const more = { ret: targets[0].return };
    const request: KprobeMultiTarget = ofAddress
      ? { addresses: [], cookies: [] }
      : { symbols: [], cookies: [] };
    for (const i of members) {
      const places = ofAddress ? (addresses!.get(fullName(targets[i])) ?? []) : [undefined];
      for (const place of places) {
        if (place === undefined) request.symbols!.push(targets[i].function);
        else request.addresses!.push(place);
        request.cookies!.push(BigInt(cookies[i]));
      }
    }
    const link = attachKprobeMulti(program, { ...request, ...more });
    attached.push({ link, probes: members.map((i) => indexes[i]), slowToClose: false });
  };

  /** The kernel refuses a list as a whole and does not say for which of its functions: halves tell. */
  const attachWhatCan = ({ members, byAddress: ofAddress }: Batch): void => {
    if (members.length === 0) return;
    try {
      attach(members, ofAddress);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      if (members.length === 1) {
        refused(new AttachError(probes[members[0]], error));
        return;
      }
      const half = members.length >>> 1;
      attachWhatCan({ members: members.slice(0, half), byAddress: ofAddress });
      attachWhatCan({ members: members.slice(half), byAddress: ofAddress });
    }
  };

  try {
    attachWhatCan({ members: byName, byAddress: false });
    attachWhatCan({ members: byAddress, byAddress: true });
    return attached;
  } catch (error) {
    for (const { link } of attached) link.detach();
    throw error;
  }
};
