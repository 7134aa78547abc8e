/**
 * Probe types as rows: the kind of BPF program that serves them, how the engine attaches it, what the context holds, and
 * whether one program can serve many probes by their attach cookie.
 */
import type { ProbePlan, ProgramPlan } from "../plan.ts";
import type { Attach, Probe, TypedAction, TypedExpression, TypedStatement } from "../typed.ts";
import type { Ability, Target } from "./target.ts";
import { visitBlock, visitExpression } from "./walk.ts";

/**
 * What the context points at: nothing of use, registers, a tracepoint's record, 64-bit arguments, or the arguments of
 * raw_syscalls.
 */
export type ContextStyle = "none" | "registers" | "record" | "arguments" | "syscall-enter" | "syscall-exit";

export interface AttachRow {
  type: ProgramPlan["type"];
  via: ProbePlan["via"];
  style: ContextStyle;
  /** What the kernel must be able to do for probes to share a program; never: false. */
  shared: Ability | false;
  /** What it must be able to do for probes to share code at least, in a program for each. */
  sharedCode?: Ability;
  expectedAttach?: ProgramPlan["expectedAttach"];
}

type Rows = { [K in Attach["kind"]]: AttachRow };

const ROWS: Rows = {
  begin: { type: "raw_tracepoint", via: "begin", style: "none", shared: false },
  end: { type: "raw_tracepoint", via: "end", style: "none", shared: false },
  self: { type: "raw_tracepoint", via: "signal", style: "none", shared: false },
  // The kernel repeats programs for packets as often as it is asked to, and tells how long one run took.
  bench: { type: "xdp", via: "bench", style: "none", shared: false },
  test: { type: "raw_tracepoint", via: "test", style: "none", shared: false },
  tracepoint: { type: "tracepoint", via: "tracepoint", style: "record", shared: "cookie" },
  rawtracepoint: {
    type: "raw_tracepoint",
    via: "raw-tracepoint",
    style: "arguments",
    shared: "cookieRawTracepoint",
  },
  kprobe: { type: "kprobe", via: "kprobe", style: "registers", shared: "cookie" },
  fentry: {
    type: "tracing",
    via: "fentry",
    style: "arguments",
    shared: false,
    sharedCode: "cookieTracing",
    expectedAttach: "trace_fentry",
  },
  uprobe: { type: "kprobe", via: "uprobe", style: "registers", shared: "cookie" },
  usdt: { type: "kprobe", via: "usdt", style: "registers", shared: "cookie" },
  profile: { type: "perf_event", via: "perf-event", style: "registers", shared: "cookie" },
  interval: { type: "perf_event", via: "perf-event", style: "registers", shared: "cookie" },
  software: { type: "perf_event", via: "perf-event", style: "registers", shared: "cookie" },
  hardware: { type: "perf_event", via: "perf-event", style: "registers", shared: "cookie" },
  watchpoint: { type: "perf_event", via: "perf-event", style: "registers", shared: "cookie" },
  iter: {
    type: "tracing",
    via: "iter",
    style: "arguments",
    shared: false,
    expectedAttach: "trace_iter",
  },
};

/** Raw tracepoints whose arguments have the types that BTF gives them, for what the verifier must know the pointers of. */
const TYPED_RAW_TRACEPOINT: AttachRow = {
  ...ROWS.rawtracepoint,
  type: "tracing",
  shared: false,
  sharedCode: "cookieRawTracepoint",
  expectedAttach: "trace_raw_tp",
};

/** The type of program that serves a probe; `vouched`: the verifier is to know its arguments' types where it can. */
export const programTypeOf = (attach: Attach, vouched: boolean): ProgramPlan["type"] =>
  vouched && attach.kind === "rawtracepoint" && attach.btfId !== undefined
    ? "tracing"
    : ROWS[attach.kind].type;

/** Calls whose pointers the verifier must know. */
const VOUCHED_CALLS = new Set(["kfunc", "skboutput", "socket_cookie"]);

function wantsVouched({ predicate, body }: TypedAction): boolean {
  let wants = false;
  const expression = (e: TypedExpression) => {
    wants ||= e.op === "call" && VOUCHED_CALLS.has(e.name);
  };
  if (predicate) visitExpression(predicate, { expression });
  visitBlock(body, { expression });
  return wants;
}

/** Probes of one action that one program can serve. */
export interface Group {
  row: AttachRow;
  probes: Probe[];
  /** A program for each probe, all of the same code. */
  apart: boolean;
  /** Of each probe, where programs are loaded for what they attach to. */
  attachBtf: (ProgramPlan["attachBtf"] | undefined)[];
}

/**
 * So many tracepoints of one action attach as raw tracepoints where the body asks nothing of the record: a perf event takes
 * the kernel 80 ms to let go of, and each hit builds a record that nobody reads.
 */
const MANY_TRACEPOINTS = 8;

/** Calls and builtins that look at the registers or the stack, which differ between the two kinds. */
const OF_CONTEXT = new Set(["kstack", "ustack", "dw_ustack", "func", "usermode"]);

/** Whether what a body does depends on how its probe is attached. */
function usesContext({ predicate, body }: TypedAction): boolean {
  let uses = false;
  const expression = (e: TypedExpression) => {
    uses ||=
      ["context", "context-field", "arg", "retval", "reg"].includes(e.op) ||
      ((e.op === "builtin" || e.op === "call") && OF_CONTEXT.has(e.name.split(".")[0]));
  };
  const statement = (s: TypedStatement) => {
    uses ||= s.op === "emit" && OF_CONTEXT.has(s.action.kind);
  };
  if (predicate) visitExpression(predicate, { expression });
  visitBlock(body, { expression, statement });
  return uses;
}

