/**
 * The cost guard. It looks a tenth of a second after everything is attached, so that a probe on something that fires
 * millions of times a second is found before it hurts, and a few times more within the first second; with a limit it goes
 * on looking for as long as the script runs. Measuring adds some 70 ns to every hit.
 *
 * Where the machine is so busy that this process does not get to run, the programs of a script that was started with a limit
 * keep to a budget themselves (compile/lower/budget.ts): twice the share over half a second, beyond which they switch the
 * script off. Those of a script that gets its limit later know no budget: the looks alone hold it.
 *
 * A share is one of all online CPUs' time: 5 % on a machine of 8 CPUs is 0.4 CPUs.
 */
import { type BpfProgram, onlineCpus } from "libbpf-ts";
import { BUDGET_WINDOW, type Plan } from "../compile/plan.ts";
import type { Cost } from "../protocol.ts";
import { CostMeter, type CostReading } from "./cost.ts";
import type { Globals } from "./globals.ts";

/** Milliseconds until the first look, between looks, and over which a script may spend its share as it likes. */
const FIRST_LOOK = 100;
const EVERY = 200;
const WINDOW = 1000;

/**
 * What is worth a warning where no limit is set: percent of all CPUs' time, hits per second, and percent of one CPU spent in
 * traps, which few threads pay: one that is trapped for a fifth of a second in each can't do its work at the pace it had.
 */
const WARN_SHARE = 10;
const WARN_HITS = 1_000_000;
const WARN_TRAPS = 20;

/** How much more than its share the programs let a script take before they act on their own. */
const BUDGET_SLACK = 2;
/** More than any machine has. */
const UNLIMITED = 1e6;
/** Above so many hits a second the programs measure one run in so many. */
const SAMPLING = [
  { above: 1_000_000, oneIn: 64 },
  { above: 100_000, oneIn: 16 },
  { above: 0, oneIn: 1 },
];

export interface Overhead {
  /** Percent of all online CPUs' time. */
  share: number;
  cpus: number;
  /** What was allowed; undefined where nothing was said. */
  limit: number | undefined;
  cost: Cost;
  /** The programs noticed before the engine did; `cost` spans the time until then. */
  byPrograms: boolean;
}

export interface GuardEvents {
  /** The script was found costly in its first second, and there is no limit. */
  costly(overhead: Overhead): void;
  /** There is a limit, and the kernel does not measure: only the programs' own budget holds, where they have one. */
  blind(reason: string, hasBudget: boolean): void;
  /** The script spends more than its limit. */
  exceeded(overhead: Overhead): void;
  /** Looking at the cost failed. */
  failed(error: unknown): void;
}

export class CostGuard implements Disposable {
  readonly #plan: Plan;
  readonly #programs: readonly (BpfProgram | undefined)[];
  readonly #globals: Globals;
  readonly #events: GuardEvents;
  #meter: CostMeter | undefined;
  #readings: CostReading[] = [];
  readonly #warnAbove: number;
  #limit: number | undefined;
  #began = 0;
  #timer: NodeJS.Timeout | undefined;
  #warned = false;

  /** `limit` in percent of all CPUs' time. */
  constructor(
    plan: Plan,
    programs: readonly (BpfProgram | undefined)[],
    globals: Globals,
    { limit, warnAbove = WARN_SHARE }: { limit?: number; warnAbove?: number },
    events: GuardEvents,
  ) {
    this.#plan = plan;
    this.#programs = programs;
    this.#globals = globals;
    this.#events = events;
    this.#warnAbove = warnAbove;
    this.#setLimit(limit);
    this.#watch();
  }

