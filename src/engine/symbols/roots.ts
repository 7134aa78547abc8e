/**
 * The file systems that processes see. One in a mount namespace of its own has its files below /proc/PID/root as long as it
 * lives; a directory held open keeps them within reach, also for what is asked once the container's processes are gone.
 */
import { closeSync, constants, openSync } from "node:fs";
import { type Mount, MountTable, ownMounts, readMounts } from "../kernel/mounts.ts";
import { fileSystemOf, livingThread } from "../kernel/processes.ts";

/** A root that is held keeps the container's file system mounted in the kernel. */
const MOST = 32;
/** Only a place to look from: nothing is asked of what it lies on. */
const O_PATH = 0o10000000;

export interface Root {
  /** What to put before a process's paths: "" where it sees our files. Undefined: it was given up. */
  path: string | undefined;
  readonly mounts: MountTable;
  /** Is told of a server that does not answer. */
  silent(mount: Mount): void;
}

interface Held extends Root {
  readonly fd: number;
  /** The process that was seen there last. */
  readonly seen: { pid: number };
}

function mountsOf(pid: number, key: string): string | undefined {
  try {
    return fileSystemOf(pid).key === key ? readMounts(livingThread(pid)) : undefined;
  } catch {
    return undefined;
  }
}

export class Roots implements Disposable {
  /** Where we are. */
  readonly own: Root;
  readonly #silent: (mount: Mount) => void;
  /** By the file system's key. */
  #held = new Map<string, Held>();

  /** `silent`: told of servers that do not answer. */
  constructor(silent: (mount: Mount) => void) {
    this.#silent = silent;
    this.own = { path: "", mounts: ownMounts(), silent };
  }

  /** Undefined when the process is gone. */
  of(pid: number): Root | undefined {
    try {
      const { key, root } = fileSystemOf(pid);
      return root === "" ? this.own : this.#hold(key, root, pid);
    } catch {
      return undefined;
    }
  }

  #hold(key: string, path: string, pid: number): Root {
    const held = this.#held.get(key) ?? this.#open(key, path, pid);
    held.seen.pid = pid;
    // The least recently asked for goes first.
    this.#held.delete(key);
    this.#held.set(key, held);
    return held;
  }

  #open(key: string, path: string, pid: number): Held {
    const fd = openSync(path, O_PATH | constants.O_DIRECTORY);
    for (const [oldest, its] of this.#held) {
      if (this.#held.size < MOST) break;
      this.#held.delete(oldest);
      giveUp(its);
    }
    const here = `/proc/self/fd/${fd}`;
    const seen = { pid };
    const mounts = new MountTable(() => mountsOf(seen.pid, key), here);
    return { fd, seen, path: here, mounts, silent: this.#silent };
  }

  [Symbol.dispose](): void {
    for (const its of this.#held.values()) giveUp(its);
    this.#held.clear();
  }
}

/** Its descriptor's number will be another file's. */
function giveUp(held: Held): void {
  held.path = undefined;
  closeSync(held.fd);
}
