/** Puts a program's functions behind one another: branch targets across functions, relocations, line table. */
import * as asm from "libbpf-ts/asm";
import type { Span } from "../../diagnostic.ts";
import type { ProgramIr } from "../../ir/types.ts";
import type { ProgramPlan, Relocation } from "../../plan.ts";
import { type SelectOptions, select } from "./select.ts";

export interface Emitted extends Pick<ProgramPlan, "instructions" | "relocations" | "functions" | "lines"> {
  /** Bytes of stack by function; a call chain may take 512 together. */
  frames: { name: string; bytes: number }[];
}

export function emitProgram(program: ProgramIr, options: SelectOptions): Emitted {
  const parts = program.functions.map((func) => ({ func, selected: select(func, options) }));
  const starts = new Map<string, number>();
  let at = 0;
  for (const { func, selected } of parts) {
    starts.set(func.name, at);
    at += selected.code.reduce((count, insn) => count + asm.slots(insn), 0);
  }
  const code: asm.Insn[] = [];
  const relocations: Relocation[] = [];
  const lines: { instruction: number; span: Span }[] = [];
  for (const { func, selected } of parts) {
    const start = starts.get(func.name)!;
    const slotOf = new Map<number, asm.Insn>();
    let slot = 0;
    for (const insn of selected.code) {
      slotOf.set(slot, insn);
      slot += asm.slots(insn);
    }
    for (const { at: local, value } of selected.fixups) {
      const insn = slotOf.get(local)!;
      if (value.kind === "function") {
        Object.assign(insn, asm.ldFunc(insn.dst, starts.get(value.name)! - (start + local) - 1));
      } else {
        relocations.push({
          instruction: start + local,
          map: value.map,
          kind: value.kind === "map" ? "map" : "value",
          offset: value.kind === "map" ? 0 : value.offset,
        });
      }
    }
    lines.push(...selected.lines.map((line) => ({ instruction: start + line.at, span: line.span })));
    code.push(...selected.code);
  }
  return {
    instructions: asm.encode(code),
    relocations,
    functions: program.functions.map((func) => ({
      instruction: starts.get(func.name)!,
      name: func.name,
      kind: func.kind,
    })),
    lines,
    frames: parts.map(({ func, selected }) => ({ name: func.name, bytes: selected.frame })),
  };
}
