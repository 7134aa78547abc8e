// Perf events: software and hardware counters, and the clock for profiles and intervals. One event per CPU; a program
// runs each time `period` counts have passed (or `freq` times a second, where the kernel adapts the period).
//
// perf_event_attr, as far as it is used here:
//
//   0 type  4 size  8 config  16 period|freq  24 sample_type  32 read_format  40 flag bits  52 bp_type  56 config1  64 config2
//   92 clockid

import { onlineCpus } from "../cpus.ts";
import { Errno, SysError } from "../errno.ts";
import { close, perfEventOpen } from "../sys.ts";
import {
  HardwareEvent,
  type HardwareEventName,
  PerfType,
  SoftwareEvent,
  type SoftwareEventName,
} from "../uapi.ts";
import { attachToPerfEvent, FdLink, type HasFd, type Link } from "./link.ts";

export interface PerfEventSpec {
  type: number;
  config: bigint;
  config1?: bigint;
  config2?: bigint;
  /** One run per this many counts. */
  period?: bigint;
  /** Or: so many runs a second. */
  freq?: bigint;
  /** Open it switched off; attaching switches it on. */
  disabled?: boolean;
  excludeUser?: boolean;
  excludeKernel?: boolean;
  inherit?: boolean;
  /** bp_type of a breakpoint. */
  breakpointType?: number;
  /** What a record in a perf buffer holds. */
  sampleType?: bigint;
  /** Records of processes that fork and exit, or also of what they execute and map, each with a sample's fields behind it. */
  taskEvents?: "forks" | "all";
  /** Times of records are CLOCK_MONOTONIC's. */
  monotonic?: boolean;
}

const FLAG = {
  disabled: 1n,
  inherit: 2n,
  excludeUser: 16n,
  excludeKernel: 32n,
  freq: 1024n,
  taskEvents: {
    /** task, sample_id_all. */
    forks: (1n << 13n) | (1n << 18n),
    /** The same with mmap, comm, mmap2, comm_exec. */
    all: (1n << 13n) | (1n << 18n) | (1n << 8n) | (1n << 9n) | (1n << 23n) | (1n << 24n),
  },
  useClockId: 1n << 25n,
};

const CLOCK_MONOTONIC = 1;

/** struct perf_event_attr as bytes. */
export function encodePerfEventAttr(spec: PerfEventSpec): Uint8Array {
  const view = new DataView(new ArrayBuffer(112));
  view.setUint32(0, spec.type, true);
  view.setUint32(4, 112, true);
  view.setBigUint64(8, spec.config, true);
  view.setBigUint64(16, spec.freq ?? spec.period ?? 0n, true);
  view.setBigUint64(24, spec.sampleType ?? 0n, true);
  const flags =
    (spec.disabled ? FLAG.disabled : 0n) |
    (spec.inherit ? FLAG.inherit : 0n) |
    (spec.excludeUser ? FLAG.excludeUser : 0n) |
    (spec.excludeKernel ? FLAG.excludeKernel : 0n) |
    (spec.freq !== undefined ? FLAG.freq : 0n) |
    (spec.taskEvents ? FLAG.taskEvents[spec.taskEvents] : 0n) |
    (spec.monotonic ? FLAG.useClockId : 0n);
  view.setBigUint64(40, flags, true);
  view.setUint32(52, spec.breakpointType ?? 0, true);
  view.setBigUint64(56, spec.config1 ?? 0n, true);
  view.setBigUint64(64, spec.config2 ?? 0n, true);
  view.setInt32(92, spec.monotonic ? CLOCK_MONOTONIC : 0, true);
  return new Uint8Array(view.buffer);
}

/** Opens a perf event; throws SysError. */
export function openPerfEvent(spec: PerfEventSpec, pid: number, cpu: number, what: string): number {
  const fd = perfEventOpen(encodePerfEventAttr(spec), pid, cpu);
  if (fd < 0) throw new SysError(`perf_event_open(${what})`, -fd);
  return fd;
}

export interface PerfEventOptions extends PerfEventSpec {
  /** Only this process; all by default. */
  pid?: number;
  /** All online ones by default; only used without `pid`. */
  cpus?: number[];
  cookie?: bigint;
  /** For messages: "software page-faults". */
  target?: string;
}

