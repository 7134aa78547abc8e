/** Expressions: each kind of node has its checker. */
import type { Block, Expression } from "../ast.ts";
import { KNOWN_CONSTANTS } from "../tables/constants.ts";
import { functionNames } from "../tables/functions.ts";
import type { TypedBlock, TypedExpression } from "../typed.ts";
import { INT64, isAggregation, type Type, VOID } from "../types.ts";
import { addressOf, checkField, checkIndex, dereference } from "./access.ts";
import { numberedArgument, returnValue, wholeArguments } from "./arguments.ts";
import { builtinCall, callValue } from "./calls.ts";
import { checkCast, checkOffsetof, checkSizeof } from "./cast.ts";
import { isDecided, waits } from "./comptime.ts";
import type { Context } from "./context.ts";
import { convert } from "./convert.ts";
import { describe } from "./describe.ts";
import { commandLineNumber } from "./functions/call.ts";
import { mapPlace, readMap } from "./maps.ts";
import { didYouMean } from "./nearest.ts";
import { checkBinary, checkUnary, condition, constantOf, stepOf } from "./operators.ts";
import { isUnknown, isVoid, promote, UNKNOWN } from "./promote.ts";
import { refusedByName } from "./refused.ts";

export function checkExpression(e: Expression, cx: Context): TypedExpression {
  switch (e.kind) {
    case "integer":
      return cx.int(e.value, e.span);
    case "string":
      return cx.string(e.value, e.span);
    case "boolean":
      return cx.bool(e.value, e.span);
    case "identifier":
      return identifier(e, cx);
    case "variable":
      return variable(e, cx);
    case "map":
      return readMap(e, cx);
    case "positional":
      return positional(e, cx);
    case "call":
      return named(e.name, e.span, cx, e.arguments.length === 0) ?? callValue(e, cx);
    case "unary":
      if (e.operator === "*") return dereference(cx.expression(e.operand), e.span, cx);
      return e.operator === "&" ? addressOf(e, cx) : checkUnary(e, cx);
    case "increment":
      return increment(e, cx);
    case "binary":
      return checkBinary(e, cx);
    case "ternary":
      return branch(e.condition, e.then, e.else, e.span, cx);
    case "if-expression":
      return ifExpression(e, cx);
    case "cast":
      return checkCast(e, cx);
    case "field":
      return checkField(e, cx);
    case "index":
      return checkIndex(e, cx);
    case "tuple":
      return tuple(e.elements, undefined, e, cx);
    case "record":
      return tuple(
        e.fields.map((field) => field.value),
        e.fields.map((field) => field.name),
        e,
        cx,
      );
    case "sizeof":
      return checkSizeof(e, cx);
    case "offsetof":
      return checkOffsetof(e, cx);
    case "block":
      return blockValue(e.body, e.span, cx);
    case "error":
      return cx.unknown(e.span);
  }
}

/** Names that belong to the probe. */
function named(
  name: string,
  span: Expression["span"],
  cx: Context,
  bare: boolean,
): TypedExpression | undefined {
  if (!bare) return undefined;
  const plain = name.replace(/^__builtin_/, "");
  const argN = /^arg(\d{1,3})$/.exec(plain);
  if (argN) return numberedArgument(Number(argN[1]), span, cx);
  if (plain === "args") return wholeArguments(span, cx);
  if (plain === "retval") return returnValue(span, cx);
  if (plain === "ctx") return context(span, cx);
  if (/^sarg\d+$/.test(plain))
    return cx.fail(
      "not-supported",
      span,
      `${plain} is no longer part of the language`,
      'read the stack: *(uint64 *)(reg("sp") + 8)',
    );
  return undefined;
}

function context(span: Expression["span"], cx: Context): TypedExpression {
  const [{ attach }] = cx.group.probes;
  const name =
    attach.kind === "iter"
      ? `bpf_iter__${attach.target}`
      : attach.kind === "kprobe" || attach.kind === "uprobe"
        ? "pt_regs"
        : "";
  const to: Type = cx.script.definitions.struct(name, false) ?? VOID;
  return { op: "context", type: { kind: "pointer", to, space: "kernel" }, span };
}

function identifier(e: Expression & { kind: "identifier" }, cx: Context): TypedExpression {
  const own = named(e.name, e.span, cx, true);
  if (own) return own;
  const call = builtinCall(e);
  if (call) return callValue(call, cx);
  const constant = cx.script.definitions.constant(e.name, cx.program);
  if (constant)
    return {
      op: "int",
      value: constant.value,
      type: { kind: "int", size: 8, signed: constant.value < 0n, enum: constant.type },
      span: e.span,
    };
  if (refusedByName(e.name, e.span, cx)) return cx.unknown(e.span);
  if (Object.hasOwn(KNOWN_CONSTANTS, e.name)) return cx.int(BigInt(KNOWN_CONSTANTS[e.name]), e.span);
  const candidates = [
    ...functionNames(),
    ...cx.script.definitions.constantNames(),
    "args",
    "retval",
    "arg0",
    ...cx.variableNames(),
  ];
  return cx.fail(
    "unknown-name",
    e.span,
    `there is no ${e.name}`,
    cx.lookup(`$${e.name}`) ? `did you mean $${e.name}?` : didYouMean(e.name, candidates),
  );
}

function variable(e: Expression & { kind: "variable" }, cx: Context): TypedExpression {
  const found = cx.lookup(e.name);
  if (!found)
    return cx.fail(
      "undefined-variable",
      e.span,
      `${e.name} has no value here`,
      didYouMean(e.name, cx.variableNames()) ??
        "variables belong to the block that first assigns them; let declares one further out",
    );
  return { op: "local", local: found.local, type: found.local.type, span: e.span };
}

