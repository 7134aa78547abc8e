/** Statements: assignments, control flow, and calls that do something. */
import type { Block, Expression, Statement } from "../ast.ts";
import { functionNamed } from "../tables/functions.ts";
import type { TypedBlock, TypedExpression, TypedStatement } from "../typed.ts";
import { INT64, isAggregation, type Type, UINT64 } from "../types.ts";
import { callAction, rowFor } from "./calls.ts";
import { isDecided, waits } from "./comptime.ts";
import type { Context } from "./context.ts";
import { convert } from "./convert.ts";
import { describe } from "./describe.ts";
import { returnFrom } from "./functions/own.ts";
import { mapPlace, reportUnset } from "./maps.ts";
import { binary, condition, constantOf } from "./operators.ts";
import { aggregationInt, isCastableAggregation, isUnknown, isVoid, promote } from "./promote.ts";
import { mismatch, outOfRange, store } from "./store.ts";

type Of<K extends Statement["kind"]> = Statement & { kind: K };

const MAX_UNROLL = 1024n;
/** Repetitions in one action, those of nested unrolls multiplied. */
const MAX_UNROLLED = 8192;

export function checkBlock(block: Block, cx: Context): TypedBlock {
  const statements = block.statements.flatMap((statement) => cx.statement(statement));
  if (!block.result) return { statements };
  const action = asAction(block.result, cx);
  if (action) return { statements: [...statements, ...action] };
  const result = cx.expression(block.result);
  return { statements, result };
}

/** An action's, a loop's or a branch's body: what the last expression gives is dropped. */
export function checkBody(block: Block, cx: Context): TypedBlock {
  const { result, statements } = block;
  const all: Block = result
    ? {
        statements: [...statements, { kind: "expression", expression: result, span: result.span }],
        span: block.span,
      }
    : block;
  return cx.block(all);
}

export function checkStatement(s: Statement, cx: Context): TypedStatement[] {
  switch (s.kind) {
    case "expression":
      return expressionStatement(s, cx);
    case "discard": {
      const value = cx.expression(s.expression);
      return isUnknown(value.type) ? [] : [{ op: "expression", value, span: s.span }];
    }
    case "assign":
      return assign(s, cx);
    case "let":
      return letStatement(s, cx);
    case "if":
      return ifStatement(s.condition, s.then, s.else, !!s.comptime, s.span, cx);
    case "unroll":
      return unroll(s, cx);
    case "while": {
      const when = condition(s.condition, cx);
      const body = cx.inLoop(() => checkBody(s.body, cx));
      return [{ op: "while", condition: when, body, span: s.span }];
    }
    case "for-range":
      return forRange(s, cx);
    case "for-map":
      return forMap(s, cx);
    case "block":
      return [{ op: "block", body: checkBody(s.body, cx), span: s.span }];
    case "break":
    case "continue":
      if (cx.loops === 0) {
        cx.error("outside-loop", s.span, `${s.kind} stands in no loop`);
        return [];
      }
      return [{ op: s.kind, span: s.span }];
    case "return":
      return returnStatement(s, cx);
    case "error":
      return [];
  }
}

/** Calls without value, and conditionals between them, as the statements they are. */
function asAction(e: Expression, cx: Context): TypedStatement[] | undefined {
  if (e.kind === "call") return callAction(e, cx);
  if (e.kind === "ternary" && isAction(e.then) && isAction(e.else)) {
    const body = (expression: Expression): Block => ({
      statements: [{ kind: "expression", expression, span: expression.span }],
      span: expression.span,
    });
    return ifStatement(e.condition, body(e.then), body(e.else), false, e.span, cx);
  }
  return undefined;
}

const isAction = (e: Expression): boolean =>
  (e.kind === "call" && !!functionNamed(e.name)?.action) ||
  (e.kind === "ternary" && isAction(e.then) && isAction(e.else));

function expressionStatement(s: Of<"expression">, cx: Context): TypedStatement[] {
  const { expression } = s;
  const action = asAction(expression, cx);
  if (action) return action;
  if (expression.kind === "if-expression")
    return ifStatement(
      expression.condition,
      expression.then,
      expression.else,
      !!expression.comptime,
      s.span,
      cx,
    );
  if (expression.kind === "block")
    return [{ op: "block", body: checkBody(expression.body, cx), span: s.span }];
  const value = cx.expression(expression);
  if (isUnknown(value.type)) return [];
  const isKfunc = value.op === "call" && value.name === "kfunc";
  const isOwn = expression.kind === "call" && cx.script.functions.has(expression.name);
  if (!isKfunc && !isOwn && !hasEffect(expression)) {
    cx.report.warning("discarded", s.span, "the value of this expression is not used", {
      hint: "assign it, print it, or write _ = … to discard it",
    });
    return [];
  }
  return [{ op: "expression", value, span: s.span }];
}

