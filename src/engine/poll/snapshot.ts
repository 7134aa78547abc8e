/**
 * A map's content → what a screen shows of it: the first rows in the order that was asked for, how many there are, their
 * sum, and how fast each changes. One `MapPoller` per map of a session; it remembers the read before.
 */
import { type AggregationType, type IntType, isAggregation, tupleLayout } from "../compile/types.ts";
import type { Containers } from "../containers/resolver.ts";
import type { OutputContext } from "../output/context.ts";
import { bucketLabel, histogramBuckets } from "../output/histogram.ts";
import { statisticsText } from "../output/mapText.ts";
import { keyCompare, keyView, rawView, statisticsOf, wordOf, wordsOf } from "../output/rows.ts";
import { lastEpoch, seriesPoints } from "../output/series.ts";
import { readInteger, type ValueReader, valueReader } from "../output/values.ts";
import type {
  ClientMessage,
  ContainerInfo,
  HistogramSnapshot,
  MapSnapshot,
  RowSnapshot,
} from "../protocol.ts";
import { KeyTable } from "./keyTable.ts";
import type { MergedMap } from "./merged.ts";
import { keyColumns, mapKind } from "./shape.ts";
import { type Compare, topRows } from "./top.ts";

export type MapView = Pick<
  Extract<ClientMessage, { kind: "view" }>,
  "rows" | "order" | "descending" | "filter"
>;

export const DEFAULT_VIEW: MapView = { rows: 50, order: "value", descending: true };

const isHistogram = (type: AggregationType) => type.kind === "hist" || type.kind === "lhist";

/** The number that a row is sorted by and charted as. */
export function rowValues(map: MergedMap): Float64Array {
  const { value } = map.map.script!;
  const values = new Float64Array(map.count);
  if (!isAggregation(value)) {
    if (value.kind === "int" || value.kind === "bool") {
      const view = rawView(map);
      const size = map.raw!.byteLength / Math.max(1, map.count);
      const type = value.kind === "int" ? value : { size: 1, signed: false };
      for (let row = 0; row < map.count; row++) values[row] = Number(readInteger(view, row * size, type));
    }
    return values;
  }
  if (value.kind === "tseries") {
    const last = lastEpoch(map);
    for (let row = 0; row < map.count; row++) {
      values[row] = Number(seriesPoints(map, row, value, last).at(-1)?.value ?? 0n);
    }
  } else if (isHistogram(value)) {
    for (let row = 0; row < map.count; row++) {
      for (const word of wordsOf(map, row)) values[row] += Number(word);
    }
  } else if (value.kind === "avg" || value.kind === "stats") {
    for (let row = 0; row < map.count; row++) {
      const { total, count } = statisticsOf(map, row, value.signed);
      values[row] = count > 0n ? Number(total) / Number(count) : 0;
    }
  } else {
    for (let row = 0; row < map.count; row++) values[row] = Number(wordOf(map, row, value));
  }
  return values;
}

function histogramOf(map: MergedMap, row: number, type: AggregationType): HistogramSnapshot | undefined {
  if (type.kind !== "hist" && type.kind !== "lhist") return undefined;
  const buckets = histogramBuckets(type, wordsOf(map, row)).map((bucket) => ({
    low: bucket.low ? Number(bucket.low.value) : Number.NEGATIVE_INFINITY,
    high: bucket.high ? Number(bucket.high.value) : Number.POSITIVE_INFINITY,
    count: Number(bucket.count),
    label: bucketLabel(bucket),
  }));
  return { scale: type.kind === "hist" ? "log2" : "linear", buckets };
}

/** Processes that are looked at before they are gone, for each reading; and keys that are gone through for that. */
const MOST_NOTICED = 256;
const MOST_KEYS = 20_000;

/** The part of a key that says whose the row is. */
interface Owned {
  type: IntType;
  offset: number;
}

export class MapPoller {
  readonly #containers: Containers | undefined;
  #owned: Owned | undefined;
  #ownedFound = false;
  #keyReaders: { offset: number; read: ValueReader }[] | undefined;
  #valueReader: ValueReader | undefined;
  #before: { table: KeyTable; values: Float64Array } | undefined;
  #sumBefore: number | undefined;

  /** With `containers`, rows of processes and cgroups say whose they are. */
  constructor(containers?: Containers) {
    this.#containers = containers;
  }

  /** `elapsed`: milliseconds since the read before, 0 at the first. */
  snapshot(
    map: MergedMap,
    view: MapView,
    elapsed: number,
    full: boolean,
    context: OutputContext,
  ): MapSnapshot {
    const script = map.map.script!;
    const values = rowValues(map);
    const { keySize } = map.map;
    const perSecond = elapsed > 0 ? 1000 / elapsed : 0;
    const rateOf = (row: number): number => {
      if (!this.#before || perSecond === 0) return 0;
      const was = script.key ? this.#before.table.find(map.keys, row * keySize) : 0;
      const before = was < 0 ? 0 : (this.#before.values[was] ?? 0);
      return (values[row] - before) * perSecond;
    };
    this.#notice(map);
    const rows = this.#select(map, values, view, rateOf, context).map((row) =>
      this.#row(map, row, values[row], rateOf(row), context),
    );
    let sum = 0;
    for (const value of values) sum += value;
    const rate = this.#sumBefore === undefined ? 0 : (sum - this.#sumBefore) * perSecond;
    this.#sumBefore = sum;
    this.#before = {
      table: new KeyTable(map.keys, script.key ? keySize : 0, script.key ? map.count : 0),
      values,
    };
    return {
      name: map.map.name,
      kind: mapKind(script.value),
      total: map.count,
      sum,
      rate,
      rows,
      full,
    };
  }

