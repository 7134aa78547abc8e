/** Removes blocks that nothing reaches, jumps over blocks that only jump, and joins a block with its only follower. */
import { foldCondition } from "../ir/fold.ts";
import { type Block, type Func, isConst, sameValue, type Terminator } from "../ir/types.ts";
import { predecessors, successors } from "../ir/walk.ts";

function settle(end: Terminator): Terminator {
  if (end.op !== "branch") return end;
  if (end.yes === end.no) return { op: "jump", to: end.yes, span: end.span };
  if (isConst(end.left) && isConst(end.right)) {
    const holds = foldCondition(end.condition, end.left.value, end.right.value, end.width);
    return { op: "jump", to: holds ? end.yes : end.no, span: end.span };
  }
  if (end.left.kind === "reg" && sameValue(end.left, end.right)) {
    const holds = ["eq", "ge", "le", "sge", "sle"].includes(end.condition);
    if (end.condition !== "set") return { op: "jump", to: holds ? end.yes : end.no, span: end.span };
  }
  return end;
}

export function simplifyBranches(func: Func): Func {
  let blocks = func.blocks.map((block) => ({ ...block, end: settle(block.end) }));
  const byId = new Map(blocks.map((block) => [block.id, block]));
  const finalTarget = (id: number): number => {
    const seen = new Set<number>();
    for (let at = id; ; ) {
      const block = byId.get(at)!;
      if (block.code.length > 0 || block.end.op !== "jump" || seen.has(at)) return at;
      seen.add(at);
      at = block.end.to;
    }
  };
  for (const block of blocks) {
    const { end } = block;
    if (end.op === "jump") {
      const to = finalTarget(end.to);
      const target = byId.get(to)!;
      // An empty block that returns is copied rather than jumped to.
      if (target.code.length === 0 && target.end.op === "return") block.end = target.end;
      else block.end = { ...end, to };
    } else if (end.op === "branch") {
      block.end = settle({ ...end, yes: finalTarget(end.yes), no: finalTarget(end.no) });
    }
  }
  blocks = reachable(blocks);
  return { ...func, blocks: joined({ ...func, blocks }) };
}

function reachable(blocks: Block[]): Block[] {
  const byId = new Map(blocks.map((block) => [block.id, block]));
  const seen = new Set<number>();
  const work = [blocks[0].id];
  while (work.length > 0) {
    const id = work.pop()!;
    if (seen.has(id)) continue;
    seen.add(id);
    work.push(...successors(byId.get(id)!.end));
  }
  return blocks.filter((block) => seen.has(block.id));
}

function joined(func: Func): Block[] {
  const before = predecessors(func);
  const byId = new Map(func.blocks.map((block) => [block.id, block]));
  const gone = new Set<number>();
  for (const block of func.blocks) {
    if (gone.has(block.id)) continue;
    while (block.end.op === "jump") {
      const next = byId.get(block.end.to)!;
      if (
        next === block ||
        next === func.blocks[0] ||
        before.get(next.id)!.length !== 1 ||
        next.cold !== block.cold
      )
        break;
      block.code = [...block.code, ...next.code];
      block.end = next.end;
      gone.add(next.id);
    }
  }
  return func.blocks.filter((block) => !gone.has(block.id));
}