/** Values that are made for what making them does. */
const EFFECTS = new Set(["delete", "signal", "signal_thread", "override", "write_user", "find", "skboutput"]);

function hasEffect(e: Expression): boolean {
  switch (e.kind) {
    case "increment":
    case "block":
    case "if-expression":
      return true;
    case "call":
      return EFFECTS.has(e.name);
    case "ternary":
      return hasEffect(e.then) || hasEffect(e.else);
    case "binary":
      return hasEffect(e.left) || hasEffect(e.right);
    case "unary":
      return hasEffect(e.operand);
    case "cast":
      return hasEffect(e.operand);
    default:
      return false;
  }
}

function assign(s: Of<"assign">, cx: Context): TypedStatement[] {
  const { target } = s;
  if (target.kind === "variable") return assignVariable(s, target, cx);
  if (target.kind === "map") return assignMap(s, target, cx);
  if (target.kind !== "error") {
    cx.expression(s.value);
    cx.error("not-assignable", target.span, "only variables and maps can be assigned to");
  }
  return [];
}

/** The value of `target op= value`. */
function compound(s: Of<"assign">, current: TypedExpression | undefined, cx: Context): TypedExpression {
  const value = cx.expression(s.value);
  if (s.operator === "=" || !current) return value;
  type Operator = (TypedExpression & { op: "binary" })["operator"];
  return binary(s.operator.slice(0, -1) as Operator, current, value, s.span, cx);
}

const noValue = (value: TypedExpression, name: string, cx: Context): boolean => {
  if (!isVoid(value.type)) return false;
  cx.error("no-value", value.span, `there is no value here that ${name} could take`);
  return true;
};

function assignVariable(
  s: Of<"assign">,
  target: Expression & { kind: "variable" },
  cx: Context,
): TypedStatement[] {
  const { name } = target;
  const found = cx.lookup(name);
  if (!found && s.operator !== "=") {
    cx.expression(s.value);
    cx.error("undefined-variable", target.span, `${name} has no value yet`, `assign one first: ${name} = 0`);
    return [];
  }
  const current: TypedExpression | undefined = found && {
    op: "local",
    local: found.local,
    type: found.local.type,
    span: target.span,
  };
  const value = compound(s, current, cx);
  if (noValue(value, name, cx)) return [];
  const variable = found ?? { declaration: s, fixed: undefined, local: cx.declare(name, s, target.span) };
  return store(variable, value, name, s.span, cx);
}

/** `@m = { …; count() }`: the assignment goes to the end of the block. */
function blockAggregate(s: Of<"assign">, cx: Context): TypedStatement[] | undefined {
  if (s.operator !== "=" || s.value.kind !== "block") return undefined;
  const { body } = s.value;
  const last = body.result;
  if (last?.kind !== "call" || !functionNamed(last.name)?.aggregate) return undefined;
  const statements: Statement[] = [...body.statements, { ...s, value: last }];
  return [{ op: "block", body: checkBody({ statements, span: body.span }, cx), span: s.span }];
}

function assignMap(s: Of<"assign">, target: Expression & { kind: "map" }, cx: Context): TypedStatement[] {
  if (s.operator === "=" && s.value.kind === "call" && functionNamed(s.value.name)?.aggregate)
    return aggregate(s, target, s.value, cx);
  const inBlock = blockAggregate(s, cx);
  if (inBlock) return inBlock;
  const place = mapPlace(target, cx);
  if (!place) {
    cx.expression(s.value);
    return [];
  }
  const { facts, info } = place;
  const { key, before } = s.operator === "=" ? { key: place.key, before: [] } : evaluatedOnce(place.key);
  let current: TypedExpression | undefined;
  if (s.operator !== "=") {
    if (isAggregation(facts.value)) {
      cx.expression(s.value);
      cx.error(
        "type-mismatch",
        s.span,
        `${facts.name} holds ${describe(facts.value)}, which ${s.operator} cannot change`,
        `use ${facts.name} = ${facts.value.kind}(…)`,
      );
      return [];
    }
    const type = isUnknown(facts.value) ? INT64 : facts.value;
    if (isUnknown(facts.value)) cx.inference.growValue(facts, INT64);
    current = { op: "map-get", map: info, ...(key ? { key } : {}), type, span: target.span };
  }
  const value = compound(s, current, cx);
  if (noValue(value, facts.name, cx)) return [];
  if (isUnknown(value.type)) {
    facts.pending = true;
    return [];
  }
  if (fromAggregation(s.value, value, facts.value, cx)) return [];
  if (!cx.inference.growValue(facts, value.type)) {
    cx.error(
      "type-mismatch",
      value.span,
      `${facts.name} holds ${describe(facts.value)}, and this is ${describe(value.type)}`,
      isAggregation(facts.value)
        ? "a map is filled by one function only"
        : "a map keeps the type of what it is first given",
    );
    return [];
  }
  if (outOfRange(facts.name, value, facts.value, cx)) return [];
  const converted = convert(value, facts.value);
  if (!converted) return cx.final ? mismatch(facts.name, value, facts.value, cx) : [];
  const set: TypedStatement = {
    op: "set-map",
    map: info,
    ...(key ? { key } : {}),
    value: converted,
    span: s.span,
  };
  return before.length ? [{ op: "block", body: { statements: [...before, set] }, span: s.span }] : [set];
}

