// The few system calls that BPF needs and Node does not offer, through koffi and libc's syscall(2).
//
// koffi is loaded at the first call, not at import: programs that only compile never pay for it. All calls are
// synchronous. bpf(2) takes one attribute union; it is written into one reused buffer (`attr`), as is everything small,
// so a map lookup allocates nothing.

import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { archFor } from "./arch.ts";
import { Errno, SysError } from "./errno.ts";
import { Cmd } from "./uapi.ts";

type Word = number | bigint;
type SyscallFn = (nr: number, a: Word, b: Word, c: Word, d: Word, e: Word, f: Word) => number | bigint;

interface Native {
  syscall: SyscallFn;
  pageSize: number;
  /** A function of libc that takes words and returns an int. */
  func(name: string, arity: number): (...words: Word[]) => number;
  errno(): number;
  address(view: ArrayBufferView | ArrayBuffer): bigint;
  view(address: bigint, length: number): ArrayBuffer;
}

let loaded: Native | undefined;

/**
 * koffi's native part, loaded from the nearest node_modules that has it: 1 ms, where its own loader and Node's take 15 to
 * find it. Elsewhere (musl, other layouts) the loader it is.
 */
function loadKoffi(): typeof import("koffi") {
  const place = `node_modules/@koromix/koffi-linux-${process.arch}/linux_${process.arch}/koffi.node`;
  const module = { exports: {} };
  try {
    for (let folder = import.meta.dirname; ; folder = dirname(folder)) {
      const file = join(folder, place);
      if (existsSync(file)) {
        process.dlopen(module, file);
        return module.exports as typeof import("koffi");
      }
      if (folder === dirname(folder)) break;
    }
  } catch {
    // Not for this libc.
  }
  return process.getBuiltinModule("node:module").createRequire(import.meta.filename)("koffi");
}

function native(): Native {
  if (loaded) return loaded;
  const koffi = loadKoffi();
  const words = ["int64", "int64", "int64", "int64", "int64", "int64", "int64"];
  const libc = koffi.load(null);
  loaded = {
    syscall: libc.func("syscall", "int64", words) as unknown as SyscallFn,
    pageSize: libc.func("getpagesize", "int", [])() as number,
    func: (name, arity) => {
      const words = Array.from({ length: arity }, () => "int64");
      return libc.func(name, "int", words) as unknown as (...words: Word[]) => number;
    },
    errno: () => koffi.errno(),
    address: koffi.address,
    view: koffi.view,
  };
  return loaded;
}

const nr = archFor().syscalls;

/** Any system call; the result, or minus errno. Pointers are passed with `addressOf`. */
export function syscall(
  number: number,
  a: Word = 0,
  b: Word = 0,
  c: Word = 0,
  d: Word = 0,
  e: Word = 0,
  f: Word = 0,
): number {
  const libc = native();
  const result = Number(libc.syscall(number, a, b, c, d, e, f));
  return result === -1 ? -libc.errno() : result;
}

/** A function of libc by name, its arguments passed as words. */
export function libcFunction(name: string, arity: number): (...words: Word[]) => number {
  return native().func(name, arity);
}

/** The address of a view's first byte; good for as long as the view is referenced. */
export function addressOf(view: ArrayBufferView | ArrayBuffer): bigint {
  return native().address(view);
}

/** Bytes of a page: 4096 on x86-64, up to 65536 on arm64. */
export function pageSize(): number {
  return native().pageSize;
}

/** `text` as zero-terminated bytes. */
export function cstring(text: string): Uint8Array {
  return Buffer.from(`${text}\0`, "utf8");
}

/** The reused attribute union of bpf(2). Views given to `ptr` stay referenced until the next `begin`. */
class Attr {
  readonly bytes = new Uint8Array(256);
  readonly view = new DataView(this.bytes.buffer);
  #held: unknown[] = [];
  #address = 0;

