/** Probes → links. What can be attached, by `ProbePlan.via`; begin, end and signals are run by the session itself. */
import { type BpfProgram, UnsupportedError } from "libbpf-ts";
import type { Plan, ProbePlan } from "../compile/plan.ts";
import { AttachError, type Attached, type Attacher, isRefusal } from "./attached.ts";
import { iter } from "./iter.ts";
import { kprobe, kprobeMulti } from "./kprobe.ts";
import { perfEvent } from "./perfEvent.ts";
import { rawSyscall } from "./rawSyscall.ts";
import { rawTracepoint } from "./rawTracepoint.ts";
import { tracepoint } from "./tracepoint.ts";
import { fentry } from "./tracing.ts";
import { uprobe, uprobeMulti, usdt } from "./uprobe.ts";

export { AttachError, type Attached } from "./attached.ts";

/** `together`: one call takes all probes of a program, else one by one, so that a failure names its probe. */
const ATTACHERS: Partial<Record<ProbePlan["via"], { attach: Attacher; together: boolean }>> = {
  tracepoint: { attach: tracepoint, together: false },
  "raw-tracepoint": { attach: rawTracepoint, together: false },
  "raw-syscall": { attach: rawSyscall, together: true },
  "perf-event": { attach: perfEvent, together: false },
  kprobe: { attach: kprobe, together: false },
  "kprobe-multi": { attach: kprobeMulti, together: true },
  uprobe: { attach: uprobe, together: false },
  "uprobe-multi": { attach: uprobeMulti, together: true },
  usdt: { attach: usdt, together: false },
  fentry: { attach: fentry, together: false },
  iter: { attach: iter, together: false },
};

/** What the kernel puts at the head of its list: the last one attached fires first. */
const LAST_FIRST = new Set<ProbePlan["via"]>([
  "kprobe",
  "kprobe-multi",
  "uprobe",
  "uprobe-multi",
  "usdt",
  "fentry",
  "iter",
]);

/** These have a timer of their own; other software events are called from one list. */
const CLOCKS = new Set(["cpu-clock", "task-clock"]);

function firesLastFirst({ via, attach }: ProbePlan): boolean {
  if (attach.kind === "software") return !CLOCKS.has(attach.event);
  return LAST_FIRST.has(via) && !(attach.kind === "kprobe" && attach.return);
}

/** Groups of probe indexes that are attached by one call each, so that actions on one point run in the plan's order. */
export function attachGroups(probes: readonly ProbePlan[]): number[][] {
  const groups: number[][] = [];
  const open = new Map<string, number[]>();
  probes.forEach((probe, index) => {
    const row = ATTACHERS[probe.via];
    if (!row) return;
    const key = `${probe.program} ${probe.via}`;
    const group = row.together ? open.get(key) : undefined;
    if (group) {
      group.push(index);
      return;
    }
    const fresh = [index];
    groups.push(fresh);
    if (row.together) open.set(key, fresh);
  });
  const lastFirst = groups.filter(([index]) => firesLastFirst(probes[index]));
  return [...groups.filter((group) => !lastFirst.includes(group)), ...lastFirst.reverse()];
}

/**
 * Attaches one group. `refused` hears of each probe that the kernel refuses: it throws (by default), and nothing of the group
 * is left attached, or returns, and the rest is attached.
 */
export function attachGroup(
  plan: Plan,
  group: readonly number[],
  program: BpfProgram,
  pid: number | undefined,
  refused: (error: AttachError) => void = (error) => {
    throw error;
  },
): Attached[] {
  const probes = group.map((index) => plan.probes[index]);
  const first = probes[0];
  const row = ATTACHERS[first.via];
  try {
    if (!row) throw new UnsupportedError(first.name, `there is no way to attach via ${first.via}`);
    const cookies = probes.map((probe, i) => probe.cookie ?? group[i]);
    return row.attach({ program, probes, indexes: group, cookies, pid, refused });
  } catch (error) {
    if (!isRefusal(error)) throw error;
    refused(new AttachError(first, error));
    return [];
  }
}
