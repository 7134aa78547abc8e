/** Programs as text, for `run -d bpf`: instructions with map names, functions and the script's lines between them. */
import { decode, formatInsn, slots } from "libbpf-ts/asm";
import type { Plan, ProgramPlan } from "../../plan.ts";

function lineAt(text: string, offset: number): { number: number; text: string } {
  const before = text.slice(0, offset);
  const start = before.lastIndexOf("\n") + 1;
  const end = text.indexOf("\n", offset);
  return {
    number: before.split("\n").length,
    text: text.slice(start, end < 0 ? undefined : end).trim(),
  };
}

function disassembleProgram(program: ProgramPlan, plan: Plan, files: readonly { text: string }[]): string {
  const out = [`program ${program.name} (${program.expectedAttach ?? program.type})`];
  const relocations = new Map(program.relocations.map((r) => [r.instruction, r]));
  const functions = new Map(program.functions.map((f) => [f.instruction, f]));
  const lines = new Map(program.lines.map((l) => [l.instruction, l.span]));
  let at = 0;
  let last = "";
  for (const insn of decode(program.instructions)) {
    const func = functions.get(at);
    if (func) out.push(`${func.name}:`);
    const span = lines.get(at);
    const source = span && files[span.file ?? 0];
    if (source) {
      const line = lineAt(source.text, span.start);
      const text = `; ${line.number}: ${line.text}`;
      if (text !== last) out.push(text);
      last = text;
    }
    const relocation = relocations.get(at);
    const text = relocation
      ? `(18) r${insn.dst} = ${relocation.kind === "value" ? "&" : "map "}${plan.maps[relocation.map].name}${relocation.offset ? `+${relocation.offset}` : ""}`
      : formatInsn(insn);
    out.push(`${String(at).padStart(5)}: ${text}`);
    at += slots(insn);
  }
  return out.join("\n");
}

export function disassemble(plan: Plan, files: readonly { text: string }[]): string {
  return plan.programs.map((program) => disassembleProgram(program, plan, files)).join("\n\n");
}