/** Names of raw tracepoints that may stand in for the action's tracepoints. */
function rawNames(action: TypedAction, target: Target): ReadonlySet<string> {
  const several = action.probes.filter((p) => p.attach.kind === "tracepoint" && !p.attach.syscall).length;
  if (several < MANY_TRACEPOINTS || !target.can("cookieRawTracepoint") || usesContext(action))
    return new Set();
  return new Set(target.kernel.rawTracepoints());
}

interface Choice {
  /** Probes of the same kind in the action. */
  count: number;
  rawSyscalls: boolean;
  rawNames: ReadonlySet<string>;
  vouched: boolean;
}

function rowFor(probe: Probe, { count, rawSyscalls, rawNames, vouched }: Choice, target: Target): AttachRow {
  const { attach } = probe;
  const row = ROWS[attach.kind];
  switch (attach.kind) {
    case "tracepoint":
      if (!attach.syscall && rawNames.has(attach.event)) return { ...ROWS.rawtracepoint, style: "none" };
      if (!attach.syscall || !rawSyscalls) return row;
      return {
        ...(target.kernel.rawTracepoint("sys_enter")
          ? { type: "tracing", expectedAttach: "trace_raw_tp" }
          : { type: "raw_tracepoint" }),
        via: "raw-syscall",
        style: attach.syscall.exit ? "syscall-exit" : "syscall-enter",
        shared: "ringbuf",
      };
    case "rawtracepoint":
      return programTypeOf(attach, vouched) === "tracing" ? TYPED_RAW_TRACEPOINT : row;
    case "fentry":
      return attach.exit ? { ...row, expectedAttach: "trace_fexit" } : row;
    case "kprobe":
      if (
        count > 1 &&
        attach.offset === 0 &&
        attach.address === undefined &&
        (attach.module === undefined || target.can("multiModules")) &&
        target.kernel.has("kprobe_multi")
      )
        return { ...row, via: "kprobe-multi", expectedAttach: "kprobe_multi" };
      return row;
    case "uprobe":
    case "usdt":
      if (
        count > 1 &&
        target.kernel.has("uprobe_multi") &&
        (!target.ofProcess || target.can("multiOfProcess"))
      )
        return { ...row, via: "uprobe-multi", expectedAttach: "uprobe_multi" };
      return row;
    default:
      return row;
  }
}

/** Splits the probes of an action by the program they need. */
export function groupProbes(
  action: TypedAction,
  syscallAttach: "auto" | "raw" | "tracepoint",
  target: Target,
): Group[] {
  const { probes } = action;
  const syscalls = probes.filter((p) => p.attach.kind === "tracepoint" && p.attach.syscall).length;
  const rawSyscalls = syscallAttach === "raw" || (syscallAttach === "auto" && syscalls >= 2);
  const raw = rawNames(action, target);
  const vouched = wantsVouched(action);
  const counts = new Map<string, number>();
  const kindOf = ({ attach }: Probe) => {
    const isReturn = ("return" in attach && attach.return) || ("exit" in attach && attach.exit);
    return `${attach.kind}${isReturn ? ":return" : ""}`;
  };
  for (const probe of probes) counts.set(kindOf(probe), (counts.get(kindOf(probe)) ?? 0) + 1);
  const groups = new Map<string, Group>();
  for (const [i, probe] of probes.entries()) {
    const row = rowFor(
      probe,
      { count: counts.get(kindOf(probe))!, rawSyscalls, rawNames: raw, vouched },
      target,
    );
    const canShare = row.shared !== false && target.can(row.shared);
    // Attached one binary at a time, entry and return apart.
    const binary = row.via === "uprobe-multi" && "path" in probe.attach ? probe.attach.path : "";
    const apart = !canShare && row.sharedCode !== undefined && target.can(row.sharedCode);
    const key =
      canShare || apart
        ? [kindOf(probe), row.via, row.style, binary].join("\0")
        : `${row.via}\0${row.style}\0${i}`;
    const group = groups.get(key);
    const attachBtf = btfOf(probe, row, target);
    if (group) {
      group.probes.push(probe);
      group.attachBtf.push(attachBtf);
    } else groups.set(key, { row, probes: [probe], apart, attachBtf: [attachBtf] });
  }
  return [...groups.values()];
}

function btfOf(probe: Probe, row: AttachRow, target: Target): ProgramPlan["attachBtf"] {
  if (row.type !== "tracing") return undefined;
  const { attach } = probe;
  if (row.via === "raw-syscall") {
    const prototype = target.kernel.rawTracepoint(row.style === "syscall-enter" ? "sys_enter" : "sys_exit");
    return prototype && { module: prototype.module, id: prototype.btfId };
  }
  if (attach.kind === "fentry") {
    const { module, btfId, program } = attach;
    return { module, id: btfId, ...(program === undefined ? {} : { program }) };
  }
  if (attach.kind === "rawtracepoint" && attach.btfId !== undefined)
    return { module: attach.module ?? "vmlinux", id: attach.btfId };
  if (attach.kind === "iter") return { module: "vmlinux", id: attach.btfId };
  return undefined;
}
