/** Checked script → programs in IR, and the plan's maps, actions and probes as they come up on the way. */
import type { Diagnostics } from "../diagnostic.ts";
import { Arena } from "../ir/arena.ts";
import type { ProgramIr } from "../ir/types.ts";
import type { Kernel } from "../kernel.ts";
import type { ProbePlan, ProgramPlan } from "../plan.ts";
import type { Local, MapInfo, TypedAction, TypedBlock, TypedProgram } from "../typed.ts";
import { type Group, groupProbes } from "./attach.ts";
import { withinBudget } from "./budget.ts";
import { Cx, type LowerOptions, type Program, type Unit } from "./context.ts";
import { checkEnabled, checkObjects, checkProcess, checkTask, countElement } from "./entry.ts";
import { condition } from "./expressions.ts";
import { Layout } from "./layout.ts";
import { isCallbackLoop } from "./loops.ts";
import { lowerBlock } from "./statements.ts";
import { dispatchSyscall } from "./syscalls.ts";
import { type Target, targetFor } from "./target.ts";
import { visitBlock, visitExpression } from "./walk.ts";

export interface LoweredProgram {
  ir: ProgramIr;
  plan: Pick<ProgramPlan, "name" | "type" | "expectedAttach" | "attachBtf">;
  action: TypedAction;
}

export interface Lowered {
  programs: LoweredProgram[];
  probes: ProbePlan[];
  /** Index of the first probe of each name: `probe` is the same value wherever that probe fires. */
  named: Map<string, number>;
  layout: Layout;
}

export function lower(
  typed: TypedProgram,
  kernel: Kernel,
  options: LowerOptions,
  diagnostics: Diagnostics,
): Lowered {
  const target = targetFor(kernel, options.ofProcess);
  const layout = new Layout(typed, target, options);
  const unit: Unit = { typed, target, layout, options, diagnostics, deletedMaps: deletedMaps(typed) };
  const lowered: Lowered = { programs: [], probes: [], named: new Map(), layout };
  for (const action of typed.actions) {
    for (const group of groupProbes(action, typed.config.syscallAttach, target)) {
      lowered.programs.push(...lowerGroup(unit, action, group, lowered));
    }
  }
  return lowered;
}

function lowerGroup(unit: Unit, action: TypedAction, group: Group, lowered: Lowered): LoweredProgram[] {
  const index = lowered.programs.length;
  const probeIndices = group.probes.map((probe, i) => {
    const shown = `${probe.label ?? ""}=${probe.name}`;
    const first = lowered.named.get(shown);
    const same = first === undefined ? {} : { cookie: first };
    const program = group.apart ? index + i : index;
    const own = lowered.probes.push({ ...probe, program, via: group.row.via, ...same }) - 1;
    if (first === undefined) lowered.named.set(shown, own);
    return first ?? own;
  });
  const name = programName(group.probes[0].name);
  const program: Program = {
    name,
    action,
    probes: group.probes,
    probeIndices,
    style: group.row.style,
    identity: group.probes.length === 1 ? "single" : group.row.via === "raw-syscall" ? "syscall" : "cookie",
    direct: group.row.type === "tracing" && group.row.via === "raw-syscall",
    functions: [],
    callbacks: 0,
    captured: capturedLocals(action, unit.target),
    scratch: new Arena((size) => unit.layout.takeScratch(size)),
  };
  lowerMain(new Cx(unit, program, "main", "main", 1));
  const isMain = (f: { kind: string }) => f.kind === "main";
  const ir: ProgramIr = {
    name,
    functions: [...program.functions.filter(isMain), ...program.functions.filter((f) => !isMain(f))],
  };
  const { type, expectedAttach } = group.row;
  const programs = group.apart ? group.probes : group.probes.slice(0, 1);
  return programs.map((probe, i) => {
    const attachBtf = group.attachBtf[i];
    return {
      ir,
      plan: {
        name: programName(probe.name),
        type,
        ...(expectedAttach ? { expectedAttach } : {}),
        ...(attachBtf ? { attachBtf } : {}),
      },
      action,
    };
  });
}

function lowerMain(cx: Cx): void {
  const { action } = cx.program;
  cx.at(action.span, () => {
    if (cx.program.style === "syscall-enter" || cx.program.style === "syscall-exit") dispatchSyscall(cx);
    checkEnabled(cx);
    withinBudget(cx, () => lowerAction(cx));
    cx.finish();
  });
}

function lowerAction(cx: Cx): void {
  const { predicate, body } = cx.program.action;
  checkProcess(cx);
  checkObjects(cx);
  checkTask(cx);
  countElement(cx);
  cx.preparePoint();
  if (predicate) {
    const pass = cx.b.block("pass");
    const skip = cx.b.block("skip", true);
    cx.at(predicate.span, () => cx.scope(() => condition(cx, predicate, pass, skip)));
    cx.b.startBlock(skip);
    cx.b.return();
    cx.b.startBlock(pass);
    cx.preparePoint();
  }
  cx.scope(() => lowerBlock(cx, body));
}

/** At most 15 characters that the kernel accepts, the telling end of the probe's name. */
function programName(probe: string): string {
  const parts = probe.split(":");
  const telling = parts.length > 2 ? parts.slice(2).join("_") : parts.join("_");
  return (telling || probe).replace(/[^A-Za-z0-9_.]/g, "_").slice(0, 15);
}

/** Maps that some action deletes single keys from. */
function deletedMaps(typed: TypedProgram): ReadonlySet<MapInfo> {
  const maps = new Set<MapInfo>();
  for (const action of typed.actions) {
    visitBlock(action.body, {
      expression: (e) => {
        if (e.op === "call" && e.name === "delete" && e.map) maps.add(e.map);
      },
    });
  }
  return maps;
}

/** Locals that are used both inside a loop's callback and around it. */
function capturedLocals(action: TypedAction, target: Target): ReadonlySet<Local> {
  const captured = new Set<Local>();
  const total = countUses((count) => {
    visitBlock(action.body, { local: count });
    if (action.predicate) visitExpression(action.predicate, { local: count });
  });
  const inBlock = (block: TypedBlock) =>
    visitBlock(block, {
      statement: (s) => {
        if (!isCallbackLoop(s, target)) return;
        const inside = countUses((count) => {
          if (s.op === "while") visitExpression(s.condition, { local: count });
          if (s.op === "while" || s.op === "for-range" || s.op === "for-map")
            visitBlock(s.body, { local: count });
          // The loop's own variable belongs to the callback.
          if (s.op === "for-range" || s.op === "for-map") count(s.local);
        });
        for (const [local, count] of inside) if (count < total.get(local)!) captured.add(local);
      },
    });
  inBlock(action.body);
  return captured;
}

function countUses(visit: (count: (local: Local) => void) => void): Map<Local, number> {
  const uses = new Map<Local, number>();
  visit((local) => uses.set(local, (uses.get(local) ?? 0) + 1));
  return uses;
}
