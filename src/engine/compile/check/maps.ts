/** Map accesses: keys, values, and the ways in which a map is used that must agree across a script. */
import type { Expression } from "../ast.ts";
import type { MapInfo, TypedExpression } from "../typed.ts";
import { isAggregation } from "../types.ts";
import type { Context } from "./context.ts";
import { convert } from "./convert.ts";
import { describe } from "./describe.ts";
import type { MapFacts } from "./inference.ts";
import { didYouMean } from "./nearest.ts";
import { aggregationInt, isCastableAggregation, isUnknown, isVoid } from "./promote.ts";

export type MapExpression = Expression & { kind: "map" };

export function mapFacts(e: MapExpression, cx: Context): MapFacts {
  return cx.inference.map(e.name, e.span);
}

export interface MapPlace {
  facts: MapFacts;
  info: MapInfo;
  key?: TypedExpression;
}

/** The entry that `@m` or `@m[key]` stands for; reports and gives undefined when it cannot be one. */
export function mapPlace(e: MapExpression, cx: Context): MapPlace | undefined {
  const facts = mapFacts(e, cx);
  const keyed = e.key !== undefined;
  if (!cx.inference.use(facts, keyed, e.span)) {
    const name = facts.name;
    cx.report.error(
      "map-keys",
      e.span,
      keyed
        ? `${name} is used with a key here, and without one elsewhere`
        : `${name} is used without a key here, and with one elsewhere`,
      {
        hint: "a map either has keys or has none, throughout the script",
        notes: facts.keyedSpan ? [{ message: `first used here`, span: facts.keyedSpan }] : undefined,
      },
    );
    return undefined;
  }
  const info = cx.inference.info(facts);
  if (!e.key) return { facts, info };
  const key = mapKey(facts, cx.expression(e.key), cx);
  return key && { facts, info, key };
}

/** A key as the map's keys are; the map's key type grows to hold it. */
export function mapKey(facts: MapFacts, key: TypedExpression, cx: Context): TypedExpression | undefined {
  if (isUnknown(key.type)) return cx.final ? undefined : key;
  if (isVoid(key.type) || isAggregation(key.type)) {
    cx.error("map-key", key.span, `${describe(key.type)} cannot be a map's key`);
    return undefined;
  }
  if (!cx.inference.growKey(facts, key.type)) {
    cx.error(
      "key-mismatch",
      key.span,
      `the key is ${describe(key.type)}, and ${facts.name} has keys of ${describe(facts.key)}`,
    );
    return undefined;
  }
  return convert(key, facts.key) ?? key;
}

export function readMap(e: MapExpression, cx: Context): TypedExpression {
  const place = mapPlace(e, cx);
  if (!place) return cx.unknown(e.span);
  const { facts, info, key } = place;
  const { value } = facts;
  if (isUnknown(value)) {
    return cx.final ? readUnset(facts, e, cx) : cx.unknown(e.span);
  }
  const read = (type = value): TypedExpression => ({
    op: "map-get",
    map: info,
    ...(key ? { key } : {}),
    type,
    span: e.span,
  });
  if (!isAggregation(value)) return read();
  if (isCastableAggregation(value)) {
    info.readInKernel = true;
    return read(aggregationInt(value));
  }
  return cx.fail(
    "aggregation-read",
    e.span,
    `${facts.name} holds ${describe(value)}, whose value cannot be read in the script`,
    `print(${facts.name}) prints it`,
  );
}

/**
 * A map without a value: a mistake, unless code that is left out here (a branch that the options switch off, a probe that
 * this kernel lacks) would have filled it.
 */
export function reportUnset(facts: MapFacts, e: MapExpression, cx: Context): void {
  if (cx.script.assigned.has(facts.name)) return;
  const others = [...cx.inference.maps.values()].filter((m) => !isUnknown(m.value)).map((m) => m.name);
  cx.error(
    "undefined-map",
    e.span,
    `nothing in this script gives ${facts.name} a value`,
    didYouMean(facts.name, others),
  );
}

/** What reading it gives: zero, if it is no mistake. */
export function readUnset(facts: MapFacts, e: MapExpression, cx: Context): TypedExpression {
  reportUnset(facts, e, cx);
  return cx.script.assigned.has(facts.name) ? cx.int(0n, e.span) : cx.unknown(e.span);
}
