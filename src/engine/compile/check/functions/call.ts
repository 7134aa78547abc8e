/** A call being checked, and the ways in which functions take their arguments. */
import type { Expression } from "../../ast.ts";
import type { Span } from "../../diagnostic.ts";
import { parseNumber } from "../../parse/literals.ts";
import type { TypedExpression, TypedStatement } from "../../typed.ts";
import type { IntType } from "../../types.ts";
import { isAggregation, type Type, UINT64 } from "../../types.ts";
import type { Context } from "../context.ts";
import { convert } from "../convert.ts";
import { describe } from "../describe.ts";
import { isUnknown, isVoid, withSpace } from "../promote.ts";

export type CallExpression = Expression & { kind: "call" };

/** Gives a value. */
export type CheckValue = (call: CallExpression, cx: Context) => TypedExpression;
/** Does something; gives no value. */
export type CheckAction = (call: CallExpression, cx: Context) => TypedStatement[];

/** Source of an argument; types (sizeof's kind) are refused. */
export function source(call: CallExpression, index: number, cx: Context): Expression | undefined {
  const argument = call.arguments[index];
  if (argument === undefined) return undefined;
  if (argument.kind !== "type") return argument;
  cx.error("argument-type", argument.span, `${call.name}() takes a value here, not a type`);
  return undefined;
}

/** An argument's value; aggregations and things without value are refused. */
export function value(call: CallExpression, index: number, cx: Context): TypedExpression {
  const argument = source(call, index, cx);
  if (!argument) return cx.unknown(call.span);
  const typed = cx.expression(argument);
  if (isVoid(typed.type) || isAggregation(typed.type))
    return cx.fail("argument-type", typed.span, `this has no value that ${call.name}() could take`);
  return typed;
}

function wrongType(
  call: CallExpression,
  index: number,
  got: TypedExpression,
  wanted: string,
  cx: Context,
): TypedExpression {
  if (isUnknown(got.type)) return got;
  return cx.fail(
    "argument-type",
    got.span,
    `argument ${index + 1} of ${call.name}() is ${wanted}, and this is ${describe(got.type)}`,
  );
}

/** A number of any width. */
export function integer(call: CallExpression, index: number, cx: Context): TypedExpression {
  const typed = value(call, index, cx);
  if (typed.type.kind === "int" || isUnknown(typed.type)) return typed;
  if (typed.type.kind === "bool") return convert(typed, UINT64)!;
  return wrongType(call, index, typed, "a number", cx);
}

/** A number or a pointer, as an address. */
export function address(call: CallExpression, index: number, cx: Context): TypedExpression {
  const typed = value(call, index, cx);
  if (typed.type.kind === "int" || typed.type.kind === "pointer" || isUnknown(typed.type)) return typed;
  return wrongType(call, index, typed, "an address", cx);
}

/** Text of any size: a string, or something that holds one. */
export function text(call: CallExpression, index: number, cx: Context): TypedExpression {
  const argument = source(call, index, cx);
  if (argument?.kind === "positional") return positionalText(argument, cx);
  const typed = value(call, index, cx);
  if (typed.type.kind === "string" || isUnknown(typed.type)) return typed;
  if (cx.group.named && typed.type.kind === "probe")
    return cx.string(cx.group.probes[0].label ?? cx.group.probes[0].name, typed.span);
  if (typed.type.kind === "array" && typed.type.of.kind === "int" && typed.type.of.size === 1)
    return {
      op: "call",
      name: "str.array",
      arguments: [typed],
      type: { kind: "string", size: typed.type.length },
      span: typed.span,
    };
  if (typed.type.kind === "pointer" && typed.type.to.kind === "int" && typed.type.to.size === 1)
    return {
      op: "call",
      name: "str",
      arguments: [typed],
      type: { kind: "string", size: cx.maxStrlen },
      span: typed.span,
    };
  return wrongType(call, index, typed, "text", cx);
}

/** "42", "-1", "0x10", "0755": a parameter that reads as a number; undefined: it is text. */
export function commandLineNumber(given: string): bigint | undefined {
  const [, sign, digits] = /^(-?)(0x[0-9a-f]+|\d[\d_]*)$/i.exec(given) ?? [];
  const parsed = digits === undefined ? undefined : parseNumber(digits);
  if (!parsed || "error" in parsed) return undefined;
  return sign ? -parsed.value : parsed.value;
}

export const positionalText = (e: Expression & { kind: "positional" }, cx: Context): TypedExpression =>
  cx.string(
    e.index < 0
      ? String(cx.script.options.positional?.length ?? 0)
      : (cx.script.options.positional?.[e.index - 1] ?? ""),
    e.span,
  );

/** Text known before the script runs. */
export function literalText(call: CallExpression, index: number, cx: Context): string | undefined {
  const argument = source(call, index, cx);
  if (!argument) return undefined;
  const typed = argument.kind === "positional" ? positionalText(argument, cx) : cx.expression(argument);
  if (typed.op === "string") return typed.value;
  if (!isUnknown(typed.type))
    cx.error(
      "not-constant",
      argument.span,
      `argument ${index + 1} of ${call.name}() must be a string literal`,
    );
  return undefined;
}

/** A number known before the script runs. */
export function literalInteger(call: CallExpression, index: number, cx: Context): bigint | undefined {
  const argument = source(call, index, cx);
  if (!argument) return undefined;
  const typed = cx.expression(argument);
  if (typed.op === "int" && typed.type.kind === "int") return typed.value;
  if (!isUnknown(typed.type))
    cx.error(
      "not-constant",
      argument.span,
      `argument ${index + 1} of ${call.name}() must be a number known before the script runs`,
    );
  return undefined;
}

export const op = (
  name: string,
  args: TypedExpression[],
  type: Type,
  span: Span,
  data?: Record<string, string | number | bigint | boolean>,
): TypedExpression => ({ op: "call", name, arguments: args, type, span, ...(data ? { data } : {}) });

/** An address as a pointer to bytes, where it leads to being kept. */
export function asPointer(typed: TypedExpression, cx: Context): TypedExpression {
  if (typed.type.kind !== "int") return typed;
  const space = (typed.type as IntType & { space?: "kernel" | "user" }).space ?? cx.space;
  return {
    op: "cast",
    operand: typed,
    type: { kind: "pointer", to: { kind: "int", size: 1, signed: true }, space },
    span: typed.span,
  };
}

export const addressIn = (space: "kernel" | "user"): IntType => withSpace(UINT64 as IntType, space);
