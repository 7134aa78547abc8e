/** The rows of a merged map in the order in which they are printed, and their values as numbers. */

import { type AggregationType, isAggregation, sizeOf, type Type, tupleLayout } from "../compile/types.ts";
import type { MergedMap } from "../poll/merged.ts";
import { readInteger } from "./values.ts";

/** avg() and stats() of one row. */
export interface Statistics {
  count: bigint;
  total: bigint;
  average: bigint;
}

const unsigned = (word: bigint): bigint => BigInt.asUintN(64, word);

/** Words [count, total] of a row. */
export function statisticsOf(map: MergedMap, row: number, signed: boolean): Statistics {
  const at = row * map.width;
  const count = unsigned(map.words![at]);
  const total = signed ? map.words![at + 1] : unsigned(map.words![at + 1]);
  return { count, total, average: count > 0n ? total / count : 0n };
}

/** The word of a count, sum, min or max. */
export function wordOf(map: MergedMap, row: number, type: AggregationType): bigint {
  const word = map.words![row * map.width];
  return "signed" in type && type.signed ? word : unsigned(word);
}

export const wordsOf = (map: MergedMap, row: number): BigInt64Array =>
  map.words!.subarray(row * map.width, (row + 1) * map.width);

const dataView = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

export const keyView = (map: MergedMap): DataView => dataView(map.keys);
export const rawView = (map: MergedMap): DataView => dataView(map.raw!);

type Compare = (a: number, b: number) => number;

/** Compares two keys by the offsets at which they lie. */
export function keyCompare(view: DataView, type: Type): Compare {
  switch (type.kind) {
    case "int": {
      if (type.size === 8) {
        const read = type.signed ? view.getBigInt64 : view.getBigUint64;
        return (a, b) => {
          const x = read.call(view, a, true);
          const y = read.call(view, b, true);
          return x < y ? -1 : x > y ? 1 : 0;
        };
      }
      return (a, b) => Number(readInteger(view, a, type) - readInteger(view, b, type));
    }
    case "tuple": {
      const { offsets } = tupleLayout(type.elements);
      const parts = type.elements.map((element) => keyCompare(view, element));
      return (a, b) => {
        for (let i = 0; i < parts.length; i++) {
          const order = parts[i](a + offsets[i], b + offsets[i]);
          if (order !== 0) return order;
        }
        return 0;
      };
    }
    default: {
      const size = sizeOf(type);
      return (a, b) => {
        for (let i = 0; i < size; i++) {
          const order = view.getUint8(a + i) - view.getUint8(b + i);
          if (order !== 0) return order;
        }
        return 0;
      };
    }
  }
}

/** What a row is sorted by; undefined: by its key. */
function sortValues(map: MergedMap): bigint[] | undefined {
  const { value } = map.map.script!;
  const rows = Array.from({ length: map.count }, (_, row) => row);
  if (isAggregation(value)) {
    switch (value.kind) {
      case "count":
      case "sum":
      case "min":
      case "max":
        return rows.map((row) => wordOf(map, row, value));
      case "avg":
      case "stats":
        return rows.map((row) => statisticsOf(map, row, value.signed).average);
      case "hist":
      case "lhist":
        return rows.map((row) => wordsOf(map, row).reduce((sum, word) => sum + word, 0n));
      case "tseries":
        return undefined;
    }
  }
  if (value.kind !== "int") return undefined;
  const view = rawView(map);
  return rows.map((row) => readInteger(view, row * map.map.valueSize, value));
}

/**
 * Row numbers, ascending by value, equal values by key; maps of anything but numbers by key. `top`: only the last so many.
 */
export function orderedRows(map: MergedMap, top = 0): number[] {
  const rows = Array.from({ length: map.count }, (_, row) => row);
  const { key } = map.map.script!;
  const { keySize } = map.map;
  const compareKeys = key && map.count > 1 ? keyCompare(keyView(map), key) : () => 0;
  const byKey: Compare = (a, b) => compareKeys(a * keySize, b * keySize);
  const values = map.count > 1 ? sortValues(map) : undefined;
  if (!values) rows.sort(byKey);
  else rows.sort((a, b) => (values[a] < values[b] ? -1 : values[a] > values[b] ? 1 : byKey(a, b)));
  return top > 0 ? rows.slice(-top) : rows;
}
