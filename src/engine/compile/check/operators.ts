/** Unary, binary and logical operators: which types they take, what they give, and what is known before the script runs. */
import type { Expression } from "../ast.ts";
import type { Span } from "../diagnostic.ts";
import type { TypedExpression } from "../typed.ts";
import { INT64, type IntType, type Type, UINT64 } from "../types.ts";
import { type Context, widest } from "./context.ts";
import { convert, truth } from "./convert.ts";
import { describe } from "./describe.ts";
import {
  intSpace,
  isFlexible,
  isUnknown,
  literalInt,
  promote,
  sameType,
  withSpace,
  wrapInt,
} from "./promote.ts";

type Operator = (TypedExpression & { op: "binary" })["operator"];

const COMPARISONS = new Set(["==", "!=", "<", "<=", ">", ">="]);
const isNumber = (type: Type): boolean => type.kind === "int" || type.kind === "bool";

/** Usable where something is true or false. */
export function condition(expression: Expression, cx: Context): TypedExpression {
  const value = cx.expression(expression);
  const { kind } = value.type;
  if (isUnknown(value.type) || kind === "int" || kind === "bool" || kind === "pointer") return value;
  return cx.fail(
    "not-a-condition",
    value.span,
    `a condition is a number, a pointer or a boolean, and this is ${describe(value.type)}`,
    kind === "string" ? 'compare it, for example with ""' : undefined,
  );
}

/** A value known before the script runs: 1n or 0n for conditions. */
export const constantOf = (value: TypedExpression): bigint | undefined =>
  value.op === "int" && !isUnknown(value.type) ? value.value : undefined;

export function checkBinary(e: Expression & { kind: "binary" }, cx: Context): TypedExpression {
  if (e.operator === "&&" || e.operator === "||") return checkLogical(e, e.operator, cx);
  let left = cx.expression(e.left);
  let right = cx.expression(e.right);
  // A positional parameter that was not given is 0 or "", as the other side wants.
  left = positionalAsText(e.left, left, right, cx);
  right = positionalAsText(e.right, right, left, cx);
  left = nameAsText(left, right, cx);
  right = nameAsText(right, left, cx);
  return binary(e.operator as Operator, left, right, e.span, cx, e.operatorSpan);
}

function positionalAsText(
  source: Expression,
  value: TypedExpression,
  other: TypedExpression,
  cx: Context,
): TypedExpression {
  if (source.kind !== "positional" || other.type.kind !== "string" || value.type.kind !== "int") return value;
  return cx.string(cx.script.options.positional?.[source.index - 1] ?? "", value.span);
}

/** `probe == "…"`: in a group of one probe its name is known. */
function nameAsText(value: TypedExpression, other: TypedExpression, cx: Context): TypedExpression {
  if (other.type.kind !== "string" || !cx.group.named) return value;
  const [probe] = cx.group.probes;
  if (value.type.kind === "probe") return cx.string(probe.label ?? probe.name, value.span);
  const isFunc = value.op === "builtin" && value.name === "func";
  if (!isFunc) return value;
  const { attach } = probe;
  const name = attach.kind === "uprobe" ? attach.symbol : "function" in attach ? attach.function : undefined;
  return name === undefined ? value : cx.string(name, value.span);
}

function checkLogical(
  e: Expression & { kind: "binary" },
  operator: "&&" | "||",
  cx: Context,
): TypedExpression {
  const left = condition(e.left, cx);
  const known = constantOf(left);
  if (known !== undefined && (known !== 0n) === (operator === "||"))
    return cx.bool(operator === "||", e.span);
  const right = condition(e.right, cx);
  if (known !== undefined) {
    const value = truth(right);
    return isUnknown(right.type) ? right : { ...value, span: e.span };
  }
  return { op: "logical", operator, left, right, type: { kind: "bool" }, span: e.span };
}

export function binary(
  operator: Operator,
  left: TypedExpression,
  right: TypedExpression,
  span: Span,
  cx: Context,
  operatorSpan: Span = span,
): TypedExpression {
  if (isUnknown(left.type) || isUnknown(right.type))
    return COMPARISONS.has(operator)
      ? { ...cx.bool(false, span), type: cx.unknown(span).type }
      : cx.unknown(span);
  const refuse = (hint?: string): TypedExpression =>
    cx.fail(
      "operator-types",
      operatorSpan,
      `${operator} does not work on ${describe(left.type)} and ${describe(right.type)}`,
      hint,
    );
  if (isNumber(left.type) && isNumber(right.type)) return numeric(operator, left, right, span, cx);
  if (left.type.kind === "pointer" || right.type.kind === "pointer")
    return pointers(operator, left, right, span, cx) ?? refuse();
  if (operator === "==" || operator === "!=")
    return bytes(operator, left, right, span, cx) ?? refuse(castHint(left, right));
  return refuse(
    left.type.kind === "string" && right.type.kind === "string"
      ? "strings compare with == and != only"
      : undefined,
  );
}

