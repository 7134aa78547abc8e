/**
 * Integer arithmetic. Values are 64-bit registers extended from their type's width, so results of narrower types are
 * extended again. Division and modulo by zero give 1.
 */
import { type Alu, type Condition, constant, isConst, ONE, type Value, ZERO } from "../ir/types.ts";
import type { TypedExpression } from "../typed.ts";
import type { Type } from "../types.ts";
import type { Cx } from "./context.ts";
import { reportError } from "./errors.ts";
import { isSigned, scalarSize } from "./shape.ts";

type Operator = Extract<TypedExpression, { op: "binary" }>["operator"];

const ARITHMETIC: Partial<Record<Operator, Alu>> = {
  "+": "add",
  "-": "sub",
  "*": "mul",
  "&": "and",
  "|": "or",
  "^": "xor",
  "<<": "lsh",
};

const COMPARISONS: Partial<Record<Operator, { signed: Condition; unsigned: Condition }>> = {
  "==": { signed: "eq", unsigned: "eq" },
  "!=": { signed: "ne", unsigned: "ne" },
  "<": { signed: "slt", unsigned: "lt" },
  "<=": { signed: "sle", unsigned: "le" },
  ">": { signed: "sgt", unsigned: "gt" },
  ">=": { signed: "sge", unsigned: "ge" },
};

/** Unsigned 64-bit operands win, as in C; narrower ones compare right as signed numbers. */
function comparesUnsigned(type: Type): boolean {
  return (
    type.kind === "pointer" ||
    type.kind === "ksym" ||
    (type.kind === "int" && type.size === 8 && !type.signed)
  );
}

/** The condition that a comparison of these types tests. */
export function conditionOf(operator: Operator, left: Type, right: Type): Condition | undefined {
  const row = COMPARISONS[operator];
  if (!row) return undefined;
  return comparesUnsigned(left) || comparesUnsigned(right) ? row.unsigned : row.signed;
}

/** Brings a result back to its type's width. */
export function normalise(cx: Cx, value: Value, type: Type): Value {
  return cx.b.extend(value, scalarSize(type), isSigned(type));
}

export function arithmetic(
  cx: Cx,
  operator: Operator,
  left: Value,
  right: Value,
  types: { left: Type; right: Type; result: Type },
): Value {
  const signed = isSigned(types.left) && isSigned(types.right);
  switch (operator) {
    case "/":
    case "%":
      return normalise(cx, divide(cx, operator, left, right, signed), types.result);
    case ">>":
      return normalise(cx, cx.b.alu(isSigned(types.left) ? "arsh" : "rsh", left, right), types.result);
    default:
      return normalise(cx, cx.b.alu(ARITHMETIC[operator]!, left, right), types.result);
  }
}

/** By zero it is 1, and said so. */
function divide(cx: Cx, operator: "/" | "%", left: Value, right: Value, signed: boolean): Value {
  const { b } = cx;
  const divided = (): Value =>
    signed ? signedDivide(cx, operator, left, right) : b.alu(operator === "/" ? "div" : "mod", left, right);
  if (isConst(right)) return right.value === 0n ? ONE : divided();
  const result = b.fresh();
  const zero = b.block("division by zero", true);
  const other = b.block("divide");
  const after = b.block("after");
  b.branch("eq", right, ZERO, zero, other);
  b.startBlock(zero);
  reportError(cx, "division");
  b.assign(result, ONE);
  b.jump(after);
  b.startBlock(other);
  b.assign(result, divided());
  b.startBlock(after);
  return { kind: "reg", reg: result };
}

/** Signed division is an instruction since 6.6; before, it is done on magnitudes. */
function signedDivide(cx: Cx, operator: "/" | "%", left: Value, right: Value): Value {
  const { b } = cx;
  if (isConst(left) && isConst(right)) return b.alu(operator === "/" ? "sdiv" : "smod", left, right);
  if (cx.target.can("v4")) return b.alu(operator === "/" ? "sdiv" : "smod", left, right);
  const magnitude = (value: Value): Value => {
    const sign = b.alu("arsh", value, constant(63));
    return b.alu("sub", b.alu("xor", value, sign), sign);
  };
  const unsigned = b.alu(operator === "/" ? "div" : "mod", magnitude(left), magnitude(right));
  // A quotient is negative when the signs differ; a remainder has the sign of the dividend.
  const sign = b.alu("arsh", operator === "/" ? b.alu("xor", left, right) : left, constant(63));
  return b.alu("sub", b.alu("xor", unsigned, sign), sign);
}

/** Bits of a bit-field out of its storage unit. */
export function bitField(
  cx: Cx,
  unit: Value,
  bit: { offset: number; width: number },
  signed: boolean,
): Value {
  const up = cx.b.alu("lsh", unit, constant(64 - bit.offset - bit.width));
  return cx.b.alu(signed ? "arsh" : "rsh", up, constant(64 - bit.width));
}
