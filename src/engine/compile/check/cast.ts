/** Casts, and sizeof and offsetof, which need types only. */
import type { Expression } from "../ast.ts";
import type { TypedExpression } from "../typed.ts";
import { type AddressSpace, int, sizeOf, type Type, UINT64 } from "../types.ts";
import { asArray, fieldNames, findField } from "./access.ts";
import type { Context } from "./context.ts";
import { convert, truth } from "./convert.ts";
import { describe } from "./describe.ts";
import { didYouMean, someOf } from "./nearest.ts";
import { intSpace, isFlexible, isUnknown, sameType, wrapInt } from "./promote.ts";

export function checkCast(e: Expression & { kind: "cast" }, cx: Context): TypedExpression {
  const read = cx.expression(e.operand);
  const written = cx.script.definitions.resolve(e.type, cx);
  if (!written || isUnknown(read.type)) return cx.unknown(e.span);
  const operand = written.kind === "array" || written.kind === "int" ? asArray(read) : read;
  const target = sized(written, operand.type);
  const made = castTo(literalOfSize(operand, target), target, cx);
  if (made) return { ...made, span: e.span };
  const from = describe(operand.type);
  return cx.fail(
    "cast",
    e.span,
    `${from} cannot be cast to ${describe(target)}`,
    target.kind === "struct"
      ? `cast to a pointer and read what it leads to: *(${describe(target)} *)…`
      : target.kind === "array" && operand.type.kind === "int"
        ? `sizes must be equal: ${from} has ${sizeOf(operand.type)} bytes, ${describe(target)} has ${sizeOf(target)}`
        : undefined,
  );
}

/** `(int8[])x` takes the length that x has. */
function sized(target: Type, from: Type): Type {
  if (target.kind !== "array" || target.length > 0) return target;
  return { ...target, length: Math.floor(sizeOf(from) / Math.max(1, sizeOf(target.of))) };
}

/** A literal has no size of its own: it takes the array's. */
function literalOfSize(operand: TypedExpression, target: Type): TypedExpression {
  const size = target.kind === "array" ? sizeOf(target) : 0;
  if (operand.op !== "int" || !isFlexible(operand.type) || ![1, 2, 4, 8].includes(size)) return operand;
  return { ...operand, type: int(size as 1 | 2 | 4 | 8, true) };
}

/** Where a pointer made of this value leads. */
function spaceFrom(value: TypedExpression, cx: Context): AddressSpace {
  if (value.type.kind === "pointer") return value.type.space;
  return intSpace(value.type) ?? cx.space;
}

function castTo(operand: TypedExpression, target: Type, cx: Context): TypedExpression | undefined {
  const from = operand.type;
  const { span } = operand;
  const cast = (type: Type): TypedExpression => ({ op: "cast", operand, type, span });
  const fixed =
    target.kind === "int" ? { ...target, ...(intSpace(from) ? { space: intSpace(from) } : {}) } : target;
  switch (target.kind) {
    case "int":
      if (operand.op === "int" && (from.kind === "int" || from.kind === "bool"))
        return { ...operand, value: wrapInt(operand.value, target), type: fixed };
      if (from.kind === "int" || from.kind === "bool" || from.kind === "pointer")
        return sameType(from, target) ? { ...operand, type: fixed } : cast(fixed);
      if (from.kind === "ksym" || from.kind === "username") return cast(target);
      return from.kind === "array" && isBytes(from) && sizeOf(from) === target.size
        ? cast(target)
        : undefined;
    case "bool":
      if (from.kind === "string") return stringTruth(operand);
      if (from.kind === "pointer") return truth({ op: "cast", operand, type: UINT64, span });
      return from.kind === "int" || from.kind === "bool" ? truth(operand) : undefined;
    case "pointer": {
      if (from.kind !== "int" && from.kind !== "pointer") return undefined;
      return cast({ ...target, space: spaceFrom(operand, cx) });
    }
    case "array":
      if (from.kind === "int" || isBytes(from))
        return sizeOf(from) === sizeOf(target) ? cast(target) : undefined;
      return undefined;
    case "string":
      if (from.kind === "string")
        return target.size >= from.size ? (convert(operand, target) ?? undefined) : undefined;
      return from.kind === "array" &&
        from.of.kind === "int" &&
        from.of.size === 1 &&
        target.size >= from.length
        ? { op: "call", name: "str.array", arguments: [operand], type: target, span }
        : undefined;
    case "username":
      return from.kind === "int" ? cast(target) : from.kind === "username" ? operand : undefined;
    case "ksym":
      return from.kind === "int" || from.kind === "pointer"
        ? { op: "call", name: "ksym", arguments: [operand], type: target, span }
        : undefined;
    default:
      return sameType(from, target) ? operand : undefined;
  }
}

const isBytes = (type: Type): boolean =>
  type.kind === "string" ||
  (type.kind === "array" && (type.of.kind === "int" || type.of.kind === "bool" || type.of.kind === "array"));

function stringTruth(operand: TypedExpression): TypedExpression {
  const { span } = operand;
  const empty: TypedExpression = { op: "string", value: "", type: { kind: "string", size: 1 }, span };
  if (operand.op === "string")
    return { op: "int", value: operand.value === "" ? 0n : 1n, type: { kind: "bool" }, span };
  return { op: "compare-bytes", equal: false, left: operand, right: empty, type: { kind: "bool" }, span };
}

/** The type that sizeof, offsetof and typeof are asked about. */
export function typeOfOperand(of: (Expression & { kind: "sizeof" })["of"], cx: Context): Type | undefined {
  if (of.kind !== "type") return cx.typeOf(of);
  const { base, tag, modifiers, typeof: inner, span } = of.type;
  const constant =
    !tag && !inner && modifiers.length === 0 && cx.script.definitions.constant(base, cx.program);
  if (constant) return cx.typeOf({ kind: "identifier", name: base, span });
  return cx.script.definitions.resolve(of.type, cx);
}

export function checkSizeof(e: Expression & { kind: "sizeof" }, cx: Context): TypedExpression {
  const type = typeOfOperand(e.of, cx);
  return type ? cx.int(BigInt(sizeOf(type)), e.span, int(8, false)) : cx.unknown(e.span);
}

export function checkOffsetof(e: Expression & { kind: "offsetof" }, cx: Context): TypedExpression {
  let type = typeOfOperand(e.of, cx);
  if (!type) return cx.unknown(e.span);
  if (type.kind === "pointer") type = type.to;
  let offset = 0;
  for (const name of e.path) {
    if (type.kind !== "struct") return cx.fail("no-members", e.span, `${describe(type)} has no members`);
    const field = findField(type, name);
    if (!field) {
      const names = fieldNames(type);
      return cx.fail(
        "unknown-field",
        e.span,
        `${describe(type)} has no member ${name}`,
        didYouMean(name, names) ?? `it has ${someOf(names)}`,
      );
    }
    offset += field.offset;
    type = field.type;
  }
  return cx.int(BigInt(offset), e.span, int(8, false));
}