function castHint(left: TypedExpression, right: TypedExpression): string | undefined {
  const kinds = [left.type.kind, right.type.kind];
  if (kinds.includes("string") && (kinds.includes("int") || kinds.includes("pointer")))
    return "str() reads the text that an address points to";
  if (kinds.includes("array") && kinds.includes("int"))
    return "cast the array to an integer of the same size, for example (uint32)";
  return undefined;
}

function numeric(
  operator: Operator,
  left: TypedExpression,
  right: TypedExpression,
  span: Span,
  cx: Context,
): TypedExpression {
  const folded = fold(operator, left, right, span, cx);
  if (folded) return folded;
  if (COMPARISONS.has(operator)) return compare(operator, left, right, span);
  const type = arithmeticType(operator, left.type, right.type);
  const shift = operator === "<<" || operator === ">>";
  return {
    op: "binary",
    operator,
    left: convert(left, type)!,
    right: shift ? right : convert(right, type)!,
    type,
    span,
  };
}

function compare(
  operator: Operator,
  left: TypedExpression,
  right: TypedExpression,
  span: Span,
): TypedExpression {
  const type = promote(left.type, right.type)!;
  return {
    op: "binary",
    operator,
    left: convert(left, type)!,
    right: convert(right, type)!,
    type: { kind: "bool" },
    span,
  };
}

/** 64 bits; unsigned when both are and nothing is subtracted. */
function arithmeticType(operator: Operator, left: Type, right: Type): IntType {
  const signedOf = (type: Type, other: Type): boolean =>
    type.kind === "int" &&
    (isFlexible(type) && other.kind === "int" && !isFlexible(other) ? other.signed : type.signed);
  const space = intSpace(left) ?? intSpace(right);
  if (operator === "<<" || operator === ">>")
    return withSpace(widest(left.kind === "int" && left.signed), intSpace(left));
  const signed = operator === "-" || signedOf(left, right) || signedOf(right, left);
  return withSpace(widest(signed), space);
}

/** Arithmetic on constants, with 64 bits. */
function fold(
  operator: Operator,
  left: TypedExpression,
  right: TypedExpression,
  span: Span,
  cx: Context,
): TypedExpression | undefined {
  if (left.op !== "int" || right.op !== "int") {
    if (right.op === "int" && right.value === 0n && (operator === "/" || operator === "%"))
      return cx.fail("division-by-zero", span, "division by zero");
    return undefined;
  }
  const a = left.value;
  const b = right.value;
  if (COMPARISONS.has(operator)) return cx.bool(COMPARE[operator]!(a, b), span);
  if ((operator === "/" || operator === "%") && b === 0n)
    return cx.fail("division-by-zero", span, "division by zero");
  if ((operator === "<<" || operator === ">>") && (b < 0n || b > 63n))
    return cx.fail("shift-range", span, "a number is shifted by 0 to 63 bits");
  const value = ARITHMETIC[operator]!(a, b);
  const literal = (type: Type): boolean =>
    isFlexible(type) || type.kind === "bool" || sameType(type, literalInt(0n));
  if (isFlexible(left.type) && isFlexible(right.type)) {
    if (value < -(1n << 63n) || value >= 1n << 64n)
      return cx.fail("overflow", span, "the result does not fit 64 bits");
    return cx.int(value, span);
  }
  if (left.type.kind === "int" && right.type.kind === "int" && (literal(left.type) || literal(right.type))) {
    const type = arithmeticType(operator, left.type, right.type);
    if (type.signed && value >= -(1n << 63n) && value < 1n << 63n) return cx.int(value, span);
  }
  const type = arithmeticType(operator, left.type, right.type);
  return cx.int(wrapInt(value, type), span, type);
}

const COMPARE: Partial<Record<Operator, (a: bigint, b: bigint) => boolean>> = {
  "==": (a, b) => a === b,
  "!=": (a, b) => a !== b,
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b,
};

const ARITHMETIC: Partial<Record<Operator, (a: bigint, b: bigint) => bigint>> = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => a / b,
  "%": (a, b) => a % b,
  "&": (a, b) => a & b,
  "|": (a, b) => a | b,
  "^": (a, b) => a ^ b,
  "<<": (a, b) => a << b,
  ">>": (a, b) => a >> b,
};

function pointers(
  operator: Operator,
  left: TypedExpression,
  right: TypedExpression,
  span: Span,
  cx: Context,
): TypedExpression | undefined {
  const bothPointers = left.type.kind === "pointer" && right.type.kind === "pointer";
  if (COMPARISONS.has(operator)) {
    if (!bothPointers && !isNumber(left.type) && !isNumber(right.type)) return undefined;
    const address = (value: TypedExpression): TypedExpression =>
      value.op === "int" && value.type.kind === "int"
        ? cx.int(wrapInt(value.value, UINT64), value.span, UINT64)
        : { op: "cast", operand: value, type: UINT64, span: value.span };
    return {
      op: "binary",
      operator,
      left: address(left),
      right: address(right),
      type: { kind: "bool" },
      span,
    };
  }
  const pointer = left.type.kind === "pointer" ? left : right;
  const other = pointer === left ? right : left;
  if (bothPointers || !isNumber(other.type)) return undefined;
  if (operator !== "+" && !(operator === "-" && pointer === left)) return undefined;
  return pointerOffset(operator, pointer, other, span, cx);
}