  #select(
    map: MergedMap,
    values: Float64Array,
    view: MapView,
    rateOf: (row: number) => number,
    context: OutputContext,
  ): number[] {
    const { key } = map.map.script!;
    const { keySize } = map.map;
    const keys = key && map.count > 0 ? keyCompare(keyView(map), key) : () => 0;
    const byKey: Compare = (a, b) => keys(a * keySize, b * keySize);
    const by = (numbers: Float64Array): Compare =>
      view.descending
        ? (a, b) => numbers[b] - numbers[a] || byKey(a, b)
        : (a, b) => numbers[a] - numbers[b] || byKey(a, b);
    const order: Record<MapView["order"], () => Compare> = {
      value: () => by(values),
      key: () => (view.descending ? (a, b) => byKey(b, a) : byKey),
      rate: () => by(Float64Array.from(values, (_, row) => rateOf(row))),
    };
    const filter = view.filter?.toLowerCase();
    const keep = filter
      ? (row: number) => {
          const texts = this.#keyTexts(map, row, context);
          const container = this.#container(map, row, true)?.name ?? "";
          return [...texts, container].join(" ").toLowerCase().includes(filter);
        }
      : undefined;
    return topRows(map.count, view.rows, order[view.order](), keep);
  }

  #ownedPart(map: MergedMap): Owned | undefined {
    if (this.#ownedFound || !this.#containers) return this.#owned;
    this.#ownedFound = true;
    const { key } = map.map.script!;
    const offsets = key?.kind === "tuple" ? tupleLayout(key.elements).offsets : [0];
    const parts = keyColumns(key).flatMap((type, i): Owned[] =>
      type.kind === "int" && type.identity ? [{ type, offset: offsets[i] }] : [],
    );
    this.#owned = parts.find(({ type }) => type.identity !== "cgroup") ?? parts[0];
    return this.#owned;
  }

  #container(map: MergedMap, row: number, onlyKnown = false): ContainerInfo | undefined {
    const owned = this.#ownedPart(map);
    if (!owned) return undefined;
    const value = readInteger(keyView(map), row * map.map.keySize + owned.offset, owned.type);
    const { identity } = owned.type;
    return onlyKnown ? this.#containers!.known(identity!, value) : this.#containers!.of(identity!, value);
  }

  /** Whose the processes of new keys are, while they live: their rows may be shown when they no longer do. */
  #notice(map: MergedMap): void {
    const owned = this.#ownedPart(map);
    if (!owned) return;
    const view = keyView(map);
    const { keySize } = map.map;
    const count = Math.min(map.count, MOST_KEYS);
    const values = function* () {
      for (let row = 0; row < count; row++) {
        yield Number(readInteger(view, row * keySize + owned.offset, owned.type));
      }
    };
    this.#containers!.notice(owned.type.identity!, values(), MOST_NOTICED);
  }

  #keyTexts(map: MergedMap, row: number, context: OutputContext): string[] {
    const { key } = map.map.script!;
    if (!this.#keyReaders) {
      const columns = keyColumns(key);
      const offsets = key?.kind === "tuple" ? tupleLayout(key.elements).offsets : [0];
      this.#keyReaders = columns.map((type, i) => ({ offset: offsets[i], read: valueReader(type) }));
    }
    const view = keyView(map);
    const at = row * map.map.keySize;
    return this.#keyReaders.map(({ offset, read }) => read(view, at + offset, context));
  }

  #row(map: MergedMap, row: number, value: number, rate: number, context: OutputContext): RowSnapshot {
    const type = map.map.script!.value;
    const container = this.#container(map, row);
    const base = { key: this.#keyTexts(map, row, context), value, rate, ...(container && { container }) };
    if (!isAggregation(type)) {
      this.#valueReader ??= valueReader(type);
      const size = map.raw!.byteLength / map.count;
      return { ...base, text: this.#valueReader(rawView(map), row * size, context) };
    }
    if (type.kind === "avg" || type.kind === "stats") {
      const { count, average, total } = statisticsOf(map, row, type.signed);
      const text = type.kind === "avg" ? String(average) : statisticsText(count, average, total);
      return { ...base, text, count: Number(count), average: Number(average), total: Number(total) };
    }
    if (type.kind === "tseries" || isHistogram(type)) {
      return { ...base, text: String(value), histogram: histogramOf(map, row, type) };
    }
    return { ...base, text: String(wordOf(map, row, type)) };
  }
}
