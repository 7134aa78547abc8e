// Errors of system calls: what was called, which errno, and what the person at the prompt can do about it.
// The hints are rows: the first row whose call and errno match speaks. Numbers are those of asm-generic, which
// x86-64 and arm64 share.

import { readFileSync } from "node:fs";
import { release } from "node:os";

const names: Record<number, [code: string, text: string]> = {
  1: ["EPERM", "operation not permitted"],
  2: ["ENOENT", "no such file or entry"],
  3: ["ESRCH", "no such process or symbol"],
  4: ["EINTR", "interrupted"],
  5: ["EIO", "input/output error"],
  7: ["E2BIG", "argument list too long"],
  8: ["ENOEXEC", "exec format error"],
  9: ["EBADF", "bad file descriptor"],
  11: ["EAGAIN", "try again"],
  12: ["ENOMEM", "out of memory"],
  13: ["EACCES", "permission denied"],
  14: ["EFAULT", "bad address"],
  16: ["EBUSY", "busy"],
  17: ["EEXIST", "exists already"],
  19: ["ENODEV", "no such device"],
  20: ["ENOTDIR", "not a directory"],
  21: ["EISDIR", "is a directory"],
  22: ["EINVAL", "invalid argument"],
  23: ["ENFILE", "too many open files in the system"],
  24: ["EMFILE", "too many open files"],
  28: ["ENOSPC", "no space left"],
  33: ["EDOM", "argument out of domain"],
  34: ["ERANGE", "out of range"],
  36: ["ENAMETOOLONG", "name too long"],
  38: ["ENOSYS", "not implemented"],
  75: ["EOVERFLOW", "value too large"],
  84: ["EILSEQ", "not an instruction boundary"],
  95: ["EOPNOTSUPP", "not supported"],
  99: ["EADDRNOTAVAIL", "no such address, or more than one"],
  110: ["ETIMEDOUT", "timed out"],
  524: ["ENOTSUPP", "not supported by this kernel"],
};

/** errno values that code branches on. */
export const Errno = {
  EPERM: 1,
  ENOENT: 2,
  ESRCH: 3,
  EINTR: 4,
  E2BIG: 7,
  EBADF: 9,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EFAULT: 14,
  EBUSY: 16,
  EEXIST: 17,
  ENODEV: 19,
  EINVAL: 22,
  ENFILE: 23,
  EMFILE: 24,
  ENOSPC: 28,
  ERANGE: 34,
  ENOSYS: 38,
  EILSEQ: 84,
  EOPNOTSUPP: 95,
  EADDRNOTAVAIL: 99,
  ENOTSUPP: 524,
} as const;

/** The symbolic name of an errno, `E123` where it has none here. */
export function errnoName(errno: number): string {
  return names[errno]?.[0] ?? `E${errno}`;
}

/** Whether a load ended for want of something, whatever its log holds by then: that is no verdict on what was loaded. */
export const ranOut = (errno: number): boolean =>
  errno === Errno.EMFILE || errno === Errno.ENFILE || errno === Errno.ENOMEM;

/** What an errno says in words. */
export function errnoText(errno: number): string {
  return names[errno]?.[1] ?? `error ${errno}`;
}

/** Running kernel as [major, minor]. */
export function kernelVersion(): [major: number, minor: number] {
  const [major, minor] = release().split(".");
  return [Number.parseInt(major, 10), Number.parseInt(minor, 10)];
}

/** Whether the running kernel is at least `since`, written "5.8". */
export function kernelAtLeast(since: string): boolean {
  const [major, minor] = kernelVersion();
  const [wantMajor, wantMinor] = since.split(".").map(Number);
  return major > wantMajor || (major === wantMajor && minor >= wantMinor);
}

/** The active lockdown mode, "none" where the kernel has no lockdown. */
export function lockdownMode(): "none" | "integrity" | "confidentiality" {
  try {
    const mode = /\[(\w+)\]/.exec(readFileSync("/sys/kernel/security/lockdown", "latin1"))?.[1];
    return mode === "integrity" || mode === "confidentiality" ? mode : "none";
  } catch {
    return "none";
  }
}

function permissionHint(need: string): string {
  if (process.geteuid?.() !== 0) return `run it as root (sudo), or with ${need}`;
  const mode = lockdownMode();
  if (mode !== "none")
    return `kernel lockdown is in ${mode} mode: boot without lockdown=${mode}, or switch Secure Boot off`;
  return "root was refused: a security policy, seccomp, a container without capabilities, or this kernel's build forbids it";
}

