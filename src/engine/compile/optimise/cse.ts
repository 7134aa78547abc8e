/**
 * Common subexpressions: a pure helper or arithmetic on registers that are assigned once is computed once, in the block
 * that comes first on every way (its dominator). Long-lived arithmetic would cost a register, so only helpers are shared
 * across blocks.
 */
import { type Func, type Inst, type Reg, reg, type Value } from "../ir/types.ts";
import { definitionCounts, predecessors, successors, target } from "../ir/walk.ts";
import { PURE_HELPERS } from "./pure.ts";

function keyOf(value: Value): string {
  return Object.values(value).join(":");
}

/** What an instruction computes, as text; undefined when it may differ each time. */
function expressionKey(inst: Inst, single: (value: Value) => boolean): string | undefined {
  switch (inst.op) {
    case "call":
      if (!PURE_HELPERS.has(inst.helper) || !inst.args.every(single)) return undefined;
      return `${inst.helper}(${inst.args.map(keyOf).join()})`;
    case "alu":
      if (!single(inst.left) || !single(inst.right)) return undefined;
      return `${inst.alu}${inst.width}(${keyOf(inst.left)},${keyOf(inst.right)})`;
    case "extend":
      return single(inst.value) ? `${inst.signed ? "s" : "u"}${inst.bits}(${keyOf(inst.value)})` : undefined;
    default:
      return undefined;
  }
}

/** Immediate dominators by block id (Cooper, Harvey and Kennedy). */
export function dominators(func: Func): Map<number, number> {
  const order: number[] = [];
  const byId = new Map(func.blocks.map((block) => [block.id, block]));
  const seen = new Set<number>();
  const visit = (id: number) => {
    seen.add(id);
    for (const next of successors(byId.get(id)!.end)) if (!seen.has(next)) visit(next);
    order.push(id);
  };
  const entry = func.blocks[0].id;
  visit(entry);
  order.reverse();
  const rank = new Map(order.map((id, i) => [id, i]));
  const before = predecessors(func);
  const idom = new Map<number, number>([[entry, entry]]);
  const meet = (a: number, b: number): number => {
    let [x, y] = [a, b];
    while (x !== y) {
      while (rank.get(x)! > rank.get(y)!) x = idom.get(x)!;
      while (rank.get(y)! > rank.get(x)!) y = idom.get(y)!;
    }
    return x;
  };
  for (let changed = true; changed; ) {
    changed = false;
    for (const id of order.slice(1)) {
      const known = before.get(id)!.filter((p) => idom.has(p));
      const next = known.reduce(meet);
      if (idom.get(id) !== next) {
        idom.set(id, next);
        changed = true;
      }
    }
  }
  return idom;
}

export function shareComputations(func: Func): Func {
  const counts = definitionCounts(func);
  const single = (value: Value) => value.kind !== "reg" || counts[value.reg] === 1;
  const idom = dominators(func);
  const helpers = new Map<number, Map<string, Reg>>();
  const done = new Map<number, Inst[]>();
  const byId = new Map(func.blocks.map((block) => [block.id, block]));

  const visit = (id: number): Map<string, Reg> => {
    const known = helpers.get(id);
    if (known) return known;
    const parent = idom.get(id)!;
    const available = new Map(parent === id ? [] : visit(parent));
    const local = new Map<string, Reg>();
    const code = byId.get(id)!.code.map((inst): Inst => {
      const dst = target(inst);
      const key = dst !== undefined && counts[dst] === 1 ? expressionKey(inst, single) : undefined;
      if (key === undefined) return inst;
      const earlier = available.get(key) ?? local.get(key);
      if (earlier !== undefined) return { op: "move", dst: dst!, value: reg(earlier), span: inst.span };
      (inst.op === "call" ? available : local).set(key, dst!);
      return inst;
    });
    done.set(id, code);
    helpers.set(id, available);
    return available;
  };
  for (const block of func.blocks) visit(block.id);
  return { ...func, blocks: func.blocks.map((block) => ({ ...block, code: done.get(block.id)! })) };
}
