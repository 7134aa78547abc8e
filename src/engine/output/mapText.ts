/**
 * Maps as text, the way bpftrace prints them:
 *
 *   @x: 5
 *   @x[a, 1]: 3
 *   @x[a]:
 *   [1K, 2K)               1 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@|
 */
import type { MapPlan } from "../compile/plan.ts";
import { type AggregationType, isAggregation, type Type, tupleLayout } from "../compile/types.ts";
import type { MergedMap } from "../poll/merged.ts";
import type { ByteWriter } from "./bytes.ts";
import type { OutputContext } from "./context.ts";
import { histogramBuckets, histogramText } from "./histogram.ts";
import { keyView, orderedRows, rawView, statisticsOf, wordOf, wordsOf } from "./rows.ts";
import { lastEpoch, SERIES_CLOCK, seriesPoints, seriesText } from "./series.ts";
import { readInteger, type ValueWriter, valueWriter } from "./values.ts";

export interface MapPrintOptions {
  /** Only so many rows, those with the highest values. 0: all. */
  top?: number;
  /** Values are divided by this. */
  div?: number;
}

/** Writes a row's value. Those that take several lines end in a newline. */
type RowWriter = (map: MergedMap, row: number, out: ByteWriter, context: OutputContext) => void;

/** Several keys stand without the parentheses of a tuple. */
export function keyWriter(type: Type): ValueWriter {
  if (type.kind !== "tuple" || type.names) return valueWriter(type);
  const { offsets } = tupleLayout(type.elements);
  const writers = type.elements.map(valueWriter);
  return (view, offset, out, context) => {
    writers.forEach((write, i) => {
      if (i > 0) out.ascii(", ");
      write(view, offset + offsets[i], out, context);
    });
  };
}

/** Aggregations that take several lines. */
export const isChart = (type: Type): boolean =>
  type.kind === "hist" || type.kind === "lhist" || type.kind === "tseries";

export const statisticsText = (count: bigint, average: bigint, total: bigint): string =>
  `{ .count = ${count}, .average = ${average}, .total = ${total} }`;

function aggregationWriter(type: AggregationType, div: bigint): RowWriter {
  switch (type.kind) {
    case "count":
    case "sum":
    case "min":
    case "max":
      return (map, row, out) => out.ascii(String(wordOf(map, row, type) / div));
    case "avg":
      return (map, row, out) => out.ascii(String(statisticsOf(map, row, type.signed).average / div));
    case "stats":
      return (map, row, out) => {
        const { count, average, total } = statisticsOf(map, row, type.signed);
        out.ascii(statisticsText(count, average / div, total));
      };
    case "hist":
    case "lhist":
      return (map, row, out) => out.ascii(histogramText(histogramBuckets(type, wordsOf(map, row), div)));
    case "tseries":
      return (map, row, out, context) => {
        const points = seriesPoints(map, row, type, lastEpoch(map));
        out.ascii(seriesText(points, type, (time) => context.realtime(time, SERIES_CLOCK)));
      };
  }
}

function rowWriter(map: MapPlan, div: bigint): RowWriter {
  const { value } = map.script!;
  if (isAggregation(value)) return aggregationWriter(value, div);
  if (value.kind === "int" && !value.enum && div !== 1n) {
    return (merged, row, out) =>
      out.ascii(String(readInteger(rawView(merged), row * map.valueSize, value) / div));
  }
  const write = valueWriter(value);
  return (merged, row, out, context) => write(rawView(merged), row * map.valueSize, out, context);
}

/** Writes a whole map. A scalar that was never set writes nothing. */
export function writeMap(
  map: MergedMap,
  out: ByteWriter,
  context: OutputContext,
  options: MapPrintOptions = {},
): void {
  const { name, script, keySize } = map.map;
  const value = rowWriter(map.map, BigInt(options.div || 1));
  const key = script!.key && keyWriter(script!.key);
  const keys = keyView(map);
  const chart = isChart(script!.value);
  for (const row of orderedRows(map, options.top)) {
    out.text(name);
    if (key) {
      out.ascii("[");
      key(keys, row * keySize, out, context);
      out.ascii("]");
    }
    out.ascii(chart ? ":\n" : ": ");
    value(map, row, out, context);
    out.ascii("\n");
  }
}

/** The map as if it held one row of zeros: what print() shows of a scalar that was never set. */
export function zeroScalar(map: MergedMap): MergedMap {
  const { valueSize, script } = map.map;
  const aggregation = isAggregation(script!.value);
  return {
    ...map,
    count: 1,
    words: aggregation ? new BigInt64Array(map.width) : undefined,
    raw: aggregation ? undefined : new Uint8Array(valueSize),
  };
}

/** print(@map, top, div): unlike at exit, a scalar that was never set shows as zero. */
export function writePrintedMap(
  map: MergedMap,
  out: ByteWriter,
  context: OutputContext,
  options: MapPrintOptions,
): void {
  const { key, value } = map.map.script!;
  writeMap(map.count === 0 && !key && !isChart(value) ? zeroScalar(map) : map, out, context, options);
}
