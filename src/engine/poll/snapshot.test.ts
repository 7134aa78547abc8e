import { describe, expect, it } from "vitest";
import type { MapPlan } from "../compile/plan.ts";
import { INT64, type Type } from "../compile/types.ts";
import type { OutputContext } from "../output/context.ts";
import type { MergedMap } from "./merged.ts";
import { DEFAULT_VIEW, MapPoller } from "./snapshot.ts";

const context = {} as OutputContext;

function map(value: Type, rows: [key: bigint, ...words: bigint[]][]): MergedMap {
  const width = rows[0].length - 1;
  const plan = { name: "@", role: "script", keySize: 8, valueSize: 8, script: { key: INT64, value } };
  return {
    map: plan as MapPlan,
    count: rows.length,
    keys: new Uint8Array(BigInt64Array.from(rows, ([key]) => key).buffer),
    words: BigInt64Array.from(rows.flatMap(([, ...words]) => words)),
    width,
  };
}

const count: Type = { kind: "count" };

describe("snapshots", () => {
  it("has the top rows, the number of all, their sum", () => {
    const many = Array.from({ length: 100 }, (_, i): [bigint, bigint] => [BigInt(i), BigInt(i * i)]);
    const snapshot = new MapPoller().snapshot(
      map(count, many),
      { ...DEFAULT_VIEW, rows: 3 },
      0,
      false,
      context,
    );
    expect(snapshot.total).toBe(100);
    expect(snapshot.sum).toBe(many.reduce((sum, [, value]) => sum + Number(value), 0));
    expect(snapshot.rows.map((row) => [row.key[0], row.value, row.text])).toEqual([
      ["99", 9801, "9801"],
      ["98", 9604, "9604"],
      ["97", 9409, "9409"],
    ]);
  });

  it("tells rates per second, also for rows that moved or are new", () => {
    const poller = new MapPoller();
    poller.snapshot(
      map(count, [
        [1n, 10n],
        [2n, 100n],
      ]),
      DEFAULT_VIEW,
      0,
      false,
      context,
    );
    const view = { ...DEFAULT_VIEW, order: "rate" as const };
    const next = poller.snapshot(
      map(count, [
        [2n, 100n],
        [3n, 4n],
        [1n, 30n],
      ]),
      view,
      500,
      false,
      context,
    );
    expect(next.rows.map((row) => [row.key[0], row.rate])).toEqual([
      ["1", 40],
      ["3", 8],
      ["2", 0],
    ]);
    expect(next.rate).toBe(48);
  });

  it("orders by key, ascending, and filters", () => {
    const rows = map(count, [
      [30n, 1n],
      [-4n, 2n],
      [3n, 3n],
      [200n, 4n],
    ]);
    const view = { rows: 10, order: "key" as const, descending: false };
    const keys = (filter?: string) =>
      new MapPoller().snapshot(rows, { ...view, filter }, 0, false, context).rows.map((row) => row.key[0]);
    expect(keys()).toEqual(["-4", "3", "30", "200"]);
    expect(keys("3")).toEqual(["3", "30"]);
  });

  it("shows averages with what they are made of", () => {
    const rows = map({ kind: "stats", signed: true }, [[1n, 4n, 10n]]);
    expect(new MapPoller().snapshot(rows, DEFAULT_VIEW, 0, false, context).rows[0]).toMatchObject({
      value: 2.5,
      count: 4,
      average: 2,
      total: 10,
      text: "{ .count = 4, .average = 2, .total = 10 }",
    });
  });

  it("sends histograms as buckets with bounds", () => {
    const rows = map({ kind: "lhist", min: 0n, max: 20n, step: 10n }, [[1n, 1n, 0n, 5n, 2n]]);
    const [row] = new MapPoller().snapshot(rows, DEFAULT_VIEW, 0, false, context).rows;
    expect(row.value).toBe(8);
    expect(row.histogram).toEqual({
      scale: "linear",
      buckets: [
        { low: Number.NEGATIVE_INFINITY, high: 0, count: 1, label: "(..., 0)" },
        { low: 0, high: 10, count: 0, label: "[0, 10)" },
        { low: 10, high: 20, count: 5, label: "[10, 20)" },
        { low: 20, high: Number.POSITIVE_INFINITY, count: 2, label: "[20, ...)" },
      ],
    });
  });
});
