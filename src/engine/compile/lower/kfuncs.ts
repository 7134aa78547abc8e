/**
 * Calls of kernel functions. The verifier follows where their pointers come from: arguments of the probe, the current task,
 * what other kfuncs gave, and what is loaded from those by plain loads. A pointer read through a helper would be a number.
 */
import { constant, type Value } from "../ir/types.ts";
import type { TypedExpression } from "../typed.ts";
import { sizeOf } from "../types.ts";
import type { Cx } from "./context.ts";
import { place, scalar } from "./expressions.ts";
import { addressOf } from "./memory.ts";
import { isScalar } from "./shape.ts";

type Call = Extract<TypedExpression, { op: "call" }>;

export function callKfunc(cx: Cx, e: Call): Value {
  const args = e.arguments.map((argument) =>
    isScalar(argument.type) ? vouchedFor(cx, argument) : addressOf(cx, place(cx, argument)),
  );
  const result = cx.b.callKfunc(String(e.data!.function), Number(e.data!.id), ...args);
  const { type } = e;
  if (type.kind === "int") return cx.b.extend(result, sizeOf(type), type.signed);
  return type.kind === "bool" ? cx.b.alu("and", result, constant(0xff)) : result;
}

/** A pointer by a way on which the verifier can follow it. */
export function vouchedFor(cx: Cx, e: TypedExpression): Value {
  if (e.op === "builtin" && e.name === "curtask") return cx.b.call("get_current_task_btf");
  if (e.op === "cast" && e.type.kind === "pointer" && e.operand.type.kind === "pointer")
    return vouchedFor(cx, e.operand);
  if (e.op === "field" && e.type.kind === "pointer" && e.base.op !== "context") {
    const { base, offset } = memberOf(cx, e);
    return cx.b.load(base, offset, 8);
  }
  return scalar(cx, e);
}

/** The nearest pointer above a member, and how far the member is from where it points. */
function memberOf(cx: Cx, e: Extract<TypedExpression, { op: "field" }>): { base: Value; offset: number } {
  if (e.base.type.kind === "pointer") return { base: vouchedFor(cx, e.base), offset: e.field.offset };
  if (e.base.op === "field") {
    const outer = memberOf(cx, e.base);
    return { base: outer.base, offset: outer.offset + e.field.offset };
  }
  const { base, offset } = place(cx, e.base);
  return { base, offset: offset + e.field.offset };
}
