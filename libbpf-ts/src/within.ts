// Files of other processes' file systems. What lies below /proc/PID/root or a directory held as /proc/PID/fd/N is its owner's to
// arrange: a symbolic link there to /etc/shadow means the one there, not ours, and openat2(2) with RESOLVE_IN_ROOT finds it
// so (5.6). Older kernels follow such links from our own root. Other paths are opened as usual.

import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readdirSync,
  readSync,
  type Stats,
  statSync,
} from "node:fs";
import { archFor } from "./arch.ts";
import { Errno, SysError } from "./errno.ts";
import { addressOf, cstring, syscall } from "./sys.ts";

const ROOT = /^\/proc\/(?:\d+\/root|(?:self|\d+)\/fd\/\d+)(?=\/)/;
const O_PATH = 0o10000000;
const O_CLOEXEC = 0o2000000;
const RESOLVE_IN_ROOT = 0x10n;
/** A path with ".." is refused while anything is renamed anywhere (EAGAIN). */
const TRIES = 16;

/** Bytes that a reading begins with. */
const SMALLEST = 4096;

const AT_FDCWD = -100;

/** openat2(2) from a directory that is the root meanwhile; the descriptor, or minus errno. */
function openBelow(directory: number, path: string, flags: number): number {
  const name = cstring(path);
  const how = BigUint64Array.of(BigInt(flags | O_CLOEXEC), 0n, RESOLVE_IN_ROOT);
  const { openat2 } = archFor().syscalls;
  return syscall(openat2, directory, addressOf(name), addressOf(how), how.byteLength);
}

let canResolve: boolean | undefined;

/** False: before 5.6, or where a filter of system calls does not know openat2. */
function canOpenBelow(): boolean {
  if (canResolve === undefined) {
    const fd = openBelow(AT_FDCWD, "/", O_PATH);
    if (fd >= 0) closeSync(fd);
    canResolve = fd !== -Errno.ENOSYS && fd !== -Errno.EPERM;
  }
  return canResolve;
}

/** "/proc/PID/root" or "/proc/PID/fd/N" of a path below it; else "". */
export const rootOfPath = (path: string): string => ROOT.exec(path)?.[0] ?? "";

/** open(2) within the path's root; the descriptor. Throws SysError, or Node's error of other paths. */
export function openWithin(path: string, flags: number = constants.O_RDONLY): number {
  const root = rootOfPath(path);
  if (root === "" || !canOpenBelow()) return openSync(path, flags);
  const directory = openSync(root, O_PATH | constants.O_DIRECTORY);
  try {
    for (let tries = 1; ; tries++) {
      const fd = openBelow(directory, path.slice(root.length), flags);
      if (fd >= 0) return fd;
      if (fd !== -Errno.EAGAIN || tries === TRIES) throw new SysError(`open(${path})`, -fd);
    }
  } finally {
    closeSync(directory);
  }
}

function opened<T>(path: string, flags: number, use: (fd: number) => T): T {
  const fd = openWithin(path, flags);
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}

export const statWithin = (path: string): Stats =>
  rootOfPath(path) === "" ? statSync(path) : opened(path, O_PATH, (fd) => fstatSync(fd));

export function existsWithin(path: string): boolean {
  try {
    statWithin(path);
    return true;
  } catch {
    return false;
  }
}

/** Names in a directory. */
export const listWithin = (path: string): string[] =>
  opened(path, constants.O_RDONLY | constants.O_DIRECTORY, (fd) => readdirSync(`/proc/self/fd/${fd}`));

/**
 * Opens a regular file to read; undefined: something else stands there, which is not opened. A pipe would wait, and there are
 * devices that act on being opened: a watchdog resets the machine. `flags`: O_NOFOLLOW.
 */
export function openFileWithin(path: string, flags = 0): { fd: number; stat: Stats } | undefined {
  return opened(path, O_PATH | flags, (place) => {
    const stat = fstatSync(place);
    if (!stat.isFile()) return undefined;
    try {
      return { fd: openSync(`/proc/self/fd/${place}`, constants.O_RDONLY | constants.O_NONBLOCK), stat };
    } catch (error) {
      throw new SysError(`open(${path})`, -(error as { errno: number }).errno);
    }
  });
}

/** The bytes of a regular file of no more than `limit`; throws where it is none. */
export function readWithin(path: string, limit: number): Buffer {
  const file = openFileWithin(path);
  if (!file) throw new Error(`${path}: not a regular file`);
  try {
    // Files of /proc tell no size, and others grow meanwhile: all are read to their end.
    let bytes = Buffer.allocUnsafe(Math.min(Math.max(file.stat.size, SMALLEST), limit) + 1);
    let length = 0;
    while (length <= limit) {
      const read = readSync(file.fd, bytes, length, bytes.length - length, null);
      if (read === 0) return bytes.subarray(0, length);
      length += read;
      if (length === bytes.length) bytes = Buffer.concat([bytes], length * 2);
    }
    throw new Error(`${path}: longer than ${limit} bytes`);
  } finally {
    closeSync(file.fd);
  }
}

/** A path that means the same file to the kernel until it is disposed of, whatever the links on its way become. */
export function heldPath(path: string): Disposable & { readonly path: string } {
  if (rootOfPath(path) === "") return { path, [Symbol.dispose]: () => {} };
  const fd = openWithin(path, O_PATH);
  return { path: `/proc/self/fd/${fd}`, [Symbol.dispose]: () => closeSync(fd) };
}
