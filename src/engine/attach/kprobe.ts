/**
 * Kernel functions: one perf event each, or many by one kprobe_multi link (5.18). A name that several functions have means
 * all of them; the kernel knows such by address only.
 */
import { attachKprobe, attachKprobeMulti, type BpfProgram, Kallsyms, type Link } from "libbpf-ts";
import type { Attach } from "../compile/typed.ts";
import { AttachError, type Attached, type Attacher, attachOf, inHalves, isRefusal } from "./attached.ts";
import { withPerfLinks } from "./tracepoint.ts";

type Kprobe = Extract<Attach, { kind: "kprobe" }>;

const fullName = ({ function: name, module }: Kprobe): string => (module ? `${module}:${name}` : name);

/** Addresses of all functions of the targets' names, read when they are needed. */
const addressesOf = (targets: readonly Kprobe[]): Map<string, bigint[]> => {
  const kallsyms = Kallsyms.load();
  kallsyms.requireAddresses();
  return kallsyms.functionAddresses(new Set(targets.map(fullName)));
};

function attachOne(program: BpfProgram, target: Kprobe, index: number, cookie: number): Attached[] {
  const { function: symbol, module, offset, address, return: ret, several } = target;
  const more = { offset: BigInt(offset), ret, cookie: withPerfLinks(BigInt(cookie)) };
  const places =
    address !== undefined ? [address] : several ? (addressesOf([target]).get(fullName(target)) ?? []) : [];
  const links =
    places.length === 0
      ? [attachKprobe(program, { symbol, module, ...more })]
      : whatCan(places, (place) => attachKprobe(program, { address: place, ...more }));
  return links.map((link) => ({ link, probes: [index], slowToClose: true }));
}

/**
 * Links of the functions of one name. Some of them may be out of tracing's reach, such as those that only ran at boot; it is
 * the refusal of all that counts.
 */
function whatCan(places: readonly bigint[], attach: (place: bigint) => Link): Link[] {
  const links: Link[] = [];
  let refusal: unknown;
  for (const place of places) {
    try {
      links.push(attach(place));
    } catch (error) {
      if (!isRefusal(error)) {
        for (const link of links) link.detach();
        throw error;
      }
      refusal = error;
    }
  }
  if (links.length === 0) throw refusal;
  return links;
}

export const kprobe: Attacher = ({ program, probes, indexes, cookies }) =>
  probes.flatMap((probe, i) => attachOne(program, attachOf(probe, "kprobe"), indexes[i], cookies[i]));

/** One call for many functions: all by name, or, those of modules and those that share a name, all by address. */
export const kprobeMulti: Attacher = ({ program, probes, indexes, cookies, refused }) => {
  const targets = probes.map((probe) => attachOf(probe, "kprobe"));
  const { return: ret } = targets[0];
  const needsAddress = ({ module, several }: Kprobe) => module !== undefined || several === true;
  const byName = targets.flatMap((target, i) => (needsAddress(target) ? [] : [i]));
  const byAddress = targets.flatMap((target, i) => (needsAddress(target) ? [i] : []));
  const addresses = byAddress.length > 0 ? addressesOf(byAddress.map((i) => targets[i])) : undefined;
  const placesOf = (i: number): readonly bigint[] => addresses?.get(fullName(targets[i])) ?? [];
  const attached: Attached[] = [];
  const keep = (link: Link, members: readonly number[]) =>
    attached.push({ link, probes: members.map((i) => indexes[i]), slowToClose: false });

  const attach = (members: readonly number[]) => {
    if (!needsAddress(targets[members[0]])) {
      const symbols = members.map((i) => targets[i].function);
      keep(
        attachKprobeMulti(program, { symbols, cookies: members.map((i) => BigInt(cookies[i])), ret }),
        members,
      );
      return;
    }
    const places = members.flatMap((i) =>
      placesOf(i).map((place) => ({ place, cookie: BigInt(cookies[i]) })),
    );
    const request = { addresses: places.map((p) => p.place), cookies: places.map((p) => p.cookie), ret };
    keep(attachKprobeMulti(program, request), members);
  };
  const attachAlone = (i: number) => {
    const cookie = BigInt(cookies[i]);
    const links = whatCan(placesOf(i), (place) =>
      attachKprobeMulti(program, { addresses: [place], cookies: [cookie], ret }),
    );
    for (const link of links) keep(link, [i]);
  };

  const attachWhatCan = (all: readonly number[]): void =>
    inHalves(
      all,
      (members) => {
        if (members.length === 1 && placesOf(members[0]).length > 1) attachAlone(members[0]);
        else attach(members);
      },
      (member, error) => refused(new AttachError(probes[member], error)),
    );

  try {
    attachWhatCan(byName);
    attachWhatCan(byAddress);
    return attached;
  } catch (error) {
    for (const { link } of attached) link.detach();
    throw error;
  }
};