  begin(): this {
    this.bytes.fill(0);
    this.#held.length = 0;
    return this;
  }
  u32(offset: number, value: number): this {
    this.view.setUint32(offset, value, true);
    return this;
  }
  u64(offset: number, value: Word): this {
    this.view.setBigUint64(offset, BigInt(value), true);
    return this;
  }
  ptr(offset: number, target: ArrayBufferView | undefined): this {
    if (!target || target.byteLength === 0) return this;
    this.#held.push(target);
    this.view.setBigUint64(offset, addressOf(target), true);
    return this;
  }
  name(offset: number, text: string): this {
    const clean = text.replace(/[^A-Za-z0-9_.]/g, "_");
    for (let i = 0; i < Math.min(clean.length, 15); i++) this.bytes[offset + i] = clean.charCodeAt(i);
    return this;
  }
  get address(): number {
    if (this.#address === 0) this.#address = Number(addressOf(this.bytes));
    return this.#address;
  }
}

/** Fill it with `attr.begin()…`, then call `bpf(cmd, size)`. Never hold it across another call of this package. */
export const attr = new Attr();

/** bpf(2) with the attributes in `attr`; the result, or minus errno. */
export function bpf(cmd: number, size: number): number {
  return syscall(nr.bpf, cmd, attr.address, size);
}

const cmdNames = new Map<number, string>(
  Object.entries(Cmd).map(([key, value]) => [value, key.replace(/[A-Z]/g, (c) => `_${c}`).toUpperCase()]),
);

/** "bpf(BPF_MAP_CREATE)", as errors name it. */
export function bpfCallName(cmd: number, detail = ""): string {
  return `bpf(BPF_${cmdNames.get(cmd) ?? cmd}${detail ? `, ${detail}` : ""})`;
}

/** bpf(2), throwing a SysError on failure. */
export function bpfOrThrow(cmd: number, size: number, detail = ""): number {
  const result = bpf(cmd, size);
  if (result < 0) throw new SysError(bpfCallName(cmd, detail), -result);
  return result;
}

/** perf_event_open(2) on a 128-byte perf_event_attr; the descriptor, or minus errno. */
export function perfEventOpen(
  eventAttr: Uint8Array,
  pid: number,
  cpu: number,
  groupFd = -1,
  flags = 8,
): number {
  return syscall(nr.perf_event_open, addressOf(eventAttr), pid, cpu, groupFd, flags);
}

/** ioctl(2); the result, or minus errno. */
export function ioctl(fd: number, request: number, argument: Word = 0): number {
  return syscall(nr.ioctl, fd, request, argument);
}

/** close(2). Errors are of no use to a caller that is done with the descriptor. */
export function close(fd: number): void {
  syscall(nr.close, fd);
}

/** dup(2) with close-on-exec. */
export function dup(fd: number): number {
  const copy = syscall(nr.fcntl, fd, 1030, 0);
  if (copy < 0) throw new SysError("fcntl(F_DUPFD_CLOEXEC)", -copy);
  return copy;
}

/** Sets or clears close-on-exec, for descriptors handed to a child. */
export function setCloseOnExec(fd: number, on: boolean): void {
  const result = syscall(nr.fcntl, fd, 2, on ? 1 : 0);
  if (result < 0) throw new SysError("fcntl(F_SETFD)", -result);
}

const O_CLOEXEC = 0o2000000;

/** pipe2(2) with close-on-exec. */
export function pipe(): [read: number, write: number] {
  const fds = new Int32Array(2);
  const result = syscall(nr.pipe2, addressOf(fds), O_CLOEXEC);
  if (result < 0) throw new SysError("pipe2", -result);
  return [fds[0], fds[1]];
}

/** mount(2) without options. */
export function mount(source: string, target: string, type: string): void {
  const names = [cstring(source), cstring(target), cstring(type)];
  const result = syscall(nr.mount, addressOf(names[0]), addressOf(names[1]), addressOf(names[2]), 0, 0);
  if (result < 0) throw new SysError(`mount(${type} on ${target})`, -result);
}

/** Memory mapped from a descriptor: shared, or a private copy to read. Views of `buffer` must not be touched after disposal. */
export class Mapping implements Disposable {
  readonly buffer: ArrayBuffer;
  #address: number;
  readonly length: number;

  constructor(fd: number, length: number, mode: "read" | "write" | "private", offset = 0) {
    const address = syscall(
      nr.mmap,
      0,
      length,
      mode === "write" ? 3 : 1,
      mode === "private" ? 2 : 1,
      fd,
      offset,
    );
    if (address < 0 && address > -4096) throw new SysError("mmap", -address);
    this.#address = address;
    this.length = length;
    this.buffer = native().view(BigInt(address), length);
  }
  [Symbol.dispose](): void {
    if (this.#address === 0) return;
    syscall(nr.munmap, this.#address, this.length);
    this.#address = 0;
  }
}

/** poll(2) for input on descriptors; how many are ready. Blocks the thread at most `timeoutMs`. */
export function pollIn(fds: number[], timeoutMs: number): number {
  const entries = new DataView(new ArrayBuffer(Math.max(8, fds.length * 8)));
  fds.forEach((fd, i) => {
    entries.setInt32(i * 8, fd, true);
    entries.setInt16(i * 8 + 4, 1, true);
  });
  const timeout = new BigInt64Array([BigInt(Math.floor(timeoutMs / 1000)), BigInt((timeoutMs % 1000) * 1e6)]);
  const ready = syscall(nr.ppoll, addressOf(entries), fds.length, addressOf(timeout), 0, 8);
  if (ready === -Errno.EINTR) return 0;
  if (ready < 0) throw new SysError("ppoll", -ready);
  return ready;
}

const timespec = new BigInt64Array(2);

/** clock_gettime(2) in nanoseconds. */
export function clockNs(clock: "realtime" | "monotonic" | "boottime" | "tai"): bigint {
  const id = { realtime: 0, monotonic: 1, boottime: 7, tai: 11 }[clock];
  const result = syscall(nr.clock_gettime, id, addressOf(timespec));
  if (result < 0) throw new SysError("clock_gettime", -result);
  return timespec[0] * 1_000_000_000n + timespec[1];
}

/** Raises RLIMIT_MEMLOCK where the kernel counts BPF memory against it (before 5.11); false where that was refused. */
export function raiseMemlock(): boolean {
  const unlimited = new BigUint64Array([0xffffffffffffffffn, 0xffffffffffffffffn]);
  return syscall(nr.prlimit64, 0, 8, addressOf(unlimited), 0) === 0;
}

/**
 * Raises the soft limit of open files to the hard one, and both to `wanted` where that is more and permitted
 * (CAP_SYS_RESOURCE); the limit that holds now.
 */
export function raiseOpenFiles(wanted = 0): number {
  const limit = new BigUint64Array(2);
  const set = (soft: bigint, hard: bigint) => {
    const asked = new BigUint64Array([soft, hard]);
    return syscall(nr.prlimit64, 0, 7, addressOf(asked), 0) === 0;
  };
  syscall(nr.prlimit64, 0, 7, 0, addressOf(limit));
  const files = BigInt(wanted);
  if (files <= limit[1] || !set(files, files)) set(limit[1], limit[1]);
  syscall(nr.prlimit64, 0, 7, 0, addressOf(limit));
  return Number(limit[0]);
}
