import { describe, expect, it } from "vitest";
import type { MapPlan } from "../compile/plan.ts";
import { histBuckets, INT64, sizeOf, type Type } from "../compile/types.ts";
import { mergeMap } from "./merge.ts";

const CPUS = 3;

function plan(value: Type, key: Type | undefined, present?: number): MapPlan {
  return {
    name: "@",
    role: "script",
    type: key ? "percpu_hash" : "percpu_array",
    keySize: key ? sizeOf(key) : 4,
    valueSize: sizeOf(value),
    maxEntries: 1,
    flags: 0,
    script: { value, key, present: present === undefined ? undefined : { offset: present } },
  };
}

/** Rows of words per CPU → what a batch read gives. */
function raw(rows: bigint[][][], keys: bigint[] = []) {
  const words = rows.flat(2);
  const cpuStride = rows[0][0].length * 8;
  return {
    keys: new Uint8Array(BigInt64Array.from(keys).buffer),
    values: new Uint8Array(BigInt64Array.from(words).buffer),
    count: rows.length,
    cpuStride,
    valueStride: cpuStride * CPUS,
    cpus: CPUS,
  };
}

const MINUS = -5n;

describe("one row", () => {
  it.each<[string, Type, bigint[][], bigint[]]>([
    ["count", { kind: "count" }, [[1n], [0n], [41n]], [42n]],
    ["sum of negatives", { kind: "sum", signed: true }, [[MINUS], [2n], [0n]], [-3n]],
    ["sum wraps at 64 bits", { kind: "sum", signed: false }, [[-1n], [2n], [0n]], [1n]],
    [
      "stats",
      { kind: "stats", signed: true },
      [
        [2n, 10n],
        [0n, 0n],
        [1n, MINUS],
      ],
      [3n, 5n],
    ],
    [
      "min of those that are set",
      { kind: "min", signed: true },
      [
        [7n, 1n],
        [0n, 0n],
        [9n, 1n],
      ],
      [7n],
    ],
    [
      "min, signed",
      { kind: "min", signed: true },
      [
        [MINUS, 1n],
        [3n, 1n],
        [0n, 0n],
      ],
      [MINUS],
    ],
    [
      "min, unsigned: -1 is the greatest",
      { kind: "min", signed: false },
      [
        [-1n, 1n],
        [3n, 1n],
        [0n, 0n],
      ],
      [3n],
    ],
    [
      "max, unsigned",
      { kind: "max", signed: false },
      [
        [-1n, 1n],
        [3n, 1n],
        [0n, 0n],
      ],
      [-1n],
    ],
    [
      "max of negatives",
      { kind: "max", signed: true },
      [
        [0n, 0n],
        [MINUS, 1n],
        [-9n, 1n],
      ],
      [MINUS],
    ],
    [
      "lhist",
      { kind: "lhist", min: 0n, max: 2n, step: 1n },
      [
        [0n, 1n, 0n, 0n],
        [1n, 1n, 0n, 2n],
        [0n, 0n, 0n, 0n],
      ],
      [1n, 2n, 0n, 2n],
    ],
    [
      "tseries: an older turn of a slot does not count",
      { kind: "tseries", interval: 1n, intervals: 1, agg: "sum", signed: true },
      [
        [5n, 10n, 2n],
        [4n, 100n, 9n],
        [5n, 1n, 1n],
      ],
      [5n, 11n, 3n],
    ],
  ])("%s", (_, value, cpus, expected) => {
    const merged = mergeMap(plan(value, INT64), raw([cpus], [77n]));
    expect([...merged.words!]).toEqual(expected);
    expect(merged.width).toBe(expected.length);
    expect(new BigInt64Array(merged.keys.buffer)[0]).toBe(77n);
  });
});

it("keeps rows apart", () => {
  const rows = [0n, 1n, 2n].map((row) => [[row], [row * 10n], [row * 100n]]);
  const merged = mergeMap(plan({ kind: "count" }, INT64), raw(rows, [3n, 4n, 5n]));
  expect([...merged.words!]).toEqual([0n, 111n, 222n]);
});

it("adds the buckets of log2 histograms", () => {
  const buckets = histBuckets(0);
  const cpu = (at: number) => Array.from({ length: buckets }, (_, i) => (i === at ? 1n : 0n));
  const merged = mergeMap(plan({ kind: "hist", bits: 0 }, undefined), raw([[cpu(1), cpu(2), cpu(2)]]));
  expect(merged.count).toBe(1);
  expect(merged.words!.slice(0, 4)).toEqual(BigInt64Array.from([0n, 1n, 2n, 0n]));
});

it.each([
  ["a count that never counted", { kind: "count" } as const, [[0n], [0n], [0n]], undefined, 0],
  ["a count of one CPU", { kind: "count" } as const, [[0n], [0n], [4n]], undefined, 1],
  [
    "a sum of zero that was set",
    { kind: "sum", signed: true } as const,
    [
      [0n, 0n],
      [0n, 1n],
      [0n, 0n],
    ],
    8,
    1,
  ],
  [
    "a sum that was not",
    { kind: "sum", signed: true } as const,
    [
      [0n, 0n],
      [0n, 0n],
      [0n, 0n],
    ],
    8,
    0,
  ],
])("scalars: %s", (_, value, cpus, present, count) => {
  expect(mergeMap(plan(value, undefined, present), raw([cpus])).count).toBe(count);
});

it("copies plain values without what follows them", () => {
  const map: MapPlan = { ...plan(INT64, undefined, 8), type: "array", valueSize: 16 };
  const values = new Uint8Array(BigInt64Array.from([-7n, 1n]).buffer);
  const merged = mergeMap(map, {
    keys: new Uint8Array(4),
    values,
    count: 1,
    cpuStride: 16,
    valueStride: 16,
    cpus: 1,
  });
  expect(merged.count).toBe(1);
  expect([...new BigInt64Array(merged.raw!.buffer)]).toEqual([-7n]);
});