/** `$1` is a number when it reads as one, else text; not given: 0. */
function positional(e: Expression & { kind: "positional" }, cx: Context): TypedExpression {
  const given = cx.script.options.positional ?? [];
  if (e.index < 0) return cx.int(BigInt(given.length), e.span);
  const text = given[e.index - 1];
  if (text === undefined) return cx.int(0n, e.span);
  const value = commandLineNumber(text);
  if (value !== undefined) {
    if (value < -(1n << 63n) || value >= 1n << 64n)
      return cx.fail("bad-number", e.span, `parameter ${e.index}, ${text}, does not fit 64 bits`);
    return cx.int(value, e.span);
  }
  return cx.string(text, e.span);
}

function increment(e: Expression & { kind: "increment" }, cx: Context): TypedExpression {
  const sign = e.operator === "++" ? 1n : -1n;
  const refuse = (type: Type) =>
    cx.fail(
      "operator-types",
      e.span,
      isAggregation(type)
        ? `${e.operator} does not work on a map that holds ${describe(type)}`
        : `${e.operator} does not work on ${describe(type)}`,
    );
  const step = (type: Type): bigint => (type.kind === "pointer" ? sign * BigInt(stepOf(type.to)) : sign);
  if (e.target.kind === "variable") {
    const found = cx.lookup(e.target.name);
    if (!found) return variable(e.target, cx);
    const { local } = found;
    if (isUnknown(local.type)) {
      cx.inference.countLocal(cx.group, found.declaration);
      return cx.unknown(e.span);
    }
    if (local.type.kind === "int") {
      if (!found.fixed) cx.inference.growLocal(cx.group, found.declaration, grownBy(local.type, e.operator));
    } else if (local.type.kind !== "pointer") return refuse(local.type);
    return {
      op: "increment",
      target: { local },
      delta: step(local.type),
      prefix: e.prefix,
      type: local.type,
      span: e.span,
    };
  }
  if (e.target.kind !== "map")
    return cx.fail("not-assignable", e.span, `${e.operator} needs a variable or a map`);
  const place = mapPlace(e.target, cx);
  if (!place) return cx.unknown(e.span);
  const { facts, info, key } = place;
  if (isUnknown(facts.value)) {
    facts.pending = true;
    return cx.unknown(e.span);
  }
  if (facts.value.kind !== "pointer") {
    if (facts.value.kind !== "int") return refuse(facts.value);
    cx.inference.growValue(facts, grownBy(facts.value, e.operator));
  }
  return {
    op: "increment",
    target: key ? { map: info, key } : { map: info },
    delta: step(facts.value),
    prefix: e.prefix,
    type: facts.value,
    span: e.span,
  };
}

/** Counting needs all 64 bits; counting down, a sign. */
const grownBy = (type: Type, operator: "++" | "--"): Type =>
  type.kind === "int" && !type.signed && operator === "++" ? { ...INT64, signed: false } : INT64;

/** `condition ? a : b`, and if as an expression. A condition known beforehand leaves one branch. */
function branch(
  test: Expression,
  then: Expression,
  otherwise: Expression,
  span: Expression["span"],
  cx: Context,
): TypedExpression {
  const when = condition(test, cx);
  const known = constantOf(when);
  if (known !== undefined) return cx.expression(known !== 0n ? then : otherwise);
  return choose(when, cx.expression(then), cx.expression(otherwise), span, cx);
}

function choose(
  when: TypedExpression,
  then: TypedExpression,
  otherwise: TypedExpression,
  span: Expression["span"],
  cx: Context,
): TypedExpression {
  if (isVoid(then.type) && isVoid(otherwise.type))
    return { op: "ternary", condition: when, then, else: otherwise, type: VOID, span };
  const type = promote(then.type, otherwise.type);
  const a = type && convert(then, type);
  const b = type && convert(otherwise, type);
  if (!a || !b)
    return cx.fail(
      "branch-types",
      span,
      `both branches must be of one type, and they are ${describe(then.type)} and ${describe(otherwise.type)}`,
    );
  return { op: "ternary", condition: when, then: a, else: b, type, span };
}

function ifExpression(e: Expression & { kind: "if-expression" }, cx: Context): TypedExpression {
  if (e.comptime && waits(e.then, cx)) return cx.unknown(e.span);
  const when = condition(e.condition, cx);
  const known = constantOf(when);
  if (e.comptime && !isDecided(e.then, e.condition, known, cx)) return cx.unknown(e.span);
  const empty: Block = { statements: [], span: e.span };
  if (known !== undefined) return blockValue(known !== 0n ? e.then : (e.else ?? empty), e.span, cx);
  return choose(when, blockValue(e.then, e.span, cx), blockValue(e.else ?? empty, e.span, cx), e.span, cx);
}

/** A block's value: that of its last expression. */
function blockValue(body: Block, span: Expression["span"], cx: Context): TypedExpression {
  const typed: TypedBlock = cx.block(body);
  if (typed.statements.length === 0 && typed.result) return typed.result;
  const type = typed.result?.type ?? (body.result && body.result.kind !== "call" ? UNKNOWN : VOID);
  return { op: "block", body: typed, type, span };
}

function tuple(
  elements: readonly Expression[],
  names: string[] | undefined,
  e: Expression,
  cx: Context,
): TypedExpression {
  const values = elements.map((element) => {
    const typed = cx.expression(element);
    if (isVoid(typed.type))
      return cx.fail("no-value", typed.span, "this has no value that a tuple could hold");
    return typed;
  });
  if (values.some((element) => isUnknown(element.type))) return cx.unknown(e.span);
  const type: Type = {
    kind: "tuple",
    elements: values.map((element) => element.type),
    ...(names ? { names } : {}),
  };
  return { op: "tuple", elements: values, type, span: e.span };
}
