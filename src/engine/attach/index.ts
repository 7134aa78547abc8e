/** Probes → links. What can be attached, by `ProbePlan.via`; begin, end and signals are run by the session itself. */
import { type BpfProgram, SysError, UnsupportedError } from "libbpf-ts";
import type { Plan, ProbePlan } from "../compile/plan.ts";
import type { Attached, Attacher } from "./attached.ts";
import { iter } from "./iter.ts";
import { kprobe, kprobeMulti } from "./kprobe.ts";
import { perfEvent } from "./perfEvent.ts";
import { rawSyscall } from "./rawSyscall.ts";
import { rawTracepoint } from "./rawTracepoint.ts";
import { tracepoint } from "./tracepoint.ts";
import { fentry } from "./tracing.ts";
import { uprobe, uprobeMulti, usdt } from "./uprobe.ts";

export type { Attached } from "./attached.ts";

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

/** A probe that could not be attached. */
export class AttachError extends Error {
  readonly probe: ProbePlan;
  /** The kernel's reason, for callers that tell "not here" from "not permitted". */
  readonly reason: unknown;

  constructor(probe: ProbePlan, reason: unknown) {
    super(`cannot attach ${probe.name}: ${reason instanceof Error ? reason.message : String(reason)}`);
    this.name = "AttachError";
    this.probe = probe;
    this.reason = reason;
  }
}

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

function firesLastFirst({ via, attach }: ProbePlan): boolean {
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

/** Attaches one group; throws AttachError, with nothing of the group left attached. */
export function attachGroup(
  plan: Plan,
  group: readonly number[],
  programs: readonly BpfProgram[],
  pid: number | undefined,
): Attached[] {
  const probes = group.map((index) => plan.probes[index]);
  const first = probes[0];
  const row = ATTACHERS[first.via];
  try {
    if (!row) throw new UnsupportedError(first.name, `there is no way to attach via ${first.via}`);
    const cookies = probes.map((probe, i) => probe.cookie ?? group[i]);
    return row.attach({ program: programs[first.program], probes, indexes: group, cookies, pid });
  } catch (error) {
    if (error instanceof SysError || error instanceof UnsupportedError) throw new AttachError(first, error);
    throw error;
  }
}
