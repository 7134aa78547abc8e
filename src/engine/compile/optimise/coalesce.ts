/** `t = …; x = t` with no other use of t becomes `x = …`: results go straight to where they are kept. */
import type { Func, Inst } from "../ir/types.ts";
import { definitionCounts, reads, target } from "../ir/walk.ts";

export function coalesceMoves(func: Func): Func {
  const uses = new Uint32Array(func.registers);
  for (const block of func.blocks) {
    for (const inst of [...block.code, block.end]) for (const r of reads(inst)) uses[r]++;
  }
  const definitions = definitionCounts(func);
  const blocks = func.blocks.map((block) => {
    const code: Inst[] = [];
    for (const inst of block.code) {
      const before = code.at(-1);
      const t = before && target(before);
      if (
        inst.op === "move" &&
        inst.value.kind === "reg" &&
        inst.value.reg === t &&
        uses[t] === 1 &&
        definitions[t] === 1
      ) {
        code[code.length - 1] = redirect(before!, inst.dst);
      } else {
        code.push(inst);
      }
    }
    return { ...block, code };
  });
  return { ...func, blocks };
}

function redirect(inst: Inst, dst: number): Inst {
  if (inst.op === "atomic-add") return { ...inst, fetch: dst };
  return { ...inst, dst } as Inst;
}
