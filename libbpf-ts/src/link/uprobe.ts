// User space functions. A place is a file and an offset *in the file* (elf's `fileOffset` makes one of an address).
//
// One perf event per place costs 2.5 ms to attach and 120 ms to close; a uprobe_multi link (6.6) takes hundreds of places
// of one file at once, each with its own cookie.

import { Errno, SysError, UnsupportedError } from "../errno.ts";
import { addressOf, attr, bpf, bpfCallName, cstring } from "../sys.ts";
import { AttachType, Cmd, PerfType } from "../uapi.ts";
import { heldPath } from "../within.ts";
import { createDynamicEvent, probePmu } from "./dynamicEvents.ts";
import { attachToPerfEvent, FdLink, type HasFd, LINK_CREATE_SIZE, type Link } from "./link.ts";
import { openPerfEvent } from "./perfEvent.ts";

export interface UprobeTarget {
  path: string;
  /** File offset of the instruction. */
  offset: bigint;
  /** At the function's return instead. */
  ret?: boolean;
  /** Only in this process. */
  pid?: number;
  /** File offset of a USDT semaphore, which the kernel then counts up and down (4.20). */
  refCtrOffset?: bigint;
  cookie?: bigint;
}

function describe(target: { path: string; ret?: boolean }, offset: string): string {
  return `${target.ret ? "uretprobe" : "uprobe"} ${target.path}:${offset}`;
}

/** Attaches a `kprobe` program to one place by a perf event. */
export function attachUprobe(program: HasFd, uprobe: UprobeTarget): Link {
  const target = describe(uprobe, `0x${uprobe.offset.toString(16)}`);
  const pid = uprobe.pid ?? -1;
  const cpu = pid >= 0 ? -1 : 0;
  using file = heldPath(uprobe.path);
  const pmu = probePmu("uprobe");
  if (pmu) {
    if (uprobe.refCtrOffset && pmu.refCtrShift === undefined) {
      throw new UnsupportedError(`semaphore of ${target}`, "this kernel cannot count it", "4.20");
    }
    const path = cstring(file.path);
    const config =
      (uprobe.ret ? pmu.retprobeBit : 0n) | ((uprobe.refCtrOffset ?? 0n) << (pmu.refCtrShift ?? 0n));
    const spec = { type: pmu.type, config, config1: addressOf(path), config2: uprobe.offset };
    const event = openPerfEvent(spec, pid, cpu, target);
    const { fd, isLink } = attachToPerfEvent(program, event, target, uprobe.cookie);
    return new FdLink(target, [fd], isLink);
  }
  const semaphore = uprobe.refCtrOffset ? `(0x${uprobe.refCtrOffset.toString(16)})` : "";
  const where = `${file.path}:0x${uprobe.offset.toString(16)}${semaphore}`;
  const dynamic = createDynamicEvent("uprobe_events", uprobe.ret ? "r" : "p", where);
  try {
    const event = openPerfEvent(
      { type: PerfType.tracepoint, config: BigInt(dynamic.id), period: 1n },
      pid,
      cpu,
      target,
    );
    const { fd, isLink } = attachToPerfEvent(program, event, target, uprobe.cookie);
    return new FdLink(target, [fd], isLink, dynamic.remove);
  } catch (error) {
    dynamic.remove();
    throw error;
  }
}

export interface UprobeMultiTarget {
  path: string;
  /** File offsets of the instructions. */
  offsets: bigint[];
  /** One for each offset. */
  cookies?: bigint[];
  refCtrOffsets?: bigint[];
  ret?: boolean;
  pid?: number;
}

/** Attaches a `kprobe` program loaded with attach type `trace_uprobe_multi` to many places of one file (6.6). */
export function attachUprobeMulti(program: HasFd, uprobes: UprobeMultiTarget): Link {
  const target = describe(uprobes, `${uprobes.offsets.length} places`);
  using file = heldPath(uprobes.path);
  attr.begin().u32(0, program.fd).u32(8, AttachType.trace_uprobe_multi);
  attr.ptr(16, cstring(file.path)).ptr(24, BigUint64Array.from(uprobes.offsets));
  if (uprobes.refCtrOffsets) attr.ptr(32, BigUint64Array.from(uprobes.refCtrOffsets));
  if (uprobes.cookies) attr.ptr(40, BigUint64Array.from(uprobes.cookies));
  attr
    .u32(48, uprobes.offsets.length)
    .u32(52, uprobes.ret ? 1 : 0)
    .u32(56, uprobes.pid ?? 0);
  const fd = bpf(Cmd.linkCreate, LINK_CREATE_SIZE);
  if (fd >= 0) return new FdLink(target, [fd], true);
  const hint =
    fd === -Errno.EINVAL ? "links of many uprobes need Linux 6.6 and a program loaded for them" : undefined;
  throw new SysError(bpfCallName(Cmd.linkCreate, target), -fd, hint);
}