/** Debian and Ubuntu add levels above 2 to kernel.perf_event_paranoid. */
function perfHint(): string {
  if (process.geteuid?.() === 0) {
    try {
      const level = Number(readFileSync("/proc/sys/kernel/perf_event_paranoid", "latin1"));
      if (level > 2)
        return `kernel.perf_event_paranoid is ${level}, which leaves perf events to CAP_SYS_ADMIN alone: sysctl kernel.perf_event_paranoid=2 lets CAP_PERFMON do`;
    } catch {
      // A kernel without perf events has no such file.
    }
  }
  return permissionHint("the capability CAP_PERFMON, or with kernel.perf_event_paranoid lowered");
}

const MEMLOCK =
  "this kernel counts BPF memory against RLIMIT_MEMLOCK (until 5.11): run `ulimit -l unlimited` first";

interface HintRow {
  call: RegExp;
  errno: number[];
  hint: () => string;
}

const hints: HintRow[] = [
  {
    call: /^bpf\(BPF_(MAP_CREATE|PROG_LOAD|BTF_LOAD)/,
    errno: [Errno.EPERM],
    hint: () =>
      process.geteuid?.() === 0 && !kernelAtLeast("5.11")
        ? MEMLOCK
        : permissionHint("the capabilities CAP_BPF and CAP_PERFMON (kernel 5.8 and later)"),
  },
  {
    call: /^bpf\(BPF_(PROG|MAP|LINK|BTF)_GET/,
    errno: [Errno.EPERM],
    hint: () => permissionHint("the capability CAP_SYS_ADMIN, which walking the kernel's objects needs"),
  },
  {
    call: /^bpf\(/,
    errno: [Errno.EPERM, Errno.EACCES],
    hint: () => permissionHint("the capabilities CAP_BPF and CAP_PERFMON (kernel 5.8 and later)"),
  },
  {
    call: /^bpf\(/,
    errno: [Errno.ENOSYS],
    hint: () =>
      "this kernel was built without CONFIG_BPF_SYSCALL, or seccomp forbids bpf(2) (containers: seccomp=unconfined)",
  },
  {
    call: /^perf_event_open\(watchpoint/,
    errno: [Errno.ENOSPC],
    hint: () => "processors watch few places at a time: x86-64 has registers for four",
  },
  {
    call: /^perf_event_open/,
    errno: [Errno.EPERM, Errno.EACCES],
    hint: perfHint,
  },
  {
    call: /^perf_event_open/,
    errno: [Errno.ENOENT, Errno.ENODEV, Errno.EOPNOTSUPP],
    hint: () => "this machine has no such event (virtual machines often have no hardware counters)",
  },
  {
    call: /./,
    errno: [Errno.EMFILE],
    hint: () => "raise the limit of open files: `ulimit -n 65536`",
  },
  {
    call: /MAP_CREATE/,
    errno: [Errno.ENOMEM],
    hint: () => "make the map smaller (maxEntries) or free some memory",
  },
  { call: /MAP_UPDATE/, errno: [Errno.E2BIG], hint: () => "the map is full: create it with more maxEntries" },
  {
    call: /^mount/,
    errno: [Errno.EPERM],
    hint: () =>
      process.geteuid?.() === 0
        ? "it needs the capability CAP_SYS_ADMIN, which containers seldom have: mount it outside, and pass it in"
        : "run it as root (sudo), or have it mounted: sudo mount -t tracefs tracefs /sys/kernel/tracing",
  },
];

function hintFor(call: string, errno: number): string | undefined {
  return hints.find((row) => row.errno.includes(errno) && row.call.test(call))?.hint();
}

/** A failed system call. `call` names it, `code` is the errno's name, `hint` says what to do. */
export class SysError extends Error {
  readonly call: string;
  readonly errno: number;
  readonly code: string;
  readonly hint: string | undefined;

  constructor(call: string, errno: number, hint?: string) {
    const advice = hint ?? hintFor(call, errno);
    super(`${call}: ${errnoText(errno)} (${errnoName(errno)})${advice ? `; ${advice}` : ""}`);
    this.name = "SysError";
    this.call = call;
    this.errno = errno;
    this.code = errnoName(errno);
    this.hint = advice;
  }
}

/** Something this kernel or machine does not have; `since` names the kernel version that does, where that is the reason. */
export class UnsupportedError extends Error {
  readonly feature: string;
  readonly since: string | undefined;

  constructor(feature: string, reason: string, since?: string) {
    super(
      since && !kernelAtLeast(since)
        ? `${feature}: ${reason} (needs Linux ${since}, this is ${release()})`
        : `${feature}: ${reason}`,
    );
    this.name = "UnsupportedError";
    this.feature = feature;
    this.since = since;
  }
}
