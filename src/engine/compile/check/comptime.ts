/**
 * `if comptime`: which branch counts is decided before the script runs, and the other one does not exist. Conditions that ask
 * for types are asked once everything else is known, from the outer to the inner ones.
 */
import type { Block, Expression } from "../ast.ts";
import type { Context } from "./context.ts";

/** Whether it is too early to ask; the branch's node stands for the whole. */
export const waits = (then: Block, cx: Context): boolean =>
  !cx.inference.mayDecide(cx.group, then) && !cx.final;

/** Whether a condition came to something, and always to the same; reports otherwise. */
export function isDecided(then: Block, test: Expression, known: bigint | undefined, cx: Context): boolean {
  if (known === undefined) {
    if (cx.final && !cx.report.hasErrors)
      cx.error("not-constant", test.span, "the condition must be known before the script runs");
    return false;
  }
  if (!cx.inference.decide(cx.group, then, known !== 0n ? 1n : 0n)) {
    cx.error(
      "not-constant",
      test.span,
      "the condition is changed by what it decides: a type grows in its branch",
    );
    return false;
  }
  return true;
}
