/** Makes a value of one type into a value of another, the casts written out. */
import type { TypedExpression, TypedStatement } from "../typed.ts";
import type { Type } from "../types.ts";
import { fitsInt, isUnknown, sameType, wrapInt } from "./promote.ts";

/** The expression as a value of `to`; undefined when there is no implicit way. */
export function convert(expression: TypedExpression, to: Type): TypedExpression | undefined {
  const from = expression.type;
  if (isUnknown(from) || isUnknown(to)) return { ...expression, type: to };
  if (sameType(from, to)) return expression;
  if (expression.op === "int" && to.kind === "int")
    return { ...expression, value: wrapInt(expression.value, to), type: to };
  if (expression.op === "string" && to.kind === "string") return { ...expression, type: to };
  if (to.kind === "bool" && from.kind === "int") return truth(expression);
  if (from.kind === "tuple" && to.kind === "tuple") return convertTuple(expression, from, to);
  const pairs = `${from.kind}>${to.kind}`;
  if (CASTS.has(pairs)) return { op: "cast", operand: expression, type: to, span: expression.span };
  return undefined;
}

const CASTS = new Set(["int>int", "bool>int", "string>string", "buffer>buffer", "pointer>pointer"]);

/** Not zero, as a bool. */
export function truth(expression: TypedExpression): TypedExpression {
  if (expression.type.kind === "bool") return expression;
  const { span } = expression;
  const bool: Type = { kind: "bool" };
  if (expression.op === "int")
    return { op: "int", value: expression.value === 0n ? 0n : 1n, type: bool, span };
  const zero: TypedExpression = { op: "int", value: 0n, type: expression.type, span };
  return { op: "binary", operator: "!=", left: expression, right: zero, type: bool, span };
}

/** Element by element; what is not written as a tuple is evaluated once, into a variable of its own. */
function convertTuple(
  expression: TypedExpression,
  from: Type & { kind: "tuple" },
  to: Type & { kind: "tuple" },
): TypedExpression | undefined {
  const { span } = expression;
  if (from.elements.length !== to.elements.length || !from.names !== !to.names) return undefined;
  const order = to.elements.map((_, i) => (to.names ? from.names!.indexOf(to.names[i]) : i));
  if (order.includes(-1)) return undefined;
  const inOrder = order.every((at, i) => at === i);
  if (expression.op === "tuple" && inOrder) {
    const elements = expression.elements.map((element, i) => convert(element, to.elements[i]));
    return elements.includes(undefined)
      ? undefined
      : { op: "tuple", elements: elements as TypedExpression[], type: to, span };
  }
  const local = { name: "", type: from as Type, addressed: false, span };
  const base: TypedExpression = { op: "local", local, type: from, span };
  const elements = order.map((at, i) =>
    convert({ op: "tuple-element", base, index: at, type: from.elements[at], span }, to.elements[i]),
  );
  if (elements.includes(undefined)) return undefined;
  const keep: TypedStatement = { op: "set-local", local, value: expression, span };
  const result: TypedExpression = { op: "tuple", elements: elements as TypedExpression[], type: to, span };
  return { op: "block", body: { statements: [keep], result }, type: to, span };
}

/** Whether a literal keeps its value in a type. */
export const literalFits = (expression: TypedExpression, type: Type): boolean =>
  expression.op !== "int" || type.kind !== "int" || fitsInt(expression.value, type);
