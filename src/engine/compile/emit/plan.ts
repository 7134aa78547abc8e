/** Lowered programs → the plan: optimised, emitted, checked against the stack's limit. */
import type { Diagnostics } from "../diagnostic.ts";
import type { ProgramIr } from "../ir/types.ts";
import type { Kernel } from "../kernel.ts";
import type { Lowered } from "../lower/program.ts";
import { targetFor } from "../lower/target.ts";
import type { Plan, ProgramPlan } from "../plan.ts";
import type { TypedProgram } from "../typed.ts";
import { emitProgram } from "./bpf/program.ts";

const STACK_BYTES = 512;

export function emitPlan(
  typed: TypedProgram,
  lowered: Lowered,
  optimised: readonly ProgramIr[],
  kernel: Kernel,
  diagnostics: Diagnostics,
): Plan {
  const options = { v4: targetFor(kernel).can("v4") };
  const programs = optimised.map((ir, i): ProgramPlan => {
    const { plan, action } = lowered.programs[i];
    const { frames, ...emitted } = emitProgram(ir, options);
    const worst = frames.reduce((sum, frame) => Math.max(sum, frame.bytes), 0);
    if (worst > STACK_BYTES) {
      diagnostics.error(
        "stack-too-big",
        action.probes[0].span,
        `this action needs ${worst} bytes of stack; BPF programs have ${STACK_BYTES}`,
        {
          hint: `lower on_stack_limit in the config block (now ${typed.config.onStackLimit}), so that large values move off the stack`,
        },
      );
    }
    return { ...plan, ...emitted };
  });
  const { layout } = lowered;
  return {
    programs,
    probes: lowered.probes,
    maps: layout.maps,
    actions: layout.actions,
    strings: layout.strings,
    stackMaps: layout.stackMaps,
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
}
