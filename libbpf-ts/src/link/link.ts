// What every attachment is: descriptors that keep a program attached until they are closed.
//
// Nothing is pinned, so a killed process leaves nothing attached. Closing a tracepoint or uprobe made from a perf event
// waits for RCU (about 80 and 120 ms each); `fds` lets a caller hand the wait to another process.

import { Errno, SysError, UnsupportedError } from "../errno.ts";
import { attr, bpf, bpfCallName, bpfOrThrow, close, ioctl } from "../sys.ts";
import { AttachType, Cmd, LinkType, PerfIoctl } from "../uapi.ts";

/** What a program is attached through; BpfProgram is one. */
export interface HasFd {
  readonly fd: number;
}

export interface LinkInfo {
  /** "perf_event", "raw_tracepoint", "tracing", "iter", "kprobe_multi", "uprobe_multi", … */
  type: string;
  id: number;
  progId: number;
  /** Hits the kernel counted as missed (perf-event kprobes and kprobe_multi, 6.7). */
  missed: bigint;
}

export interface Link extends Disposable {
  /** The first descriptor. */
  readonly fd: number;
  /** Every descriptor that keeps the program attached. */
  readonly fds: readonly number[];
  /** What is attached, for messages: "tracepoint sched:sched_switch". */
  readonly target: string;
  /** Detaching also removes an event of tracefs, which works once no process has it open: descriptors stay in this one. */
  readonly removesEvent: boolean;
  /** Facts from the kernel; undefined where the attachment is a plain perf event (before 5.15). */
  info(): LinkInfo | undefined;
  /** The same as disposing: detaches. */
  detach(): void;
}

/** Reads struct bpf_link_info; undefined where `fd` is no link. */
export function linkInfo(fd: number): LinkInfo | undefined {
  const info = new DataView(new ArrayBuffer(128));
  attr.begin().u32(0, fd).u32(4, info.byteLength).ptr(8, info);
  const result = bpf(Cmd.objGetInfoByFd, 16);
  if (result === -Errno.EINVAL || result === -Errno.EBADF) return undefined;
  if (result < 0) throw new SysError(bpfCallName(Cmd.objGetInfoByFd, "link"), -result);
  const type = LinkType[info.getUint32(0, true)] ?? String(info.getUint32(0, true));
  // perf_event: type 16, then kprobe { name 24, len 32, offset 36, addr 40, missed 48 }; kprobe_multi: missed 32.
  const perfKprobe = type === "perf_event" && [3, 4].includes(info.getUint32(16, true));
  let missed = 0n;
  if (perfKprobe) missed = info.getBigUint64(48, true);
  else if (type === "kprobe_multi") missed = info.getBigUint64(32, true);
  return { type, id: info.getUint32(4, true), progId: info.getUint32(8, true), missed };
}

/** A link made of descriptors; `after` runs once they are closed. */
export class FdLink implements Link {
  readonly fds: readonly number[];
  readonly target: string;
  #after: (() => void) | undefined;
  #isLink: boolean;
  #closed = false;

  constructor(target: string, fds: readonly number[], isLink: boolean, after?: () => void) {
    this.target = target;
    this.fds = fds;
    this.#isLink = isLink;
    this.#after = after;
  }
  get fd(): number {
    return this.fds[0];
  }
  get removesEvent(): boolean {
    return this.#after !== undefined;
  }
  info(): LinkInfo | undefined {
    return this.#isLink ? linkInfo(this.fd) : undefined;
  }
  detach(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const fd of this.fds) close(fd);
    this.#after?.();
  }
  [Symbol.dispose](): void {
    this.detach();
  }
}

export const LINK_CREATE_SIZE = 64;

/** Whether the kernel made links of perf events when last asked (5.15); undefined before the first attempt. */
let perfLinks: boolean | undefined;

/**
 * Attaches a program to a perf event: by a link (5.15), which carries a cookie, or else by ioctl. The event's descriptor
 * is taken over; what remains to be kept open is returned.
 */
export function attachToPerfEvent(
  program: HasFd,
  eventFd: number,
  target: string,
  cookie: bigint | undefined,
): { fd: number; isLink: boolean } {
  const fail = (error: Error): never => {
    close(eventFd);
    throw error;
  };
  if (perfLinks !== false) {
    attr
      .begin()
      .u32(0, program.fd)
      .u32(4, eventFd)
      .u32(8, AttachType.perf_event)
      .u64(16, cookie ?? 0n);
    const linkFd = bpf(Cmd.linkCreate, LINK_CREATE_SIZE);
    if (linkFd >= 0) {
      perfLinks = true;
      ioctl(eventFd, PerfIoctl.enable);
      // The link holds the event: one descriptor per attachment is enough.
      close(eventFd);
      return { fd: linkFd, isLink: true };
    }
    // Before 5.15 the attach type is unknown: EINVAL. The ioctl below tells that from a real refusal.
    if (linkFd !== -Errno.EINVAL || perfLinks)
      fail(new SysError(bpfCallName(Cmd.linkCreate, target), -linkFd));
  }
  const set = ioctl(eventFd, PerfIoctl.setBpf, program.fd);
  if (set < 0) fail(new SysError(`ioctl(PERF_EVENT_IOC_SET_BPF, ${target})`, -set));
  perfLinks = false;
  if (cookie) fail(new UnsupportedError(`attach cookie for ${target}`, "this kernel has none", "5.15"));
  const enabled = ioctl(eventFd, PerfIoctl.enable);
  if (enabled < 0) fail(new SysError(`ioctl(PERF_EVENT_IOC_ENABLE, ${target})`, -enabled));
  return { fd: eventFd, isLink: false };
}

/** BPF_LINK_CREATE with what `attr` holds. */
export function createLink(target: string): FdLink {
  return new FdLink(target, [bpfOrThrow(Cmd.linkCreate, LINK_CREATE_SIZE, target)], true);
}
