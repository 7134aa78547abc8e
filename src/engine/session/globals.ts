/** The words that programs and engine share: the switch, and the counters of what was lost. */
import type { BpfMap } from "libbpf-ts";
import type { Plan } from "../compile/plan.ts";
import type { Losses } from "../protocol.ts";

export class Globals {
  #view: DataView;
  #plan: Plan;

  constructor(plan: Plan, map: BpfMap) {
    this.#plan = plan;
    this.#view = new DataView(map.mmapArray());
  }

  /** Programs return at once while it is off. */
  set enabled(on: boolean) {
    this.#view.setUint32(this.#plan.globals.enabled, on ? 1 : 0, true);
  }

  /** What the programs may take of all CPUs in a window, in nanoseconds; only in guarded scripts. */
  set budget(nanoseconds: number) {
    const { guard } = this.#plan.globals;
    if (guard) this.#view.setBigUint64(guard.limit, BigInt(Math.round(nanoseconds)), true);
  }

  /** One run in so many, a power of two, is measured by the programs themselves. */
  set measuredOneIn(runs: number) {
    const { guard } = this.#plan.globals;
    if (guard) this.#view.setBigUint64(guard.mask, BigInt(runs - 1), true);
  }

  /** What the programs had taken when they switched themselves off, and in what time; undefined while they have not. */
  get overBudget(): { spent: number; elapsed: number } | undefined {
    const { guard } = this.#plan.globals;
    if (!guard) return undefined;
    const word = (offset: number) => Number(this.#view.getBigUint64(offset, true));
    const tripped = word(guard.tripped);
    return tripped > 0 ? { spent: word(guard.spent), elapsed: tripped - word(guard.start) } : undefined;
  }

  set startTime(bootNanoseconds: bigint) {
    this.#view.setBigUint64(this.#plan.globals.startTime, bootNanoseconds, true);
  }

  set taiOffset(nanoseconds: bigint) {
    this.#view.setBigInt64(this.#plan.globals.taiOffset, nanoseconds, true);
  }

  set childPid(pid: number) {
    this.#view.setUint32(this.#plan.globals.cpid, pid, true);
  }

  /** Stacks kept since the start, those forgotten meanwhile included. */
  get stacksKept(): number {
    return Number(this.#view.getBigUint64(this.#plan.globals.stacksKept, true));
  }

  /** The last process whose stack dw_ustack() had no table for; undefined: there was none. */
  get lackingTables(): number | undefined {
    const { lacking, pid } = this.#plan.globals.unwind;
    return this.#view.getBigUint64(lacking, true) > 0n ? this.#view.getUint32(pid, true) : undefined;
  }

  /** Everything counted by the programs themselves; the others are the kernel's to tell. */
  losses(): Omit<Losses, "missed" | "processEventsLost"> {
    const { eventsLost, mapFull, packetsLost, stacksLost, stringsTruncated } = this.#plan.globals;
    const counter = (offset: number) => Number(this.#view.getBigUint64(offset, true));
    const mapsFull = this.#plan.maps.flatMap((map, i) => {
      const count = map.role === "script" ? counter(mapFull + i * 8) : 0;
      return count > 0 ? [{ map: map.name, count }] : [];
    });
    return {
      eventsLost: counter(eventsLost),
      mapsFull,
      stacksLost: counter(stacksLost),
      packetsLost: counter(packetsLost),
      stringsTruncated: counter(stringsTruncated),
    };
  }
}
