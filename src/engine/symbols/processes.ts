/**
 * The processes whose addresses are asked for. Perf tells of every process that starts while a script runs, and of what it
 * maps, so that it has names even when it ended long before its stack is shown; of those that ran before, /proc is read, bit by
 * bit.
 */
import { readdirSync } from "node:fs";
import { type TaskEvent, TaskEvents } from "libbpf-ts";
import { monotonicMs } from "../clock.ts";
import { ProcessSymbols } from "./process.ts";
import { Roots } from "./roots.ts";

const MOST = 4096;
/** So many of the processes that run already are looked at beforehand. */
const MOST_BEFOREHAND = 1024;

export class Processes implements Disposable {
  #known = new Map<number, ProcessSymbols>();
  #roots = new Roots();
  #events: TaskEvents | undefined;
  #unseen: number[] = [];

  /** Follows what starts from now on, where the kernel lets us, and lists what is there. */
  watch(): void {
    try {
      this.#events ??= new TaskEvents();
    } catch {
      // Not permitted: processes are known from /proc, as long as they live.
    }
    const pids = readdirSync("/proc").flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []));
    this.#unseen = pids.sort((a, b) => a - b).slice(-MOST_BEFOREHAND);
  }

  /** Looks at some of the processes that were there before, the youngest first, for so many milliseconds. */
  lookAround(limit: number): void {
    const end = monotonicMs() + limit;
    while (this.#unseen.length > 0 && monotonicMs() < end) {
      const pid = this.#unseen.pop()!;
      if (!this.#known.has(pid)) this.#meet(pid);
    }
  }

  get watching(): boolean {
    return this.#events !== undefined;
  }

  /** Takes what has happened since. */
  catchUp(): void {
    this.#events?.drain((event) => this.#happened(event));
  }

  /** The process, looked at now unless it is known. */
  get(pid: number): ProcessSymbols {
    return this.#known.get(pid) ?? this.#meet(pid);
  }

  has(pid: number): boolean {
    return this.#known.has(pid);
  }

  #meet(pid: number): ProcessSymbols {
    const process = new ProcessSymbols(pid, this.#roots);
    process.refresh();
    this.#add(process);
    return process;
  }

  #add(process: ProcessSymbols): void {
    this.#known.delete(process.pid);
    this.#known.set(process.pid, process);
    if (this.#known.size <= MOST) return;
    for (const [pid, { ended }] of this.#known) {
      if (!ended) continue;
      this.#known.delete(pid);
      return;
    }
    for (const oldest of this.#known.keys()) {
      this.#known.delete(oldest);
      return;
    }
  }

  #happened(event: TaskEvent): void {
    switch (event.kind) {
      case "fork":
        this.#add(this.get(event.parent).fork(event.pid));
        return;
      case "exec": {
        let process = this.#known.get(event.pid);
        if (!process) {
          process = new ProcessSymbols(event.pid, this.#roots);
          this.#add(process);
        }
        process.executed();
        return;
      }
      case "map": {
        const { address, length, fileOffset, path } = event;
        this.#known.get(event.pid)?.mapped({
          start: address,
          end: address + length,
          fileOffset,
          path,
          seen: Date.now(),
        });
        return;
      }
      case "exit": {
        const process = event.pid === event.thread ? this.#known.get(event.pid) : undefined;
        if (process) process.ended = true;
      }
    }
  }

  [Symbol.dispose](): void {
    this.#events?.[Symbol.dispose]();
    this.#events = undefined;
    this.#roots[Symbol.dispose]();
  }
}