/** A key that would give another value, or do something, when it is read and written: kept in a variable. */
function evaluatedOnce(key: TypedExpression | undefined): {
  key?: TypedExpression;
  before: TypedStatement[];
} {
  if (!key || isStable(key)) return { ...(key ? { key } : {}), before: [] };
  const local = { name: "", type: key.type, addressed: false, span: key.span };
  return {
    key: { op: "local", local, type: key.type, span: key.span },
    before: [{ op: "set-local", local, value: key, span: key.span }],
  };
}

const UNSTABLE = new Set(["rand", "nsecs", "nsecs.monotonic", "nsecs.tai", "elapsed", "cpu"]);

function isStable(e: TypedExpression): boolean {
  switch (e.op) {
    case "builtin":
      return !UNSTABLE.has(e.name);
    case "increment":
    case "block":
    case "call":
    case "map-get":
      return false;
    case "tuple":
      return e.elements.every(isStable);
    case "binary":
    case "logical":
    case "compare-bytes":
      return isStable(e.left) && isStable(e.right);
    case "unary":
    case "cast":
      return isStable(e.operand);
    case "ternary":
      return isStable(e.condition) && isStable(e.then) && isStable(e.else);
    case "field":
    case "tuple-element":
      return isStable(e.base);
    case "index":
      return isStable(e.base) && isStable(e.index);
    case "deref":
      return isStable(e.pointer);
    default:
      return true;
  }
}

/** `@a = @count`: what is meant is not clear unless @a holds integers already. */
function fromAggregation(source: Expression, value: TypedExpression, target: Type, cx: Context): boolean {
  if (source.kind !== "map" || value.op !== "map-get") return false;
  const held = cx.inference.map(source.name, source.span).value;
  if (!isAggregation(held) || target.kind === "int") return false;
  if (!cx.final && isUnknown(target)) return true;
  cx.error(
    "aggregation-copy",
    source.span,
    `${source.name} holds ${describe(held)}, which no other map can take`,
    `add a cast for its value now: (int64)${source.name}`,
  );
  return true;
}

function aggregate(
  s: Of<"assign">,
  target: Expression & { kind: "map" },
  call: Expression & { kind: "call" },
  cx: Context,
): TypedStatement[] {
  const row = rowFor(call, cx);
  const place = mapPlace(target, cx);
  if (!row?.aggregate) return [];
  const made = row.aggregate(call, cx);
  if (!made || !place) return [];
  const { facts, info, key } = place;
  if (row.name === "tseries" && cx.final) {
    const setting = cx.config.unstable.unstable_tseries;
    if (setting === "error")
      cx.error("unstable", call.span, "tseries() is switched off by unstable_tseries=error");
  }
  if (!cx.inference.aggregate(facts, made.type)) {
    cx.error(
      "type-mismatch",
      call.span,
      `${facts.name} holds ${describe(facts.value)}, and this is ${describe(made.type)}`,
      made.type.kind === facts.value.kind
        ? "the other arguments must be the same everywhere"
        : "a map is filled by one function only",
    );
    return [];
  }
  return [
    {
      op: "aggregate",
      map: info,
      ...(key ? { key } : {}),
      aggregation: isAggregation(facts.value) ? facts.value : made.type,
      ...(made.value ? { value: made.value } : {}),
      span: s.span,
    },
  ];
}

function letStatement(s: Of<"let">, cx: Context): TypedStatement[] {
  if (cx.inCurrentScope(s.name))
    cx.error("redeclared", s.span, `${s.name} is already declared in this block`);
  const fixed = s.type && cx.script.definitions.resolve(s.type, cx);
  const value = s.value && cx.expression(s.value);
  if (s.type && !fixed) return [];
  const unsized = s.type && fixed?.kind === "string" && s.type.modifiers.length === 0;
  const local = cx.declare(s.name, s, s.span, unsized ? undefined : fixed);
  if (!value) {
    if (unsized) cx.inference.growLocal(cx.group, s, { kind: "string", size: 1 });
    // Nothing is ever assigned: it is zero.
    if (cx.final && isUnknown(local.type)) local.type = INT64;
    return [{ op: "set-local", local, span: s.span }];
  }
  if (noValue(value, s.name, cx)) return [];
  return store({ declaration: s, local, fixed: unsized ? undefined : fixed }, value, s.name, s.span, cx);
}

