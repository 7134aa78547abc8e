/** Copies and constants go to where they are used; arithmetic on constants is folded and made cheaper. */
import { foldAlu, foldExtend, strengthReduce } from "../ir/fold.ts";
import { constant, type Func, type Inst, isConst, type Reg, type Value } from "../ir/types.ts";
import { definitionCounts, mapOperands, target } from "../ir/walk.ts";

/** The value that an instruction's result always has, when that is known without running it. */
function knownResult(inst: Inst, single: (value: Value) => boolean): Value | undefined {
  if (inst.op === "move") return single(inst.value) ? inst.value : undefined;
  if (inst.op === "alu") {
    const folded = foldAlu(inst.alu, inst.left, inst.right, inst.width);
    return folded && single(folded) ? folded : undefined;
  }
  if (inst.op === "extend" && isConst(inst.value))
    return constant(foldExtend(inst.value.value, inst.bits, inst.signed));
  return undefined;
}

function cheaper(inst: Inst): Inst {
  if (inst.op !== "alu" || !isConst(inst.right)) return inst;
  const reduced = strengthReduce(inst.alu, inst.right.value);
  return reduced ? { ...inst, alu: reduced.alu, right: constant(reduced.right) } : inst;
}

/** A store takes only the low bytes: extending the value before was for nothing. */
function narrowed(inst: Inst, extended: ReadonlyMap<Reg, Extract<Inst, { op: "extend" }>>): Inst {
  if (inst.op !== "store" || inst.value.kind !== "reg") return inst;
  const extend = extended.get(inst.value.reg);
  return extend && extend.bits >= inst.size * 8 ? { ...inst, value: extend.value } : inst;
}

export function propagate(func: Func): Func {
  const counts = definitionCounts(func);
  const single = (value: Value) => value.kind !== "reg" || counts[value.reg] === 1;
  const known = new Map<Reg, Value>();
  const extended = new Map<Reg, Extract<Inst, { op: "extend" }>>();
  const resolve = (value: Value): Value => {
    let at = value;
    while (at.kind === "reg" && known.has(at.reg)) at = known.get(at.reg)!;
    return at;
  };
  let blocks = func.blocks;
  for (let before = -1; before !== known.size; ) {
    before = known.size;
    blocks = blocks.map((block) => ({
      ...block,
      code: block.code.map((inst) => {
        const resolved = narrowed(cheaper(mapOperands(inst, resolve)), extended);
        const dst = target(resolved);
        if (resolved.op === "extend" && counts[resolved.dst] === 1 && single(resolved.value)) {
          extended.set(resolved.dst, resolved);
        }
        if (dst !== undefined && counts[dst] === 1 && !known.has(dst)) {
          const value = knownResult(resolved, single);
          if (value) known.set(dst, value);
        }
        return resolved;
      }),
      end: mapOperands(block.end, resolve),
    }));
  }
  return { ...func, blocks };
}
