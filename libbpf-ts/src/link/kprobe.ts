// Kernel functions, by the kprobe PMU (4.17), by tracefs where that is missing, or many at once by a kprobe_multi link
// (5.18, CONFIG_FPROBE).

import { existsSync } from "node:fs";
import { archFor } from "../arch.ts";
import { Errno, SysError, UnsupportedError } from "../errno.ts";
import { addressOf, attr, bpf, bpfCallName, cstring, perfEventOpen } from "../sys.ts";
import { tracefsPath } from "../tracefs.ts";
import { AttachType, Cmd, PerfType } from "../uapi.ts";
import { createDynamicEvent, probePmu } from "./dynamicEvents.ts";
import { attachToPerfEvent, FdLink, type HasFd, LINK_CREATE_SIZE, type Link } from "./link.ts";
import { encodePerfEventAttr, openPerfEvent } from "./perfEvent.ts";

export interface KprobeTarget {
  /** A symbol; system calls may be named without their prefix ("sys_read"). */
  symbol?: string;
  /** Of this module. */
  module?: string;
  /** Or an address. */
  address?: bigint;
  /** Bytes after the symbol. */
  offset?: bigint;
  /** At the function's return instead. */
  ret?: boolean;
  cookie?: bigint;
}

/** Whether this kernel has kprobes at all. */
export function kprobesAvailable(): boolean {
  if (probePmu("kprobe")) return true;
  try {
    return existsSync(`${tracefsPath()}/kprobe_events`);
  } catch {
    return false;
  }
}

function hintFor(errno: number, where: string): string | undefined {
  if (errno === Errno.EILSEQ) return `${where} is inside an instruction`;
  if (errno === Errno.ENOENT) return `this kernel has no function ${where}`;
  if (errno === Errno.EADDRNOTAVAIL)
    return `this kernel has several functions ${where}: attach to their addresses`;
  if (errno === Errno.EINVAL)
    return `${where} is inlined, or on the kernel's list of functions that must not be probed`;
  return undefined;
}

/** Attaches a `kprobe` program to one kernel function. */
export function attachKprobe(program: HasFd, kprobe: KprobeTarget): Link {
  const { symbol, address, offset } = kprobe;
  const place = symbol === undefined ? `0x${(address ?? 0n).toString(16)}` : qualified(kprobe, symbol);
  const where = `${place}${offset ? `+${offset}` : ""}`;
  const target = `${kprobe.ret ? "kretprobe" : "kprobe"} ${where}`;
  if (!kprobesAvailable()) {
    throw new UnsupportedError(
      target,
      "this kernel was built without kprobes (CONFIG_KPROBES, CONFIG_KPROBE_EVENTS)",
    );
  }
  const event = openByPmu(kprobe);
  if (event !== undefined && event >= 0) {
    const { fd, isLink } = attachToPerfEvent(program, event, target, kprobe.cookie);
    return new FdLink(target, [fd], isLink);
  }
  if (event !== undefined && !tracefsMayKnow(kprobe, -event)) {
    throw new SysError(`perf_event_open(${target})`, -event, hintFor(-event, where));
  }
  return attachByTracefs(program, kprobe, where, target);
}

const qualified = ({ module }: KprobeTarget, symbol: string): string =>
  module ? `${module}:${symbol}` : symbol;

/**
 * Where the PMU refuses a name that tracefs takes: PMUs before 5.13 made an event's name of it and stumbled over dots
 * ("foo.isra.0"); those of 6.6 to 6.11 looked for a module's function in the kernel only.
 */
function tracefsMayKnow({ symbol, module }: KprobeTarget, errno: number): boolean {
  if (errno === Errno.EINVAL) return symbol?.includes(".") ?? false;
  return errno === Errno.ENOENT && module !== undefined;
}

/** A perf event's descriptor, a negated errno, or undefined where this kernel has no PMU. */
function openByPmu(kprobe: KprobeTarget): number | undefined {
  const { symbol, address, offset } = kprobe;
  const pmu = probePmu("kprobe");
  if (!pmu) return undefined;
  const open = (own: string | undefined) => {
    const name = own === undefined ? undefined : cstring(qualified(kprobe, own));
    const bytes = encodePerfEventAttr({
      type: pmu.type,
      config: kprobe.ret ? pmu.retprobeBit : 0n,
      config1: name ? addressOf(name) : 0n,
      config2: name ? (offset ?? 0n) : (address ?? 0n) + (offset ?? 0n),
    });
    return perfEventOpen(bytes, -1, 0);
  };
  const event = open(symbol);
  if ((event !== -Errno.ENOENT && event !== -Errno.EINVAL) || !symbol?.startsWith("sys_")) return event;
  const prefixed = open(archFor().syscallPrefix + symbol);
  return prefixed >= 0 ? prefixed : event;
}

function attachByTracefs(program: HasFd, kprobe: KprobeTarget, where: string, target: string): Link {
  const dynamic = createDynamicEvent("kprobe_events", kprobe.ret ? "r" : "p", where, hintFor);
  try {
    const spec = { type: PerfType.tracepoint, config: BigInt(dynamic.id), period: 1n };
    const event = openPerfEvent(spec, -1, 0, target);
    const { fd, isLink } = attachToPerfEvent(program, event, target, kprobe.cookie);
    return new FdLink(target, [fd], isLink, dynamic.remove);
  } catch (error) {
    dynamic.remove();
    throw error;
  }
}

export interface KprobeMultiTarget {
  symbols?: string[];
  /** Instead of symbols: faster, and unambiguous. */
  addresses?: bigint[];
  /** One for each function. */
  cookies?: bigint[];
  ret?: boolean;
  /** The program runs at entry and at return (6.10); load it with `trace_kprobe_session`. */
  session?: boolean;
}

/** Attaches a `kprobe` program loaded with attach type `trace_kprobe_multi` to many functions (5.18). */
export function attachKprobeMulti(program: HasFd, kprobes: KprobeMultiTarget): Link {
  const count = kprobes.addresses?.length ?? kprobes.symbols?.length ?? 0;
  const functions = count === 1 ? "one function" : `${count} functions`;
  const target = `${kprobes.ret ? "kretprobe" : "kprobe"} of ${functions}`;
  const names = (kprobes.addresses ? [] : (kprobes.symbols ?? [])).map(cstring);
  const type = kprobes.session ? AttachType.trace_kprobe_session : AttachType.trace_kprobe_multi;
  attr
    .begin()
    .u32(0, program.fd)
    .u32(8, type)
    .u32(16, kprobes.ret ? 1 : 0)
    .u32(20, count);
  if (kprobes.addresses) attr.ptr(32, BigUint64Array.from(kprobes.addresses));
  else attr.ptr(24, BigUint64Array.from(names, addressOf));
  if (kprobes.cookies) attr.ptr(40, BigUint64Array.from(kprobes.cookies));
  const fd = bpf(Cmd.linkCreate, LINK_CREATE_SIZE);
  if (fd >= 0) return new FdLink(target, [fd], true);
  if (fd === -Errno.EOPNOTSUPP) {
    throw new UnsupportedError(
      target,
      "this kernel cannot attach many kprobes at once (CONFIG_FPROBE)",
      "5.18",
    );
  }
  const missing = fd === -Errno.ESRCH || fd === -Errno.EINVAL;
  const hint = missing ? "at least one of the functions is missing or cannot be traced" : undefined;
  throw new SysError(bpfCallName(Cmd.linkCreate, target), -fd, hint);
}
