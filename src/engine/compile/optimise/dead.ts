/** Removes instructions whose result nobody reads. */
import type { Func, Inst } from "../ir/types.ts";
import { liveness, reads, target } from "../ir/walk.ts";
import { PURE_HELPERS } from "./pure.ts";

const removable = (inst: Inst): boolean =>
  inst.op === "call" ? PURE_HELPERS.has(inst.helper) : inst.op !== "store" && inst.op !== "atomic-add";

export function removeDeadCode(func: Func): Func {
  let current = func;
  for (;;) {
    const { out } = liveness(current);
    let removed = false;
    const blocks = current.blocks.map((block) => {
      const live = new Set(out.get(block.id)!);
      for (const r of reads(block.end)) live.add(r);
      const code: Inst[] = [];
      for (let i = block.code.length - 1; i >= 0; i--) {
        let inst = block.code[i];
        const dst = target(inst);
        if (dst !== undefined && !live.has(dst)) {
          if (removable(inst)) {
            removed = true;
            continue;
          }
          if (inst.op === "call") inst = { ...inst, dst: undefined };
        }
        if (dst !== undefined) live.delete(dst);
        for (const r of reads(inst)) live.add(r);
        code.push(inst);
      }
      return { ...block, code: code.reverse() };
    });
    current = { ...current, blocks };
    if (!removed) return current;
  }
}
