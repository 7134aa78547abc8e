/**
 * Which container, or else which unit, a process or a cgroup belongs to. Asked for the rows that a screen shows and for
 * processes that are new, never in the hot path; what was found out is remembered when the process is gone.
 */
import { TaskEvents } from "libbpf-ts";
import { monotonicMs } from "../clock.ts";
import type { Identity } from "../compile/types.ts";
import { ownPidNamespace } from "../kernel/processes.ts";
import type { ContainerInfo } from "../protocol.ts";
import { Cgroups } from "./cgroups.ts";
import { readSmallFile } from "./files.ts";
import { type CgroupOwner, cgroupPaths, ownerOf, ownerOfProcess } from "./forms.ts";
import { type ContainerName, containerdTask, containerName } from "./names.ts";

/** A process may be moved, and its pid be given to another: it is looked at again after so many milliseconds. */
const LOOK_AGAIN = 5000;
/** A name that was not there may come: the runtime writes it while the container starts. */
const NAME_AGAIN = 10_000;
const MOST_PROCESSES = 20_000;
const MOST_NAMES = 5000;
const LARGEST_STAT = 4096;
const LARGEST_CGROUP_FILE = 64 << 10;
const SHORT_ID = 12;

/** Whoever gets the number of a known process is noticed, where forks are followed, after so many milliseconds. */
const CATCH_UP = 20;

interface Known {
  owner: CgroupOwner | undefined;
  /** When it was looked at. */
  time: number;
  start?: string;
}

function remember<K, V>(map: Map<K, V>, key: K, value: V, most: number): void {
  map.delete(key);
  map.set(key, value);
  if (map.size > most) map.delete(map.keys().next().value as K);
}

export interface ContainerPlaces {
  /** Where processes are: "/proc/". */
  proc?: string;
  /** The machine's files, for the runtimes' state: "/". */
  root?: string;
}

function inInitialNamespace(proc: string): boolean {
  try {
    return ownPidNamespace(proc) === undefined;
  } catch {
    return false;
  }
}

export class Containers {
  readonly #proc: string;
  readonly #root: string;
  readonly #cgroups = new Cgroups();
  #initial: boolean | undefined;
  #forks: TaskEvents | undefined;
  #followers = 0;
  /** Since when no fork can have gone unnoticed. */
  #allForksSince = Number.POSITIVE_INFINITY;
  #forksLost = 0;
  #caughtUp = 0;
  #processes = new Map<number, Known>();
  #names = new Map<string, { name: ContainerName | undefined; time: number }>();

  constructor({ proc = "/proc/", root = "/" }: ContainerPlaces = {}) {
    this.#proc = proc;
    this.#root = root;
  }