  #setLimit(limit: number | undefined): void {
    this.#limit = limit;
    const share = limit === undefined ? UNLIMITED : (limit / 100) * BUDGET_SLACK;
    this.#globals.budget = share * onlineCpus().length * BUDGET_WINDOW;
  }

  /** Another limit, or none, from now on. */
  set limit(limit: number | undefined) {
    this.#setLimit(limit);
    if (limit === undefined) return;
    if (this.#meter) this.#tellIfBlind();
    else this.#watch();
  }

  #tellIfBlind(): void {
    const problem = this.#meter?.problem;
    if (problem === undefined || this.#limit === undefined) return;
    this.#events.blind(problem, this.#plan.globals.guard !== undefined);
  }

  #watch(): void {
    this.#meter = new CostMeter(this.#plan, this.#programs);
    this.#tellIfBlind();
    this.#readings = [this.#meter.read()];
    this.#began = this.#readings[0].time;
    this.#lookIn(FIRST_LOOK);
  }

  #lookIn(milliseconds: number): void {
    this.#timer = setTimeout(() => {
      try {
        this.#look();
      } catch (error) {
        this.#events.failed(error);
      }
    }, milliseconds);
  }

  #look(): void {
    if (!this.#meter) return;
    const overhead = this.#measure(this.#meter);
    const { share, cost, byPrograms } = overhead;
    this.#globals.measuredOneIn = SAMPLING.find(({ above }) => cost.eventsPerSecond >= above)!.oneIn;
    if (this.#limit !== undefined) {
      if (byPrograms || share > this.#limit) this.#events.exceeded(overhead);
      else this.#lookIn(EVERY);
      return;
    }
    const costly =
      share >= this.#warnAbove || cost.eventsPerSecond >= WARN_HITS || trapPercent(cost) >= WARN_TRAPS;
    if (costly && !this.#warned) this.#events.costly(overhead);
    this.#warned ||= costly;
    if (this.#warned || this.#readings.at(-1)!.time - this.#began >= WINDOW) this[Symbol.dispose]();
    else this.#lookIn(EVERY);
  }

  /** What the script cost over the last window, or until its programs switched it off. */
  #measure(meter: CostMeter): Overhead {
    const now = meter.read();
    while (this.#readings.length > 1 && now.time - this.#readings[1].time >= WINDOW) this.#readings.shift();
    const cost = meter.between(this.#readings[0], now);
    this.#readings.push(now);
    const cpus = onlineCpus().length;
    const noticed = this.#globals.overBudget;
    const share = noticed ? (100 * noticed.spent) / noticed.elapsed / cpus : cost.cpuPercent / cpus;
    return { share, cpus, limit: this.#limit, cost, byPrograms: noticed !== undefined };
  }

  /** What the script cost, where its programs switched it off and no look has told yet. */
  switchedOff(): Overhead | undefined {
    return this.#meter && this.#globals.overBudget ? this.#measure(this.#meter) : undefined;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#meter?.[Symbol.dispose]();
    this.#meter = undefined;
  }
}

/** Percent of one CPU. */
const trapPercent = ({ probes }: Cost): number =>
  probes
    .filter(({ trapNs }) => trapNs > 0)
    .reduce((sum, { nsPerEvent, trapNs, cpuPercent }) => sum + (cpuPercent * trapNs) / nsPerEvent, 0);

const digits = (value: number): string => (value < 10 ? value.toFixed(1) : Math.round(value).toString());

function rate(perSecond: number): string {
  if (perSecond >= 1e6) return `${digits(perSecond / 1e6)} million`;
  return perSecond >= 1e4 ? `${Math.round(perSecond / 1000)} thousand` : String(Math.round(perSecond));
}

/** "24% of this machine's CPU time (0.48 of 2 CPUs)" */
function shareText({ share, cpus }: Overhead): string {
  const used = ((share / 100) * cpus).toFixed(2);
  return `${digits(share)}% of this machine's CPU time (${used} of ${cpus} CPU${cpus === 1 ? "" : "s"})`;
}

/** "; most of it uprobe:…, 0.2 million hits a second at 1050 ns, of which 1000 to trap into the kernel" */
function worstText({ cost, byPrograms }: Overhead): string {
  const worst = cost.probes.toSorted((a, b) => b.cpuPercent - a.cpuPercent)[0];
  if (!worst) return "";
  if (byPrograms) return `; most of it ${worst.name}`;
  const hits = (worst.events / Math.max(1, cost.events)) * cost.eventsPerSecond;
  const trap = worst.trapNs > 0 ? `, of which ${worst.trapNs} to trap into the kernel` : "";
  return `; most of it ${worst.name}, ${rate(hits)} hits a second at ${Math.round(worst.nsPerEvent)} ns${trap}`;
}

/** What is said when the guard stopped a script: what it took, and after a semicolon where. */
export const stoppedText = (overhead: Overhead): string =>
  `stopped: the script took ${shareText(overhead)}, and may take ${overhead.limit}%${worstText(overhead)}`;

/** What is said where the kernel does not measure. */
export const blindText = (reason: string, hasBudget: boolean): string =>
  `what the script costs can't be read (${reason}): it is ${
    hasBudget ? "stopped at twice its share only" : "not stopped, having been started without a limit"
  }`;

/** What is said about a costly script that goes on. */
export const costlyText = (overhead: Overhead): string =>
  `the script takes ${shareText(overhead)}${worstText(overhead)}`;
