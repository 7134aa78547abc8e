/** Functions that user space carries out: printing, exit, commands. */
import type { TypedExpression, TypedStatement } from "../../typed.ts";
import { INT64, isAggregation } from "../../types.ts";
import type { Context } from "../context.ts";
import { convert } from "../convert.ts";
import { describe } from "../describe.ts";
import { checkFormat } from "../format.ts";
import { mapFacts, mapPlace, reportUnset } from "../maps.ts";
import { aggregationInt, isCastableAggregation, isUnknown } from "../promote.ts";
import {
  address,
  asPointer,
  type CallExpression,
  type CheckAction,
  literalInteger,
  literalText,
  value,
} from "./call.ts";

const emit = (
  action: (TypedStatement & { op: "emit" })["action"],
  args: TypedExpression[],
  call: CallExpression,
): TypedStatement[] => [{ op: "emit", action, arguments: args, span: call.span }];

/** printf and all that takes a format and its arguments. */
export const formatted =
  (kind: "printf" | "system" | "cat" | "errorf" | "warnf"): CheckAction =>
  (call, cx) => {
    const format = literalText(call, 0, cx);
    const values = call.arguments.slice(1).map((_, i) => value(call, i + 1, cx));
    if (format === undefined) return [];
    checkFormat(call.name, format, call.arguments[0].span, values, call.span, cx);
    return emit({ kind, format }, values, call);
  };

/** Whole maps are printed as they are when user space gets to it; values and single entries as they are now. */
export const print: CheckAction = (call, cx) => {
  const [argument] = call.arguments;
  if (argument.kind === "map" && !argument.key) return printMap(call, argument, cx);
  if (call.arguments.length > 1) {
    cx.error("argument-count", call.span, "print() takes a top and a div for whole maps only");
    return [];
  }
  if (argument.kind === "map") return printItem(call, argument, cx);
  const typed = value(call, 0, cx);
  if (isUnknown(typed.type)) return [];
  return emit({ kind: "print-value" }, [typed], call);
};

function printMap(
  call: CallExpression,
  map: CallExpression["arguments"][number] & { kind: "map" },
  cx: Context,
): TypedStatement[] {
  const facts = mapFacts(map, cx);
  if (isUnknown(facts.value)) {
    if (cx.final) reportUnset(facts, map, cx);
    return [];
  }
  const limits: { top?: number; div?: number } = {};
  for (const [index, name] of [
    [1, "top"],
    [2, "div"],
  ] as const) {
    if (call.arguments.length <= index) continue;
    const limit = literalInteger(call, index, cx);
    if (limit === undefined) continue;
    if (limit < 0n || (name === "div" && limit === 0n))
      cx.error(
        "argument-range",
        call.arguments[index].span,
        `the ${name} of print() is a number greater than 0`,
      );
    limits[name] = Number(limit);
  }
  if (call.arguments.length > 1 && facts.value.kind === "stats" && cx.final)
    cx.report.warning("print-limits", call.span, "top and div mean nothing for stats()");
  return emit({ kind: "print-map", map: cx.inference.info(facts), ...limits }, [], call);
}

function printItem(
  call: CallExpression,
  map: CallExpression["arguments"][number] & { kind: "map" },
  cx: Context,
): TypedStatement[] {
  const place = mapPlace(map, cx);
  if (!place?.key) return [];
  const { facts, info, key } = place;
  if (isUnknown(facts.value)) {
    if (cx.final) reportUnset(facts, map, cx);
    return [];
  }
  if (isAggregation(facts.value) && !isCastableAggregation(facts.value)) {
    cx.error(
      "aggregation-read",
      map.span,
      `entries of ${describe(facts.value)} cannot be printed one by one`,
      `print(${facts.name}) prints them all`,
    );
    return [];
  }
  const type = isCastableAggregation(facts.value) ? aggregationInt(facts.value) : facts.value;
  if (isAggregation(facts.value)) info.readInKernel = true;
  const entry: TypedExpression = { op: "map-get", map: info, key, type, span: map.span };
  return emit({ kind: "print-map-item", map: info }, [key, entry], call);
}

export const exit: CheckAction = (call, cx) => {
  if (call.arguments.length === 0) return emit({ kind: "exit" }, [], call);
  const code = value(call, 0, cx);
  if (isUnknown(code.type)) return [];
  if (code.type.kind !== "int") {
    cx.error("argument-type", code.span, `exit() takes a number, and this is ${describe(code.type)}`);
    return [];
  }
  return emit({ kind: "exit" }, [convert(code, INT64)!], call);
};

export const time: CheckAction = (call, cx) => {
  const format = call.arguments.length ? literalText(call, 0, cx) : "%H:%M:%S\n";
  return format === undefined ? [] : emit({ kind: "time", format }, [], call);
};

export const join: CheckAction = (call, cx) => {
  const array = address(call, 0, cx);
  const separator = call.arguments.length > 1 ? literalText(call, 1, cx) : " ";
  if (separator === undefined || isUnknown(array.type)) return [];
  return emit({ kind: "join", separator }, [asPointer(array, cx)], call);
};

/** fail("format", literals): stops the compilation where it stands. */
export const fail: CheckAction = (call, cx) => {
  const format = literalText(call, 0, cx) ?? "failed";
  const values = call.arguments.slice(1).map((_, i) => value(call, i + 1, cx));
  let at = 0;
  const text = format.replace(/%(?:[-+ #0]*\d*(?:ll|l|h|hh)?[diuxXocps]|%)/g, (conversion) => {
    if (conversion === "%%") return "%";
    const next = values[at++];
    return next?.op === "string" ? next.value : next?.op === "int" ? String(next.value) : "?";
  });
  cx.error("failed", call.span, text);
  return [];
};