  /**
   * From now on, until disposed of, processes that end before anybody looks at them are known as their parents' children.
   * Without permission for perf events they are not.
   */
  follow(): Disposable {
    this.#followers++;
    try {
      if (!this.#forks) {
        this.#forks = new TaskEvents("forks");
        this.#allForksSince = monotonicMs();
        this.#forksLost = 0;
      }
    } catch {
      // Processes are known by /proc, as long as they live.
    }
    let following = true;
    return {
      [Symbol.dispose]: () => {
        if (!following) return;
        following = false;
        this.#followers--;
        if (this.#followers > 0) return;
        this.#catchUp();
        this.#forks?.[Symbol.dispose]();
        this.#forks = undefined;
        this.#allForksSince = Number.POSITIVE_INFINITY;
      },
    };
  }

  #catchUp(): void {
    if (!this.#forks) return;
    this.#caughtUp = monotonicMs();
    this.#forks.drain((event) => {
      if (event.kind === "thread") this.#processes.delete(event.thread);
      if (event.kind !== "fork") return;
      const owner = this.#ownerNow(event.parent);
      remember(this.#processes, event.pid, { owner, time: Number.NEGATIVE_INFINITY }, MOST_PROCESSES);
    });
    if (this.#forks.lost === this.#forksLost) return;
    this.#forksLost = this.#forks.lost;
    this.#allForksSince = monotonicMs();
  }

  /** Of what a number stands for; undefined also where the number can't be told from others. */
  of(identity: Identity, value: number | bigint): ContainerInfo | undefined {
    if (identity === "cgroup") return this.ofCgroup(BigInt(value));
    return this.#numbersAlike(identity) ? this.ofProcess(Number(value)) : undefined;
  }

  /** The same from what is known already: nothing is read. */
  known(identity: Identity, value: number | bigint): ContainerInfo | undefined {
    if (identity === "cgroup") return this.ofCgroup(BigInt(value));
    const owner = this.#processes.get(Number(value))?.owner;
    return owner && this.#numbersAlike(identity) ? this.#info(owner) : undefined;
  }

  /** Looks at processes that are not known yet, at most `most` of them, while they live. */
  notice(identity: Identity, values: Iterable<number>, most: number): void {
    if (identity === "cgroup" || !this.#numbersAlike(identity)) return;
    this.#catchUp();
    let left = most;
    for (const pid of values) {
      if (left <= 0) return;
      if (this.#processes.has(pid)) continue;
      this.ofProcess(pid);
      left--;
    }
  }

  /** Whether /proc numbers processes as the value does. */
  #numbersAlike(identity: Identity): boolean {
    if (identity === "process") return true;
    this.#initial ??= inInitialNamespace(this.#proc);
    return this.#initial;
  }

  /** Of a process or a thread, by its id as /proc has it. */
  ofProcess(pid: number): ContainerInfo | undefined {
    if (!this.#processes.has(pid) || monotonicMs() - this.#caughtUp > CATCH_UP) this.#catchUp();
    const known = this.#processes.get(pid);
    // A file of /proc for each row of each table would be most of what a snapshot costs.
    const mayBeAnother = known?.start !== undefined && known.time <= this.#allForksSince;
    if (mayBeAnother && this.#startOf(pid, known.start) !== known.start) this.#processes.delete(pid);
    const owner = this.#ownerNow(pid);
    return owner && this.#info(owner);
  }

  /** When a process started, which tells it from another that gets its number; `ended`: for one that is gone. */
  #startOf(pid: number, ended?: string): string | undefined {
    const stat = readSmallFile(`${this.#proc}${pid}/stat`, LARGEST_STAT);
    // The name before it may hold spaces and brackets.
    return stat?.slice(stat.lastIndexOf(")")).split(" ")[20] ?? ended;
  }

  #ownerNow(pid: number): CgroupOwner | undefined {
    const now = monotonicMs();
    let known = this.#processes.get(pid);
    if (!known || now - known.time > LOOK_AGAIN) {
      const text = readSmallFile(`${this.#proc}${pid}/cgroup`, LARGEST_CGROUP_FILE);
      // One that has ended keeps what it had.
      known = text
        ? { owner: this.#ownerOfText(text), time: now, start: this.#startOf(pid) }
        : { owner: known?.owner, time: now, start: known?.start };
      remember(this.#processes, pid, known, MOST_PROCESSES);
    }
    return known.owner;
  }

  /** Of a cgroup of version 2, by its id. */
  ofCgroup(id: bigint): ContainerInfo | undefined {
    const path = this.#cgroups.unifiedPath(id);
    const owner = path === undefined ? undefined : (ownerOf(path) ?? this.#task(path));
    return owner && this.#info(owner);
  }

  #ownerOfText(text: string): CgroupOwner | undefined {
    return ownerOfProcess(text) ?? this.#task(cgroupPaths(text).find((path) => path !== "/") ?? "/");
  }

  #task(path: string): CgroupOwner | undefined {
    return containerdTask(path, { root: this.#root });
  }

  #info(owner: CgroupOwner): ContainerInfo {
    const { kind, runtime, id, pod } = owner;
    const found = kind === "container" ? this.#name(owner) : undefined;
    const short = /^[0-9a-f]{64}$/.test(id) ? id.slice(0, SHORT_ID) : id;
    return {
      kind,
      runtime: (runtime === "unknown" ? found?.runtime : undefined) ?? runtime,
      id,
      name: found?.name ?? short,
      ...(pod && { pod }),
    };
  }

  #name(owner: CgroupOwner): ContainerName | undefined {
    const now = monotonicMs();
    const known = this.#names.get(owner.id);
    if (known && (known.name !== undefined || now - known.time < NAME_AGAIN)) return known.name;
    const name = containerName(owner, { root: this.#root });
    remember(this.#names, owner.id, { name, time: now }, MOST_NAMES);
    return name;
  }
}
