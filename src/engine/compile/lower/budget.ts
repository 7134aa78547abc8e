/**
 * The cost guard's half in the kernel. Programs of a guarded script add up what they take; above their budget they switch
 * the script off themselves. It holds also while the machine is too busy for the engine to look.
 *
 *   guard words   [start] when the current window began   [spent] nanoseconds of all CPUs since
 *                 [limit] what a window may take   [tripped] when the budget was used up, else 0
 *                 [mask] a run is measured when a random number has none of these bits, and counts for (mask + 1) runs
 */
import { type Block, constant, type Reg, reg, type Value, ZERO } from "../ir/types.ts";
import { BUDGET_WINDOW } from "../plan.ts";
import type { Cx } from "./context.ts";
import { runsAlways } from "./entry.ts";

const word = (cx: Cx, name: "start" | "spent" | "limit" | "tripped" | "mask"): Value => ({
  kind: "map-value",
  map: cx.layout.globals.map,
  offset: cx.layout.globals.guard![name],
});

/** Measures what `body` fills the rest of the program with, however it returns. */
export function withinBudget(cx: Cx, body: () => void): void {
  if (!cx.layout.globals.guard || runsAlways(cx)) {
    body();
    return;
  }
  const { b } = cx;
  const began = b.fresh();
  const result = b.fresh();
  b.assign(began, ZERO);
  const mask = b.load(word(cx, "mask"), 0, 8);
  const chosen = b.alu("and", b.call("get_prandom_u32"), mask);
  b.when("eq", chosen, ZERO, () => b.assign(began, b.call("ktime_get_ns")));
  const before = new Set(b.func.blocks);
  b.startBlock(b.block("measured"));
  body();
  b.return();
  const out = b.block("account");
  for (const block of b.func.blocks) {
    const { end } = block;
    if (end.op !== "return" || before.has(block)) continue;
    block.code.push({ op: "move", dst: result, value: end.value });
    block.end = { op: "jump", to: out.id };
  }
  b.startBlock(out);
  b.when("ne", reg(began), ZERO, () => account(cx, began));
  b.return(reg(result));
}

function account(cx: Cx, began: Reg): void {
  const { b } = cx;
  const now = b.call("ktime_get_ns");
  const weight = b.add(b.load(word(cx, "mask"), 0, 8), 1);
  const taken = b.alu("mul", b.alu("sub", now, reg(began)), weight);
  const age = b.alu("sub", now, b.load(word(cx, "start"), 0, 8));
  const within = b.block("same window");
  const fresh = b.block("new window", true);
  const after = b.block("accounted");
  b.branch("gt", age, constant(BUDGET_WINDOW), fresh, within);
  b.startBlock(fresh);
  b.store(word(cx, "start"), 0, 8, now);
  b.store(word(cx, "spent"), 0, 8, taken);
  b.jump(after);
  b.startBlock(within);
  b.atomicAdd(word(cx, "spent"), 0, 8, taken);
  const spent = b.load(word(cx, "spent"), 0, 8);
  b.branch("gt", spent, b.load(word(cx, "limit"), 0, 8), tripped(cx, now, after), after);
  b.startBlock(after);
}

/** A block that switches the script off. */
function tripped(cx: Cx, now: Value, after: Block): Block {
  const { b } = cx;
  const { map, enabled } = cx.layout.globals;
  const block = b.block("over budget", true);
  block.code.push(
    { op: "store", base: word(cx, "tripped"), offset: 0, size: 8, value: now },
    { op: "store", base: { kind: "map-value", map, offset: enabled }, offset: 0, size: 4, value: ZERO },
  );
  block.end = { op: "jump", to: after.id };
  b.func.blocks.push(block);
  return block;
}
