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

  set startTime(bootNanoseconds: bigint) {
    this.#view.setBigUint64(this.#plan.globals.startTime, bootNanoseconds, true);
  }

  set childPid(pid: number) {
    this.#view.setUint32(this.#plan.globals.cpid, pid, true);
  }

  /** Everything counted by the programs themselves; `missed` is the kernel's to tell. */
  losses(): Omit<Losses, "missed"> {
    const { eventsLost, mapFull, stacksLost, stringsTruncated } = this.#plan.globals;
    const counter = (offset: number) => Number(this.#view.getBigUint64(offset, true));
    const mapsFull = this.#plan.maps.flatMap((map, i) => {
      const count = map.role === "script" ? counter(mapFull + i * 8) : 0;
      return count > 0 ? [{ map: map.name, count }] : [];
    });
    return {
      eventsLost: counter(eventsLost),
      mapsFull,
      stacksLost: counter(stacksLost),
      stringsTruncated: counter(stringsTruncated),
    };
  }
}
