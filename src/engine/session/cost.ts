/**
 * What tracing costs: run time and runs that the kernel counts per program while its statistics are on (5.8), and the traps
 * that lead to some of them, which it does not.
 */
import { type BpfProgram, enableStats, onlineCpus } from "libbpf-ts";
import type { Attached } from "../attach/index.ts";
import { monotonicMs } from "../clock.ts";
import type { Plan } from "../compile/plan.ts";
import type { Cost } from "../protocol.ts";
import { trapsOfPrograms, trapTime } from "./trapCost.ts";

/** The kernel's counters of every program at one moment. */
export interface CostReading {
  /** Milliseconds of the monotonic clock. */
  time: number;
  runTime: bigint[];
  runs: bigint[];
}

export class CostMeter implements Disposable {
  #statistics: Disposable | undefined;
  #programs: readonly (BpfProgram | undefined)[];
  #names: string[];
  /** Of every hit of each program. */
  #traps: number[];
  /** Percent. A trap is taken to last as long as it did when it was measured; together they take no more time than there is. */
  #most = 100 * onlineCpus().length;
  #last: CostReading;
  #stopped: CostReading | undefined;
  /** Why the kernel does not measure: before 5.8, or not permitted. Costs read as zero then. */
  readonly problem: string | undefined;
  #events = 0;

  /** `programs` by the plan's indexes; those that are not loaded cost nothing. */
  constructor(plan: Plan, programs: readonly (BpfProgram | undefined)[]) {
    this.#programs = programs;
    this.#names = programs.map((_, i) => programName(plan, i));
    this.#traps = trapsOfPrograms(plan);
    try {
      this.#statistics = enableStats();
    } catch (error) {
      this.problem = (error as Error).message;
    }
    this.#last = this.read();
  }

  /** What runs from now on is no cost of the script: programs that are switched off and not yet detached. */
  stop(): void {
    this.#stopped ??= this.read();
  }

  read(): CostReading {
    if (this.#stopped) return this.#stopped;
    const infos = this.#programs.map((program) => program?.info());
    return {
      time: monotonicMs(),
      runTime: infos.map((info) => info?.runTimeNs ?? 0n),
      runs: infos.map((info) => info?.runCnt ?? 0n),
    };
  }

  /** Cost since the last call. */
  measure(): Cost {
    const now = this.read();
    const cost = this.between(this.#last, now);
    this.#last = now;
    const events = cost.probes.reduce((sum, probe) => sum + probe.events, 0);
    this.#events += events;
    return { ...cost, events: this.#events };
  }

  /** Cost from one reading to a later one. */
  between(from: CostReading, to: CostReading): Cost {
    const milliseconds = Math.max(1, to.time - from.time);
    const probes = this.#names.map((name, i) => {
      const events = Number(to.runs[i] - from.runs[i]);
      const traps = this.#traps[i];
      const trapNs = traps > 0 ? traps * trapTime((traps * events * 1000) / milliseconds) : 0;
      const spent = Number(to.runTime[i] - from.runTime[i]) + events * trapNs;
      return {
        name,
        events,
        nsPerEvent: events > 0 ? spent / events : 0,
        trapNs,
        cpuPercent: Math.min(this.#most, spent / 1e4 / milliseconds),
      };
    });
    const events = probes.reduce((sum, probe) => sum + probe.events, 0);
    return {
      cpuPercent: Math.min(
        this.#most,
        probes.reduce((sum, probe) => sum + probe.cpuPercent, 0),
      ),
      eventsPerSecond: (events * 1000) / milliseconds,
      events,
      probes: probes.filter((probe) => probe.events > 0),
    };
  }

  [Symbol.dispose](): void {
    this.#statistics?.[Symbol.dispose]();
    this.#statistics = undefined;
  }
}

/** A probe's name for people: of a long path only the file's name. */
export function shortProbeName(name: string): string {
  return name.replace(/:\/[^:]{16,}\/(?=[^/:]+)/, ":…/");
}

/** What a program serves: its probe, or the first one and how many there are. */
function programName(plan: Plan, program: number): string {
  const served = plan.probes.filter((probe) => probe.program === program);
  if (served.length === 0) return plan.programs[program].name;
  const name = shortProbeName(served[0].name);
  return served.length === 1 ? name : `${name} (+${served.length - 1})`;
}

/** Hits that the kernel itself left out: re-entered programs and links that say so. */
export function missedHits(
  programs: readonly (BpfProgram | undefined)[],
  links: readonly Attached[],
): number {
  let missed = 0n;
  for (const program of programs) missed += program?.info().recursionMisses ?? 0n;
  for (const { link } of links) missed += link.info()?.missed ?? 0n;
  return Number(missed);
}