/** Pointers step by what they point to; void by bytes. */
export function pointerOffset(
  operator: "+" | "-",
  pointer: TypedExpression,
  steps: TypedExpression,
  span: Span,
  cx: Context,
): TypedExpression {
  const { to } = pointer.type as Type & { kind: "pointer" };
  const size = to.kind === "void" ? 1 : stepOf(to);
  const scaled =
    steps.op === "int"
      ? cx.int(steps.value * BigInt(size), steps.span, INT64)
      : size === 1
        ? convert(steps, INT64)!
        : binary("*", convert(steps, INT64)!, cx.int(BigInt(size), steps.span, INT64), steps.span, cx);
  return { op: "binary", operator, left: pointer, right: scaled, type: pointer.type, span };
}

/** Bytes from one element to the next. */
export function stepOf(type: Type): number {
  switch (type.kind) {
    case "struct":
      return Math.max(1, type.layout().size);
    case "array":
      return stepOf(type.of) * type.length;
    case "int":
    case "string":
      return type.size;
    case "pointer":
      return 8;
    default:
      return 1;
  }
}

/** Compared as numbers, without any arithmetic. */
const SCALARS = new Set<Type["kind"]>(["ksym", "username", "probe"]);

function bytes(
  operator: "==" | "!=",
  left: TypedExpression,
  right: TypedExpression,
  span: Span,
  cx: Context,
): TypedExpression | undefined {
  const equal = operator === "==";
  const a = left.type;
  const b = right.type;
  const bool: Type = { kind: "bool" };
  if (a.kind === "string" && b.kind === "string") {
    if (left.op === "string" && right.op === "string")
      return cx.bool((left.value === right.value) === equal, span);
    return { op: "compare-bytes", equal, left, right, type: bool, span };
  }
  if (left.op === "tuple" && right.op === "tuple") {
    const known = sameConstants(left, right);
    if (known !== undefined) return cx.bool(known === equal, span);
  }
  const comparable = ["array", "tuple", "buffer", "inet", "macaddr", "usym", "stack"].includes(a.kind);
  if (a.kind === b.kind && SCALARS.has(a.kind))
    return { op: "binary", operator, left, right, type: bool, span };
  if (!comparable || a.kind !== b.kind) return undefined;
  const type = promote(a, b);
  const l = type && convert(left, type);
  const r = type && convert(right, type);
  return l && r && { op: "compare-bytes", equal, left: l, right: r, type: bool, span };
}

/** Whether two constants are equal; undefined: they are none. */
function sameConstants(a: TypedExpression, b: TypedExpression): boolean | undefined {
  if (a.op === "int" && b.op === "int") return a.value === b.value;
  if (a.op === "string" && b.op === "string") return a.value === b.value;
  if (a.op !== "tuple" || b.op !== "tuple" || a.elements.length !== b.elements.length) return undefined;
  const [names, others] = [a, b].map(({ type }) => (type.kind === "tuple" ? String(type.names ?? "") : ""));
  if (names !== others) return undefined;
  const each = a.elements.map((element, i) => sameConstants(element, b.elements[i]));
  return each.includes(undefined) ? undefined : each.every(Boolean);
}

export function checkUnary(e: Expression & { kind: "unary" }, cx: Context): TypedExpression {
  switch (e.operator) {
    case "!": {
      const operand = condition(e.operand, cx);
      if (isUnknown(operand.type)) return operand;
      const known = constantOf(operand);
      if (known !== undefined) return cx.bool(known === 0n, e.span);
      return { op: "unary", operator: "!", operand, type: { kind: "bool" }, span: e.span };
    }
    case "-":
    case "~":
    case "+": {
      const operand = cx.expression(e.operand);
      if (isUnknown(operand.type)) return operand;
      if (operand.type.kind !== "int")
        return cx.fail("operator-types", e.span, `${e.operator} does not work on ${describe(operand.type)}`);
      if (e.operator === "+") return operand;
      return negate(e.operator, operand, e.span, cx);
    }
    default:
      throw new Error(`operator ${e.operator} is checked elsewhere`);
  }
}

function negate(operator: "-" | "~", operand: TypedExpression, span: Span, cx: Context): TypedExpression {
  const from = operand.type as IntType;
  const type = operator === "-" ? INT64 : widest(from.signed);
  if (operand.op === "int") {
    const value = operator === "-" ? -operand.value : ~operand.value;
    return isFlexible(from) || sameType(from, literalInt(operand.value))
      ? cx.int(value, span)
      : cx.int(wrapInt(value, type), span, type);
  }
  return { op: "unary", operator, operand: convert(operand, type)!, type, span };
}