/** Attaches to one perf event on each CPU (or following one process). */
export function attachPerfEvent(program: HasFd, options: PerfEventOptions): Link {
  const target = options.target ?? `perf event ${options.type}:${options.config}`;
  const places: [pid: number, cpu: number][] =
    options.pid !== undefined && options.pid >= 0
      ? [[options.pid, -1]]
      : (options.cpus ?? onlineCpus()).map((cpu) => [-1, cpu]);
  const fds: number[] = [];
  let isLink = false;
  const bytes = encodePerfEventAttr({ ...options, disabled: true });
  try {
    for (const [pid, cpu] of places) {
      const event = perfEventOpen(bytes, pid, cpu);
      // A CPU that went offline since the list was read.
      if (event === -Errno.ENODEV && cpu >= 0 && places.length > 1) continue;
      if (event < 0) throw new SysError(`perf_event_open(${target})`, -event);
      const attached = attachToPerfEvent(program, event, target, options.cookie);
      fds.push(attached.fd);
      isLink = attached.isLink;
    }
  } catch (error) {
    for (const fd of fds) close(fd);
    throw error;
  }
  return new FdLink(target, fds, isLink);
}

export interface CounterOptions {
  /** Counts per run of the program. */
  period: bigint;
  pid?: number;
  cpus?: number[];
  cookie?: bigint;
}

/** Every `period` counts of a software event. */
export function attachSoftware(program: HasFd, event: SoftwareEventName, options: CounterOptions): Link {
  return attachPerfEvent(program, {
    ...options,
    type: PerfType.software,
    config: BigInt(SoftwareEvent[event]),
    target: `software ${event}`,
  });
}

/** Every `period` counts of a hardware event; ENOENT on machines without a PMU. */
export function attachHardware(program: HasFd, event: HardwareEventName, options: CounterOptions): Link {
  return attachPerfEvent(program, {
    ...options,
    type: PerfType.hardware,
    config: BigInt(HardwareEvent[event]),
    target: `hardware ${event}`,
  });
}

export interface BreakpointOptions {
  address: bigint;
  length: 1 | 2 | 4 | 8;
  /** What is watched for: reading and writing, writing, or executing. */
  on: "r" | "w" | "rw" | "x";
  /** Addresses are this process's; without it they are the kernel's. */
  pid?: number;
  cookie?: bigint;
}

/** Whenever memory is touched, by the processor's debug registers: four at a time on x86-64. */
export function attachBreakpoint(program: HasFd, options: BreakpointOptions): Link {
  const { address, length, on, pid, cookie } = options;
  return attachPerfEvent(program, {
    type: PerfType.breakpoint,
    config: 0n,
    config1: address,
    config2: BigInt(on === "x" ? 8 : length),
    breakpointType: { r: 1, w: 2, rw: 3, x: 4 }[on],
    period: 1n,
    pid,
    // Threads and children of a process that is watched are watched too.
    inherit: pid !== undefined,
    cookie,
    target: `watchpoint 0x${address.toString(16)}:${length}:${on}`,
  });
}

export interface ClockOptions {
  /** Runs per second … */
  freq?: bigint;
  /** … or nanoseconds between runs. */
  periodNs?: bigint;
  pid?: number;
  cpus?: number[];
  cookie?: bigint;
}

/** On every CPU by the clock: a profile. */
export function attachProfile(program: HasFd, options: ClockOptions): Link {
  return attachPerfEvent(program, {
    ...options,
    type: PerfType.software,
    config: BigInt(SoftwareEvent["cpu-clock"]),
    period: options.periodNs,
    target: "profile",
  });
}

/** On one CPU by the clock: an interval. */
export function attachInterval(
  program: HasFd,
  options: { periodNs: bigint; cpu?: number; cookie?: bigint },
): Link {
  return attachPerfEvent(program, {
    type: PerfType.software,
    config: BigInt(SoftwareEvent["cpu-clock"]),
    period: options.periodNs,
    cpus: [options.cpu ?? onlineCpus()[0]],
    cookie: options.cookie,
    target: "interval",
  });
}
