/** Functions on maps, and the functions whose results only maps can hold. */
import type { Expression } from "../../ast.ts";
import type { TypedExpression, TypedStatement } from "../../typed.ts";
import { type AggregationType, BOOL, INT64, type IntType, isAggregation, UINT64 } from "../../types.ts";
import type { Context } from "../context.ts";
import { convert } from "../convert.ts";
import { describe } from "../describe.ts";
import type { MapFacts } from "../inference.ts";
import { type MapExpression, mapFacts, mapKey, mapPlace, readMap, readUnset, reportUnset } from "../maps.ts";
import { isUnknown } from "../promote.ts";
import {
  type CallExpression,
  type CheckValue,
  integer,
  literalInteger,
  literalText,
  op,
  value,
} from "./call.ts";

/** The map that an argument names as a whole; reports anything else. */
export function wholeMap(call: CallExpression, index: number, cx: Context): MapExpression | undefined {
  const argument = call.arguments[index];
  if (argument?.kind === "map" && !argument.key) return argument;
  cx.error(
    "argument-type",
    argument?.span ?? call.span,
    argument?.kind === "map"
      ? `${call.name}() takes a whole map, not one of its entries`
      : `${call.name}() takes a map`,
    argument?.kind === "map" ? `${call.name}(${argument.name}${index === 0 ? ", key" : ""})` : undefined,
  );
  return undefined;
}

/** A map with keys, and a key of it, as has_key(), find() and delete() take them. */
function keyed(call: CallExpression, cx: Context): { facts: MapFacts; key: TypedExpression } | undefined {
  const map = wholeMap(call, 0, cx);
  if (!map) return undefined;
  const facts = mapFacts(map, cx);
  if (!cx.inference.use(facts, true, map.span)) {
    cx.error(
      "map-keys",
      map.span,
      `${call.name}() with a key needs a map with keys, and ${map.name} has none`,
    );
    return undefined;
  }
  const argument = call.arguments[1] as Expression;
  const key = mapKey(facts, cx.expression(argument), cx);
  if (cx.final && isUnknown(facts.value)) {
    reportUnset(facts, map, cx);
    return undefined;
  }
  return key && { facts, key };
}

/** A map that nothing fills has no key; other problems are reported already. */
const absent = (call: CallExpression, cx: Context): TypedExpression => {
  const [map] = call.arguments;
  const isUnset =
    cx.final && map.kind === "map" && cx.script.assigned.has(map.name) && isUnknown(mapFacts(map, cx).value);
  return isUnset ? cx.bool(false, call.span) : cx.unknown(call.span);
};

export const hasKey: CheckValue = (call, cx) => {
  const found = keyed(call, cx);
  if (!found) return absent(call, cx);
  return {
    ...op("has_key", [found.key], BOOL, call.span),
    map: cx.inference.info(found.facts),
  } as TypedExpression;
};

/** delete(@m, key), delete(@scalar), and the older delete(@m[key]). */
export const deleteKey: CheckValue = (call, cx) => {
  const remove = (facts: MapFacts, key: TypedExpression[]): TypedExpression =>
    ({ ...op("delete", key, BOOL, call.span), map: cx.inference.info(facts) }) as TypedExpression;
  if (call.arguments.length === 2) {
    const found = keyed(call, cx);
    return found ? remove(found.facts, [found.key]) : absent(call, cx);
  }
  const [argument] = call.arguments;
  if (argument.kind !== "map")
    return cx.fail("argument-type", argument.span, "delete() takes a map and a key", "delete(@map, key)");
  if (argument.key) {
    const place = mapPlace(argument, cx);
    if (place && cx.final && isUnknown(place.facts.value)) {
      reportUnset(place.facts, argument, cx);
      return absent(call, cx);
    }
    return place?.key ? remove(place.facts, [place.key]) : cx.unknown(call.span);
  }
  const facts = mapFacts(argument, cx);
  if (facts.keyed)
    return cx.fail(
      "argument-count",
      call.span,
      `${argument.name} has keys: delete() needs one`,
      `delete(${argument.name}, key); clear(${argument.name}) deletes all`,
    );
  if (cx.final && isUnknown(facts.value)) {
    reportUnset(facts, argument, cx);
    return absent(call, cx);
  }
  return remove(facts, []);
};