function ifStatement(
  test: Expression,
  then: Block,
  otherwise: Block | undefined,
  comptime: boolean,
  span: Statement["span"],
  cx: Context,
): TypedStatement[] {
  if (comptime && waits(then, cx)) return [];
  const when = condition(test, cx);
  const known = constantOf(when);
  if (comptime && !isDecided(then, test, known, cx)) return [];
  if (known !== undefined) {
    const taken = known !== 0n ? then : otherwise;
    return taken ? [{ op: "block", body: checkBody(taken, cx), span }] : [];
  }
  const body = checkBody(then, cx);
  const other = otherwise && checkBody(otherwise, cx);
  return [{ op: "if", condition: when, then: body, ...(other ? { else: other } : {}), span }];
}

function unroll(s: Of<"unroll">, cx: Context): TypedStatement[] {
  const count = cx.constant(s.count);
  if (count === undefined || count < 1n || count > MAX_UNROLL) {
    cx.error(
      "unroll-count",
      s.count.span,
      `unroll repeats from 1 to ${MAX_UNROLL} times, by a number known before the script runs`,
    );
    return [];
  }
  const statements: TypedStatement[] = [];
  for (let i = 0n; i < count; i++) {
    if (++cx.unrolled > MAX_UNROLLED) {
      cx.error(
        "unroll-count",
        s.span,
        `unroll would repeat more than ${MAX_UNROLLED} bodies here`,
        "for ($i : 0..n) repeats without copying",
      );
      return [];
    }
    statements.push({ op: "block", body: checkBody(s.body, cx), span: s.span });
  }
  return statements;
}

function forRange(s: Of<"for-range">, cx: Context): TypedStatement[] {
  const start = cx.expression(s.start);
  const end = cx.expression(s.end);
  for (const bound of [start, end])
    if (bound.type.kind !== "int" && !isUnknown(bound.type))
      cx.error(
        "range-type",
        bound.span,
        `a range goes from number to number, and this is ${describe(bound.type)}`,
      );
  const common = promote(start.type, end.type);
  const type = common?.kind === "int" && !common.signed ? UINT64 : INT64;
  return cx.inScope(() => {
    const local = cx.declare(s.variable, s, s.span, type);
    const body = cx.inLoop(() => checkBody(s.body, cx));
    return [
      {
        op: "for-range",
        local,
        start: convert(start, type) ?? start,
        end: convert(end, type) ?? end,
        body,
        span: s.span,
      },
    ];
  });
}

function forMap(s: Of<"for-map">, cx: Context): TypedStatement[] {
  if (s.map.kind !== "map" || s.map.key) {
    cx.error("for-map", s.map.span, "for walks a whole map, or a range such as 0..10");
    return [];
  }
  const facts = cx.inference.map(s.map.name, s.map.span);
  if (!cx.inference.use(facts, true, s.map.span)) {
    cx.error(
      "map-keys",
      s.map.span,
      `${facts.name} has no keys to walk`,
      "it holds one value: use it directly",
    );
    return [];
  }
  const info = cx.inference.info(facts);
  info.readInKernel = true;
  let { value } = facts;
  if (isCastableAggregation(value)) value = aggregationInt(value);
  else if (isAggregation(value)) {
    cx.error(
      "for-map",
      s.map.span,
      `${facts.name} holds ${describe(value)}, whose values a script cannot read`,
    );
    return [];
  }
  if (cx.final && (isUnknown(value) || isUnknown(facts.key))) {
    reportUnset(facts, s.map, cx);
    return [];
  }
  const known = !isUnknown(value) && !isUnknown(facts.key);
  return cx.inScope(() => {
    const local = cx.declare(
      s.variable,
      s,
      s.span,
      known ? { kind: "tuple", elements: [facts.key, value] } : undefined,
    );
    const body = cx.inLoop(() => checkBody(s.body, cx));
    return [{ op: "for-map", local, map: info, body, span: s.span }];
  });
}

function returnStatement(s: Of<"return">, cx: Context): TypedStatement[] {
  if (cx.within) return returnFrom(cx.within, s, cx);
  if (!s.value) return [{ op: "return", span: s.span }];
  const value = cx.expression(s.value);
  if (isUnknown(value.type)) return [];
  const number = convert(value, INT64);
  if (!number || (value.type.kind !== "int" && value.type.kind !== "bool")) {
    cx.error("return-type", value.span, `return takes a number, and this is ${describe(value.type)}`);
    return [];
  }
  return [{ op: "return", value: number, span: s.span }];
}
