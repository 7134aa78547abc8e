/** tseries(): values by interval, as a chart of text and as rows for JSON. */
import type { AggregationType } from "../compile/types.ts";
import type { MergedMap } from "../poll/merged.ts";
import { wordsOf } from "./rows.ts";
import { strftime } from "./strftime.ts";

export type SeriesType = Extract<AggregationType, { kind: "tseries" }>;

/** Intervals are counted on the boot clock. */
export const SERIES_CLOCK = 0;

/** One interval; without a value when nothing was recorded in it. */
export interface SeriesPoint {
  epoch: bigint;
  value?: bigint;
}

/** [epoch, value, count] words → value by epoch. */
function valuesByEpoch(words: BigInt64Array, type: SeriesType): Map<bigint, bigint> {
  const values = new Map<bigint, bigint>();
  for (let i = 0; i + 2 < words.length; i += 3) {
    const epoch = BigInt.asUintN(64, words[i]);
    if (epoch === 0n) continue;
    const total = type.signed ? words[i + 1] : BigInt.asUintN(64, words[i + 1]);
    const count = words[i + 2];
    values.set(epoch, type.agg === "avg" && count > 0n ? total / count : total);
  }
  return values;
}

/** The latest interval that any row of the map has. */
export function lastEpoch(map: MergedMap): bigint {
  let last = 0n;
  for (let i = 0; i < map.count * map.width; i += 3) {
    const epoch = BigInt.asUintN(64, map.words![i]);
    if (epoch > last) last = epoch;
  }
  return last;
}

/** A row's intervals up to `last`, from its first within the window that ends there. */
export function seriesPoints(map: MergedMap, row: number, type: SeriesType, last: bigint): SeriesPoint[] {
  const values = valuesByEpoch(wordsOf(map, row), type);
  const points: SeriesPoint[] = [];
  for (let epoch = last - BigInt(type.intervals) + 1n; epoch <= last; epoch++) {
    const value = values.get(epoch);
    if (points.length > 0 || value !== undefined) points.push({ epoch, value });
  }
  return points;
}

const WIDTH = 53;
const LABEL = 21;

/** Digits of a second's fraction that tell intervals apart, their unit, and nanoseconds per unit. */
function fractionOf(interval: bigint): { digits: number; unit: string; scale: bigint } {
  if (interval >= 1_000_000_000n) return { digits: 0, unit: "s", scale: 1n };
  if (interval >= 1_000_000n) return { digits: 3, unit: "ms", scale: 1_000_000n };
  if (interval >= 1000n) return { digits: 6, unit: "us", scale: 1000n };
  return { digits: 9, unit: "ns", scale: 1n };
}

/** Where a value lies between two others on a line of so many columns. */
const position = (columns: number, from: bigint, value: bigint, to: bigint): number =>
  Math.trunc(
    Math.fround(
      Math.fround(Math.fround(columns) * Math.fround(Number(value - from))) / Math.fround(Number(to - from)),
    ),
  );

/** A chart with a line per interval, time running down. `realtime`: nanoseconds since the epoch. */
export function seriesText(
  points: readonly SeriesPoint[],
  type: SeriesType,
  realtime: (nanoseconds: bigint) => bigint,
): string {
  if (points.length === 0) return "<no data>";
  const values = points.flatMap(({ value }) => (value === undefined ? [] : [value]));
  let [min] = values;
  let [max] = values;
  for (const value of values) {
    if (value < min) min = value;
    if (value > max) max = value;
  }
  if (min === max) {
    if (type.signed || min > 0n) min--;
    max++;
  }
  const { digits, unit, scale } = fractionOf(points.length > 1 ? type.interval : 0n);
  const timeTitle = digits ? `hh:mm:ss.${unit}` : "hh:mm:ss";
  const timeWidth = 8 + (digits ? 1 + digits : 0);
  const scaleLine = `${" ".repeat(timeWidth + 1)}${String(min).padEnd(LABEL)}${String(max).padStart(WIDTH - LABEL)}\n`;
  const zero = min < 0n && max > 0n ? position(WIDTH, min, 0n, max) : 0;
  let text = scaleLine;
  text += `${timeTitle.padEnd(timeWidth + 1)}|${"_".repeat(WIDTH - 2)}|\n`;
  for (const { epoch, value } of points) {
    const time = realtime(epoch * type.interval);
    const fraction = digits ? `.${String((time % 1_000_000_000n) / scale).padStart(digits, "0")}` : "";
    const line = Array<string>(WIDTH).fill(" ");
    line[0] = line[WIDTH - 1] = "|";
    if (zero > 0) line[zero] = ".";
    if (value !== undefined) line[Math.min(WIDTH - 1, position(WIDTH - 1, min, value, max))] = "*";
    text += `${strftime("%H:%M:%S", time)}${fraction} ${line.join("")} ${value ?? "-"}\n`;
  }
  text += `${" ".repeat(timeWidth + 1)}v${"_".repeat(WIDTH - 2)}v\n${scaleLine}`;
  return text;
}
