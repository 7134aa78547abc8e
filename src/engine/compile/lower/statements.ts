/** Statements, one row each. Temporaries of a statement are free again after it. */
import { ZERO } from "../ir/types.ts";
import type { TypedBlock, TypedExpression, TypedStatement } from "../typed.ts";
import { sizeOf } from "../types.ts";
import { aggregate } from "./aggregations.ts";
import { callForEffect } from "./calls.ts";
import type { Cx } from "./context.ts";
import { lowerEmit } from "./emit.ts";
import { choose, increment, place, scalar, setLocal, write } from "./expressions.ts";
import {
  leave,
  leaveBody,
  lowerBreak,
  lowerContinue,
  lowerForMap,
  lowerForRange,
  lowerFunctionBody,
  lowerWhile,
} from "./loops.ts";
import { setMap } from "./maps.ts";
import { copyBytes, zeroBytes } from "./memory.ts";
import { isScalar } from "./shape.ts";
import { visitExpression } from "./walk.ts";

type Op = TypedStatement["op"];

const ROWS: { [O in Op]: (cx: Cx, s: Extract<TypedStatement, { op: O }>) => void } = {
  expression: (cx, s) => evaluate(cx, s.value),
  "set-local": (cx, s) => assignLocal(cx, s),
  "set-map": setMap,
  aggregate,
  if: (cx, s) =>
    choose(cx, s.condition, () => lowerBlock(cx, s.then), s.else && (() => lowerBlock(cx, s.else!))),
  block: (cx, s) => lowerBlock(cx, s.body),
  while: lowerWhile,
  "for-range": lowerForRange,
  "for-map": lowerForMap,
  break: lowerBreak,
  continue: lowerContinue,
  return: (cx, s) => leave(cx, s.value ? scalar(cx, s.value) : ZERO),
  "function-body": lowerFunctionBody,
  leave: (cx, s) => leaveBody(cx, s.id),
  emit: lowerEmit,
};

/** A block's statements, then its value if it has one. */
export function lowerBlock(cx: Cx, block: TypedBlock, onResult?: (value: TypedExpression) => void): void {
  for (const statement of block.statements) {
    cx.at(statement.span, () => {
      cx.scope(() => (ROWS[statement.op] as (cx: Cx, s: TypedStatement) => void)(cx, statement));
    });
  }
  if (!block.result) return;
  if (onResult) onResult(block.result);
  else evaluate(cx, block.result);
}

/** For its effects only. */
function evaluate(cx: Cx, e: TypedExpression): void {
  if (e.op === "increment") increment(cx, e, false);
  else if (e.op === "block") lowerBlock(cx, e.body);
  else if (e.op === "call") callForEffect(cx, e);
  else if (e.type.kind === "void") return;
  else if (isScalar(e.type)) scalar(cx, e);
  else place(cx, e);
}

function assignLocal(cx: Cx, s: Extract<TypedStatement, { op: "set-local" }>): void {
  const { local, value } = s;
  if (isScalar(local.type)) {
    setLocal(cx, local, value ? scalar(cx, value) : ZERO);
    return;
  }
  const size = sizeOf(local.type);
  cx.home(local);
  if (!value) {
    zeroBytes(cx, cx.memoryOf(local), size);
    return;
  }
  let usesItself = false;
  visitExpression(value, {
    local: (l) => {
      if (l === local) usesItself = true;
    },
  });
  if (usesItself) {
    const copy = cx.temporary(size, "value");
    write(cx, value, copy);
    copyBytes(cx, cx.memoryOf(local), copy, size);
  } else {
    write(cx, value, cx.memoryOf(local));
  }
}