/** find(@m, key, $v): sets $v when the key is there. */
export const find: CheckValue = (call, cx) => {
  const found = keyed(call, cx);
  const target = call.arguments[2];
  if (target.kind !== "variable")
    return cx.fail(
      "argument-type",
      target.span,
      "the third argument of find() is a variable that takes the value",
    );
  const variable = cx.lookup(target.name);
  if (!variable)
    return cx.fail(
      "undefined-variable",
      target.span,
      `${target.name} is not defined here`,
      `declare it first: let ${target.name};`,
    );
  if (!found) return absent(call, cx);
  const { facts, key } = found;
  const info = cx.inference.info(facts);
  if (isUnknown(facts.value) || isAggregation(facts.value)) {
    if (cx.final)
      return cx.fail("aggregation-read", call.span, `find() cannot read ${describe(facts.value)}`);
    return cx.unknown(call.span);
  }
  if (!variable.fixed && !cx.inference.growLocal(cx.group, variable.declaration, facts.value))
    return cx.fail(
      "type-mismatch",
      target.span,
      `${target.name} is ${describe(variable.local.type)}, and ${facts.name} holds ${describe(facts.value)}`,
    );
  const { span } = call;
  const get: TypedExpression = { op: "map-get", map: info, key, type: facts.value, span };
  const there: TypedExpression = { ...op("has_key", [key], BOOL, span), map: info } as TypedExpression;
  const result = { name: "", type: BOOL, addressed: false, span };
  const read: TypedExpression = { op: "local", local: result, type: BOOL, span };
  return {
    op: "block",
    body: {
      statements: [
        { op: "set-local", local: result, value: there, span },
        {
          op: "if",
          condition: read,
          then: {
            statements: [
              {
                op: "set-local",
                local: variable.local,
                value: convert(get, variable.local.type) ?? get,
                span,
              },
            ],
          },
          span,
        },
      ],
      result: read,
    },
    type: BOOL,
    span,
  };
};

export const len: CheckValue = (call, cx) => {
  const [argument] = call.arguments;
  if (argument.kind === "map" && !argument.key) {
    const facts = mapFacts(argument, cx);
    const isStack = facts.value.kind === "stack" && facts.keyed === false;
    if (!isStack) {
      if (cx.final && facts.keyed === false)
        return cx.fail("map-keys", argument.span, `len() counts a map's keys, and ${argument.name} has none`);
      if (cx.final && isUnknown(facts.value)) return readUnset(facts, argument, cx);
      return { ...op("len", [], INT64, call.span), map: cx.inference.info(facts) } as TypedExpression;
    }
  }
  const typed = argument.kind === "map" ? readMap(argument, cx) : value(call, 0, cx);
  if (isUnknown(typed.type)) return typed;
  if (typed.type.kind === "stack") return op("len.stack", [typed], INT64, call.span);
  if (typed.type.kind === "array") return cx.int(BigInt(typed.type.length), call.span, INT64 as IntType);
  return cx.fail(
    "argument-type",
    typed.span,
    `len() takes a map or a stack, and this is ${describe(typed.type)}`,
    typed.type.kind === "string" ? "strlen() is the length of text" : undefined,
  );
};

/** What an aggregation's call says: its type, and the value to add. */
export interface Aggregate {
  type: AggregationType;
  value?: TypedExpression;
}

export type CheckAggregate = (call: CallExpression, cx: Context) => Aggregate | undefined;

export const count: CheckAggregate = () => ({ type: { kind: "count" } });

