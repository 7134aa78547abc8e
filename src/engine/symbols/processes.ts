/**
 * The processes whose addresses are asked for. Perf tells of every process that starts while a script runs, and of what it
 * maps, so that it has names even when it ended long before its stack is shown; of those that ran before, /proc is read, bit by
 * bit.
 */
import { readdirSync } from "node:fs";
import { type TaskEvent, TaskEvents } from "libbpf-ts";
import { monotonicMs } from "../clock.ts";
import type { Mount } from "../kernel/mounts.ts";
import { isAlive } from "../kernel/processes.ts";
import type { FileSymbols } from "./files.ts";
import { ProcessSymbols } from "./process.ts";
import { symbolsOfPath } from "./reading.ts";
import { Roots } from "./roots.ts";

const MOST = 4096;
/** Where there is no room and none is known to have ended, so many are asked whether they have. */
const FEW = 4;
/** So many of the processes that run already are looked at beforehand. */
const MOST_BEFOREHAND = 1024;
/** Milliseconds between listings of all processes, where events are lost again and again. */
const LIST_EVERY = 1000;

export class Processes implements Disposable {
  #known = new Map<number, ProcessSymbols>();
  /** Those that have ended, in that order; others may be among them. */
  #ended = new Set<number>();
  #roots: Roots;
  #events: TaskEvents | undefined;
  #unseen: number[] = [];
  #listed = Number.NEGATIVE_INFINITY;

  /** `silent`: told of the mounts whose servers do not answer when their files are to be read. */
  constructor(silent: (mount: Mount) => void = () => {}) {
    this.#roots = new Roots(silent);
  }

  /** Follows what starts from now on, where the kernel lets us, and lists what is there. */
  watch(): void {
    try {
      this.#events ??= new TaskEvents();
    } catch {
      // Not permitted: processes are known from /proc, as long as they live.
    }
    this.#list();
  }

  #list(): void {
    this.#listed = monotonicMs();
    const pids = readdirSync("/proc").flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []));
    this.#unseen = pids.sort((a, b) => a - b).slice(-MOST_BEFOREHAND);
  }

  /** Looks at some of the processes whose start was not told of, the youngest first, for so many milliseconds. */
  lookAround(limit: number): void {
    const end = monotonicMs() + limit;
    while (this.#unseen.length > 0 && monotonicMs() < end) {
      const pid = this.#unseen.pop()!;
      const process = this.#known.get(pid);
      if (process) process.settle();
      else this.#meet(pid);
    }
  }

  get watching(): boolean {
    return this.#events !== undefined;
  }

  /** Events that the kernel had no room for. */
  get lost(): number {
    return this.#events?.lost ?? 0;
  }

  /** Takes what has happened since. Where that is not all, every process is looked at again before it is asked. */
  catchUp(): void {
    const lost = this.lost;
    this.#events?.drain((event) => this.#happened(event));
    if (this.lost === lost) return;
    for (const process of this.#known.values()) process.doubt();
    if (monotonicMs() - this.#listed > LIST_EVERY) this.#list();
  }

  /** The process, looked at now unless it is known. */
  get(pid: number): ProcessSymbols {
    const process = this.#known.get(pid);
    if (!process) return this.#meet(pid);
    // Nobody tells what becomes of it.
    if (!this.watching) process.refreshIfOld();
    return process;
  }

  /** Symbols of a file by its path from here, which may lead through another process's root. */
  symbolsAt(path: string): FileSymbols | undefined {
    const [, pid, within] = /^\/proc\/(\d+)\/root(\/.*)$/s.exec(path) ?? [];
    const root = pid === undefined ? this.#roots.own : this.#roots.of(Number(pid));
    return root && symbolsOfPath(root, within ?? path);
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

  /** As it is now, or else as its parent is, which may be another program by now. */
  #childOfUnknown({ pid, parent }: { pid: number; parent: number }): ProcessSymbols {
    const child = new ProcessSymbols(pid, this.#roots);
    child.refresh();
    // Also for its next children: asking /proc for each would take more than they do.
    const met = this.#meet(parent);
    return child.known ? child : met.fork(pid);
  }

  #add(process: ProcessSymbols): void {
    this.#remove(process.pid);
    this.#known.set(process.pid, process);
    if (this.#known.size > MOST) this.#remove(this.#leastWorth());
  }

  /** The one that ended first; or else, of the few that were asked least lately, one that ended unnoticed, or the first. */
  #leastWorth(): number {
    for (const pid of this.#ended) {
      if (this.#known.get(pid)?.ended) return pid;
      this.#ended.delete(pid);
    }
    let first: number | undefined;
    for (let i = 0; i < FEW; i++) {
      const [[pid, process]] = this.#known;
      if (!isAlive(pid)) return pid;
      first ??= pid;
      // It is not asked again before all others.
      this.#known.delete(pid);
      this.#known.set(pid, process);
    }
    return first!;
  }

  #remove(pid: number): void {
    this.#known.get(pid)?.forget();
    this.#known.delete(pid);
    this.#ended.delete(pid);
  }

  #happened(event: TaskEvent): void {
    switch (event.kind) {
      case "fork":
        this.#add(this.#known.get(event.parent)?.fork(event.pid) ?? this.#childOfUnknown(event));
        return;
      case "thread":
        this.#known.get(event.pid)?.threadStarted();
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
        const { address, length, fileOffset, device, path } = event;
        this.#known.get(event.pid)?.mapped({
          start: address,
          end: address + length,
          fileOffset,
          device,
          path,
          seen: Date.now(),
        });
        return;
      }
      case "exit": {
        const process = this.#known.get(event.pid);
        process?.threadEnded(event.thread);
        if (process?.ended) this.#ended.add(event.pid);
      }
    }
  }

  [Symbol.dispose](): void {
    this.#events?.[Symbol.dispose]();
    this.#events = undefined;
    for (const process of this.#known.values()) process.forget();
    this.#roots[Symbol.dispose]();
  }
}
