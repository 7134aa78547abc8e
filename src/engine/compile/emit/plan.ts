/** Lowered and optimised programs → the plan. */
import type { Span } from "../diagnostic.ts";
import type { ProgramIr } from "../ir/types.ts";
import { operands } from "../ir/walk.ts";
import type { Kernel } from "../kernel.ts";
import type { Lowered } from "../lower/program.ts";
import { targetFor } from "../lower/target.ts";
import type { Plan, ProgramPlan } from "../plan.ts";
import type { TypedProgram } from "../typed.ts";
import { roundUp } from "../types.ts";
import { type Emitted, emitProgram } from "./bpf/program.ts";

export const STACK_BYTES = 512;

/** A plan, and what its deepest chain of calls takes of the stack. */
export interface EmittedPlan {
  plan: Plan;
  deepest: { bytes: number; span: Span };
}

/** Bytes of the deepest chain of calls; the kernel counts frames in steps of 32 bytes. */
function depthOf(ir: ProgramIr, frames: readonly { name: string; bytes: number }[]): number {
  const depth = (name: string): number => {
    const callees = new Set<string>();
    for (const block of ir.functions.find((f) => f.name === name)!.blocks) {
      for (const inst of block.code) {
        for (const value of operands(inst)) if (value.kind === "function") callees.add(value.name);
      }
    }
    const own = roundUp(Math.max(1, frames.find((frame) => frame.name === name)!.bytes), 32);
    return own + Math.max(0, ...[...callees].map(depth));
  };
  return depth(ir.functions[0].name);
}

export function emitPlan(
  typed: TypedProgram,
  lowered: Lowered,
  optimised: readonly ProgramIr[],
  kernel: Kernel,
): EmittedPlan {
  const options = { v4: targetFor(kernel).can("v4") };
  let deepest = { bytes: 0, span: { start: 0, end: 0 } as Span };
  const known = new Map<ProgramIr, Emitted>();
  const programs = optimised.map((ir, i): ProgramPlan => {
    const { plan, action } = lowered.programs[i];
    const made = known.get(ir) ?? emitProgram(ir, options);
    known.set(ir, made);
    const { frames, ...emitted } = made;
    const bytes = depthOf(ir, frames);
    if (bytes > deepest.bytes) deepest = { bytes, span: action.probes[0].span };
    return { ...plan, ...emitted };
  });
  const { layout } = lowered;
  const plan: Plan = {
    programs,
    probes: lowered.probes,
    maps: layout.maps,
    actions: layout.actions,
    strings: layout.strings,
    stackMaps: layout.stackMaps,
    captures: layout.captures,
    globals: layout.globals,
    config: typed.config,
    options: typed.options.map(({ name, type, default: value, description }) => ({
      name,
      type,
      default: value,
      ...(description === undefined ? {} : { description }),
    })),
    license: typed.config.license,
  };
  return { plan, deepest };
}
