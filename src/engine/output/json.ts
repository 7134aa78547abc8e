/**
 * Values, maps and messages as JSON, one object per line: {"type": "map", "data": {"@x": {"a,1": 3}}}. Integers that a
 * double can't hold are strings; symbolic values (enums, pointers) are their numbers.
 */
import { type Field, isAggregation, sizeOf, type Type, tupleLayout } from "../compile/types.ts";
import type { MergedMap } from "../poll/merged.ts";
import type { OutputContext } from "./context.ts";
import { type Bucket, histogramBuckets } from "./histogram.ts";
import { type MapPrintOptions, zeroScalar } from "./mapText.ts";
import { keyView, orderedRows, rawView, statisticsOf, wordOf, wordsOf } from "./rows.ts";
import { lastEpoch, SERIES_CLOCK, seriesPoints } from "./series.ts";
import { readBitField, readInteger, type ValueReader, valueReader } from "./values.ts";

const ESCAPES: Record<string, string> = { '"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" };

export const jsonString = (text: string): string =>
  `"${text.replace(/["\\\u0000-\u001f]/g, (c) => ESCAPES[c] ?? `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`)}"`;

export const jsonInteger = (value: bigint): string =>
  BigInt(Number(value)) === value ? String(value) : `"${value}"`;

const jsonObject = (entries: readonly (readonly [key: string, value: string])[]): string =>
  `{${entries.map(([key, value]) => `${jsonString(key)}: ${value}`).join(", ")}}`;

/** One line of output. */
export const jsonMessage = (type: string, data: string): string => `{"type": "${type}", "data": ${data}}\n`;

type JsonReader = ValueReader;

function fieldReader(field: Field): JsonReader {
  const { type, bit } = field;
  if (!bit || type.kind !== "int") return jsonReader(type);
  return (view, offset) => jsonInteger(readBitField(view, offset, type, bit));
}

/** Reads values of the type as JSON. */
export function jsonReader(type: Type): JsonReader {
  switch (type.kind) {
    case "void":
    case "hist":
    case "lhist":
    case "tseries":
      return () => "null";
    case "int":
      return (view, offset) => jsonInteger(readInteger(view, offset, type));
    case "bool":
      return valueReader(type);
    case "pointer":
    case "count":
      return (view, offset) => jsonInteger(view.getBigUint64(offset, true));
    case "sum":
    case "min":
    case "max":
    case "avg":
    case "stats":
      return (view, offset) => jsonInteger(readInteger(view, offset, { size: 8, signed: type.signed }));
    case "buffer":
      return (view, offset) =>
        `[${Array.from({ length: view.getUint32(offset, true) }, (_, i) => view.getInt8(offset + 4 + i)).join(",")}]`;
    case "array": {
      const element = jsonReader(type.of);
      const size = sizeOf(type.of);
      return (view, offset, context) =>
        `[${Array.from({ length: type.length }, (_, i) => element(view, offset + i * size, context)).join(",")}]`;
    }
    case "tuple": {
      const { offsets } = tupleLayout(type.elements);
      const elements = type.elements.map(jsonReader);
      const { names } = type;
      return (view, offset, context) => {
        const values = elements.map((read, i) => read(view, offset + offsets[i], context));
        return names ? jsonObject(values.map((value, i) => [names[i], value])) : `[${values.join(",")}]`;
      };
    }
    case "struct": {
      let fields: { name: string; offset: number; read: JsonReader }[] | undefined;
      return (view, offset, context) => {
        fields ??= type
          .layout()
          .fields.map((field) => ({ name: field.name, offset: field.offset, read: fieldReader(field) }));
        return jsonObject(fields.map((f) => [f.name, f.read(view, offset + f.offset, context)]));
      };
    }
    default: {
      const read = valueReader(type);
      return (view, offset, context) => jsonString(read(view, offset, context));
    }
  }
}

/** A map's key: several keys are joined by commas. */
function keyReader(type: Type): ValueReader {
  if (type.kind !== "tuple" || type.names) return valueReader(type);
  const { offsets } = tupleLayout(type.elements);
  const readers = type.elements.map(keyReader);
  return (view, offset, context) =>
    readers.map((read, i) => read(view, offset + offsets[i], context)).join(",");
}

/** Bounds are inclusive in JSON. */
const jsonBucket = ({ low, high, count }: Bucket): string =>
  jsonObject([
    ...(low ? [["min", jsonInteger(low.value)] as const] : []),
    ...(high ? [["max", jsonInteger(high.value - 1n)] as const] : []),
    ["count", String(count)],
  ]);

/** "1970-01-01 00:00:00.500000000" */
function utcText(nanoseconds: bigint): string {
  const seconds = new Date(Number(nanoseconds / 1_000_000_000n) * 1000);
  const fraction = String(nanoseconds % 1_000_000_000n).padStart(9, "0");
  return `${seconds.toISOString().slice(0, 19).replace("T", " ")}.${fraction}`;
}

type RowReader = (map: MergedMap, row: number, context: OutputContext) => string;

function rowReader(value: Type, valueSize: number, div: bigint): RowReader {
  if (!isAggregation(value)) {
    if (value.kind === "int" && !value.enum && div !== 1n) {
      return (map, row) => jsonInteger(readInteger(rawView(map), row * valueSize, value) / div);
    }
    const read = jsonReader(value);
    return (map, row, context) => read(rawView(map), row * valueSize, context);
  }
  switch (value.kind) {
    case "count":
    case "sum":
    case "min":
    case "max":
      return (map, row) => jsonInteger(wordOf(map, row, value) / div);
    case "avg":
      return (map, row) => jsonInteger(statisticsOf(map, row, value.signed).average / div);
    case "stats":
      return (map, row) => {
        const { count, average, total } = statisticsOf(map, row, value.signed);
        return jsonObject([
          ["count", jsonInteger(count)],
          ["average", jsonInteger(average / div)],
          ["total", jsonInteger(total)],
        ]);
      };
    case "hist":
    case "lhist":
      return (map, row) => `[${histogramBuckets(value, wordsOf(map, row), div).map(jsonBucket).join(",")}]`;
    case "tseries":
      return (map, row, context) => {
        const points = seriesPoints(map, row, value, lastEpoch(map)).filter((p) => p.value !== undefined);
        const objects = points.map(
          (p) =>
            `{"interval_start":"${utcText(context.realtime(p.epoch * value.interval, SERIES_CLOCK))}","value":${jsonInteger(p.value!)}}`,
        );
        return `[${objects.join(",")}]`;
      };
  }
}

const MESSAGE_TYPES: Partial<Record<Type["kind"], string>> = {
  avg: "stats",
  stats: "stats",
  hist: "hist",
  lhist: "hist",
  tseries: "tseries",
};

/** A whole map as one message; nothing for a map without rows. `zero`: a scalar that was never set shows as zero. */
export function mapJson(
  map: MergedMap,
  context: OutputContext,
  options: MapPrintOptions = {},
  zero = false,
): string {
  const { name, script, keySize, valueSize } = map.map;
  const { key, value } = script!;
  const type = MESSAGE_TYPES[value.kind] ?? "map";
  const shown =
    map.count === 0 && zero && !key && (!MESSAGE_TYPES[value.kind] || type === "stats")
      ? zeroScalar(map)
      : map;
  if (shown.count === 0) return "";
  const read = rowReader(value, valueSize, BigInt(options.div || 1));
  const rows = orderedRows(shown, options.top);
  if (!key) return jsonMessage(type, jsonObject([[name, read(shown, rows[0], context)]]));
  const keyOf = keyReader(key);
  const keys = keyView(shown);
  const entries = rows.map(
    (row) => [keyOf(keys, row * keySize, context), read(shown, row, context)] as const,
  );
  return jsonMessage(type, jsonObject([[name, jsonObject(entries)]]));
}
