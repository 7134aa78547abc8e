/**
 * Linear-scan register allocation.
 *
 *   r0, r5    scratch: helper results, spilled values and wide constants pass through them
 *   r1 – r4   values that no helper call outlives
 *   r6 – r9   values that live across a call, and whatever r1 – r4 had no room for
 *
 * A value without a register lives in an 8-byte stack word; the selector reads and writes it through the scratch
 * registers, so allocation never has to be repeated.
 */
import type { Func, Inst, Reg } from "../../ir/types.ts";
import { liveness, reads, target } from "../../ir/walk.ts";

export type Location = { kind: "reg"; reg: number } | { kind: "spill"; index: number };

export interface Allocation {
  /** By virtual register; undefined: never alive. */
  locations: (Location | undefined)[];
  /** Stack words for spilled values. */
  spills: number;
}

interface Interval {
  vreg: Reg;
  start: number;
  end: number;
  /** Uses and definitions, weighted by nothing: the fewer, the better to spill. */
  uses: number;
  crossesCall: boolean;
  /** Preferred machine registers, best first. */
  hints: number[];
  /** Virtual registers whose place would save a move. */
  friends: Reg[];
}

const CALLER_SAVED = [1, 2, 3, 4];
const CALLEE_SAVED = [6, 7, 8, 9];

/** Positions: instruction i reads at 2i and writes at 2i + 1. */
function buildIntervals(func: Func): Interval[] {
  const live = liveness(func);
  const intervals = new Map<Reg, Interval>();
  const calls: number[] = [];
  const touch = (vreg: Reg, position: number, use = true): Interval => {
    let interval = intervals.get(vreg);
    if (!interval) {
      interval = {
        vreg,
        start: position,
        end: position,
        uses: 0,
        crossesCall: false,
        hints: [],
        friends: [],
      };
      intervals.set(vreg, interval);
    }
    interval.start = Math.min(interval.start, position);
    interval.end = Math.max(interval.end, position);
    if (use) interval.uses++;
    return interval;
  };
  func.parameters.forEach((parameter, i) => {
    touch(parameter, -1).hints.push(i + 1);
  });
  let position = 0;
  const visit = (inst: Inst) => {
    for (const r of reads(inst)) touch(r, position);
    const dst = target(inst);
    if (dst !== undefined) touch(dst, position + 1);
    if (inst.op === "call") {
      calls.push(position);
      inst.args.forEach((arg, i) => {
        if (arg.kind === "reg" && i < 4) intervals.get(arg.reg)!.hints.push(i + 1);
      });
    }
    if (dst === undefined) return;
    const source =
      inst.op === "alu" ? inst.left : inst.op === "move" || inst.op === "extend" ? inst.value : undefined;
    if (source?.kind === "reg" && source.reg !== dst) {
      intervals.get(dst)!.friends.push(source.reg);
      intervals.get(source.reg)!.friends.push(dst);
    }
  };
  for (const block of func.blocks) {
    const first = position;
    for (const inst of block.code) {
      visit(inst);
      position += 2;
    }
    for (const r of reads(block.end)) touch(r, position);
    for (const r of live.into.get(block.id)!) touch(r, first - 1, false);
    for (const r of live.out.get(block.id)!) touch(r, position + 1, false);
    position += 2;
  }
  for (const interval of intervals.values()) {
    interval.crossesCall = calls.some((call) => interval.start < call && interval.end > call);
  }
  return [...intervals.values()].sort((a, b) => a.start - b.start || a.end - b.end);
}

export function allocate(func: Func): Allocation {
  const locations: (Location | undefined)[] = new Array(func.registers);
  const active: { interval: Interval; reg: number }[] = [];
  const spillEnds: number[] = [];

  const spill = (interval: Interval) => {
    let index = spillEnds.findIndex((end) => end < interval.start);
    if (index < 0) index = spillEnds.push(interval.end) - 1;
    else spillEnds[index] = interval.end;
    locations[interval.vreg] = { kind: "spill", index };
  };
  const weight = (interval: Interval) => interval.uses / (interval.end - interval.start + 2);

  for (const interval of buildIntervals(func)) {
    for (let i = active.length - 1; i >= 0; i--) {
      if (active[i].interval.end < interval.start) active.splice(i, 1);
    }
    const allowed = interval.crossesCall ? CALLEE_SAVED : [...CALLER_SAVED, ...CALLEE_SAVED];
    const taken = new Set(active.map((a) => a.reg));
    const free = allowed.filter((r) => !taken.has(r));
    const wanted = [
      ...interval.friends.map((f) => (locations[f]?.kind === "reg" ? locations[f].reg : -1)),
      ...interval.hints,
    ];
    const chosen = wanted.find((r) => free.includes(r)) ?? free[0];
    if (chosen !== undefined) {
      locations[interval.vreg] = { kind: "reg", reg: chosen };
      active.push({ interval, reg: chosen });
      continue;
    }
    // The least used for its length goes to the stack: this one, or one that holds a register this one may have.
    const victims = active.filter((a) => allowed.includes(a.reg));
    const victim = victims.reduce((least, a) => (weight(a.interval) < weight(least.interval) ? a : least));
    if (weight(victim.interval) < weight(interval)) {
      spillWhole(victim.interval);
      active.splice(active.indexOf(victim), 1);
      locations[interval.vreg] = { kind: "reg", reg: victim.reg };
      active.push({ interval, reg: victim.reg });
    } else {
      spill(interval);
    }
  }
  return { locations, spills: spillEnds.length };

  /** An interval that had a register so far: its word must be free from its own start. */
  function spillWhole(interval: Interval): void {
    const index = spillEnds.push(interval.end) - 1;
    locations[interval.vreg] = { kind: "spill", index };
  }
}
