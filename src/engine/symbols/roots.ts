/**
 * The file systems that processes see. One in a mount namespace of its own has its files below /proc/PID/root as long as it
 * lives; a directory held open keeps them within reach, also for what is asked once the container's processes are gone.
 */
import { closeSync, constants, openSync } from "node:fs";
import { fileSystemOf } from "../kernel/processes.ts";

/** A root that is held keeps the container's file system mounted in the kernel. */
const MOST = 32;

export class Roots implements Disposable {
  /** A file system's key → descriptor. */
  #held = new Map<string, number>();

  /** What to put before a process's paths: "" where it sees our files; undefined when it is gone. */
  of(pid: number): string | undefined {
    try {
      const { key, root } = fileSystemOf(pid);
      return root === "" ? "" : `/proc/self/fd/${this.#hold(key, root)}`;
    } catch {
      return undefined;
    }
  }

  #hold(key: string, root: string): number {
    let fd = this.#held.get(key);
    if (fd === undefined) {
      fd = openSync(root, constants.O_RDONLY | constants.O_DIRECTORY);
      for (const [oldest, its] of this.#held) {
        if (this.#held.size < MOST) break;
        this.#held.delete(oldest);
        closeSync(its);
      }
    }
    // The least recently asked for goes first.
    this.#held.delete(key);
    this.#held.set(key, fd);
    return fd;
  }

  [Symbol.dispose](): void {
    for (const fd of this.#held.values()) closeSync(fd);
    this.#held.clear();
  }
}