/** The number that is added, 64 bits wide. */
function number(call: CallExpression, cx: Context): { value: TypedExpression; signed: boolean } | undefined {
  const typed = integer(call, 0, cx);
  if (typed.type.kind !== "int") return undefined;
  const { signed } = typed.type;
  return { value: convert(typed, signed ? INT64 : UINT64)!, signed };
}

const signedAggregate =
  (kind: "sum" | "avg" | "stats" | "min" | "max"): CheckAggregate =>
  (call, cx) => {
    const added = number(call, cx);
    return added && { type: { kind, signed: added.signed }, value: added.value };
  };
export const sum = signedAggregate("sum");
export const avg = signedAggregate("avg");
export const stats = signedAggregate("stats");
export const min = signedAggregate("min");
export const max = signedAggregate("max");

const MAX_BUCKETS = 1000n;

export const hist: CheckAggregate = (call, cx) => {
  const added = number(call, cx);
  const bits = call.arguments.length > 1 ? literalInteger(call, 1, cx) : 0n;
  if (!added || bits === undefined) return undefined;
  if (bits < 0n || bits > 5n) {
    cx.error("argument-range", call.arguments[1].span, "the second argument of hist() is from 0 to 5");
    return undefined;
  }
  return { type: { kind: "hist", bits: Number(bits) }, value: convert(added.value, INT64)! };
};

export const lhist: CheckAggregate = (call, cx) => {
  const added = number(call, cx);
  const [low, high, step] = [1, 2, 3].map((index) => literalInteger(call, index, cx));
  if (!added || low === undefined || high === undefined || step === undefined) return undefined;
  const refuse = (message: string): undefined => {
    cx.error("argument-range", call.span, message);
    return undefined;
  };
  if (step <= 0n) return refuse("the step of lhist() is greater than 0");
  if (low < 0n) return refuse("the minimum of lhist() is not negative");
  if (high <= low)
    return refuse(
      `the maximum of lhist() is greater than its minimum, and ${high} is not greater than ${low}`,
    );
  if (step > high - low) return refuse("the step of lhist() is no larger than its whole range");
  if ((high - low) / step > MAX_BUCKETS)
    return refuse(`lhist() would have ${(high - low) / step} buckets, and ${MAX_BUCKETS} is the most`);
  return { type: { kind: "lhist", min: low, max: high, step }, value: convert(added.value, INT64)! };
};

const SERIES = ["avg", "max", "min", "sum"] as const;

export const tseries: CheckAggregate = (call, cx) => {
  const added = number(call, cx);
  const [interval, intervals] = [1, 2].map((index) => literalInteger(call, index, cx));
  const agg = call.arguments.length > 3 ? literalText(call, 3, cx) : "last";
  if (!added || interval === undefined || intervals === undefined || agg === undefined) return undefined;
  const refuse = (message: string): undefined => {
    cx.error("argument-range", call.span, message);
    return undefined;
  };
  if (interval <= 0n) return refuse("the interval of tseries() is greater than 0");
  if (intervals < 1n || intervals > 1_000_000n) return refuse("tseries() keeps from 1 to 1000000 intervals");
  if (agg !== "last" && !(SERIES as readonly string[]).includes(agg))
    return refuse(`tseries() aggregates by ${SERIES.join(", ")}, not ${agg}`);
  return {
    type: {
      kind: "tseries",
      interval,
      intervals: Number(intervals),
      agg: agg as "last",
      signed: added.signed,
    },
    value: added.value,
  };
};

/** clear and zero. */
export const mapAction =
  (kind: "clear" | "zero") =>
  (call: CallExpression, cx: Context): TypedStatement[] => {
    const map = wholeMap(call, 0, cx);
    if (!map) return [];
    const facts = mapFacts(map, cx);
    if (isUnknown(facts.value)) {
      if (cx.final) reportUnset(facts, map, cx);
      return [];
    }
    return [{ op: "emit", action: { kind, map: cx.inference.info(facts) }, arguments: [], span: call.span }];
  };
