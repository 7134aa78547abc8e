import { describe, expect, test } from "vitest";
import { histBuckets, int, lhistBuckets, type Type } from "../compile/types.ts";
import type { MergedMap } from "../poll/merged.ts";
import { ByteWriter } from "./bytes.ts";
import { mapJson } from "./json.ts";
import { type MapPrintOptions, writeMap, writePrintedMap } from "./mapText.ts";
import { testContext, testMap, text } from "./testing.ts";

const s64 = int(8, true);
const string: Type = { kind: "string", size: 8 };
const pair: Type = { kind: "tuple", elements: [s64, string] };
const hist: Type = { kind: "hist", bits: 0 };
const lhist = { kind: "lhist", min: 0n, max: 100n, step: 10n } as const;

const printed = (map: MergedMap, options: MapPrintOptions = {}): string => {
  const out = new ByteWriter();
  writePrintedMap(map, out, testContext, options);
  return out.toString();
};
const final = (map: MergedMap): string => {
  const out = new ByteWriter();
  writeMap(map, out, testContext);
  return out.toString();
};

/** Counts by bucket index. */
const buckets = (length: number, counts: Record<number, bigint>): bigint[] =>
  Array.from({ length }, (_, i) => counts[i] ?? 0n);
const log2 = (counts: Record<number, bigint>) => buckets(histBuckets(0), counts);
const linear = (counts: Record<number, bigint>) => buckets(lhistBuckets(lhist), counts);

const full = "@".repeat(52);
const bar = (count: number) => `${"@".repeat(count)}${" ".repeat(52 - count)}`;

const byName = (...counts: [name: string, count: bigint][]) =>
  testMap(
    "@",
    string,
    { kind: "count" },
    counts.map(([name, count]) => ({ key: [text(name, 8)], words: [count] })),
  );

const avg = testMap(
  "@",
  string,
  { kind: "avg", signed: true },
  [10n, 20n, 30n, 40n].map((value, i) => ({ key: [text("abcd"[i], 8)], words: [2n, value * 2n] })),
);

/** map, how it is printed, text, JSON */
const rows: [name: string, map: MergedMap, options: MapPrintOptions, text: string, json: string][] = [
  [
    "scalar",
    testMap("@x", undefined, s64, [{ raw: [5n] }]),
    {},
    "@x: 5\n",
    '{"type": "map", "data": {"@x": 5}}\n',
  ],
  [
    "string",
    testMap("@s", undefined, string, [{ raw: [text("a b", 8)] }]),
    {},
    "@s: a b\n",
    '{"type": "map", "data": {"@s": "a b"}}\n',
  ],
  ["unset scalar", testMap("@x", undefined, s64, []), {}, "@x: 0\n", '{"type": "map", "data": {"@x": 0}}\n'],
  [
    "several keys, ascending by value",
    testMap("@y", pair, s64, [
      { key: [1n, text("a", 8)], raw: [2n] },
      { key: [2n, text("b", 8)], raw: [-1n] },
    ]),
    {},
    "@y[2, b]: -1\n@y[1, a]: 2\n",
    '{"type": "map", "data": {"@y": {"2,b": -1, "1,a": 2}}}\n',
  ],
  [
    "equal values by key",
    byName(["c", 1n], ["b", 1n], ["a", 2n]),
    {},
    "@[b]: 1\n@[c]: 1\n@[a]: 2\n",
    '{"type": "map", "data": {"@": {"b": 1, "c": 1, "a": 2}}}\n',
  ],
  [
    "top and div",
    byName(["a", 10n], ["b", 20n], ["c", 39n]),
    { top: 2, div: 10 },
    "@[b]: 2\n@[c]: 3\n",
    '{"type": "map", "data": {"@": {"b": 2, "c": 3}}}\n',
  ],
  [
    "strings by key",
    testMap("@", s64, string, [
      { key: [2n], raw: [text("x", 8)] },
      { key: [-1n], raw: [text("y", 8)] },
    ]),
    {},
    "@[-1]: y\n@[2]: x\n",
    '{"type": "map", "data": {"@": {"-1": "y", "2": "x"}}}\n',
  ],
  [
    "avg with top and div",
    avg,
    { top: 2, div: 10 },
    "@[c]: 3\n@[d]: 4\n",
    '{"type": "stats", "data": {"@": {"c": 3, "d": 4}}}\n',
  ],
  [
    "top beyond the map",
    avg,
    { top: 10, div: 10 },
    "@[a]: 1\n@[b]: 2\n@[c]: 3\n@[d]: 4\n",
    '{"type": "stats", "data": {"@": {"a": 1, "b": 2, "c": 3, "d": 4}}}\n',
  ],
  [
    "stats",
    testMap("@s", undefined, { kind: "stats", signed: true }, [{ words: [3n, -10n] }]),
    {},
    "@s: { .count = 3, .average = -3, .total = -10 }\n",
    '{"type": "stats", "data": {"@s": {"count": 3, "average": -3, "total": -10}}}\n',
  ],
  [
    "unset stats",
    { ...testMap("@s", undefined, { kind: "stats", signed: true }, []), width: 2 },
    {},
    "@s: { .count = 0, .average = 0, .total = 0 }\n",
    '{"type": "stats", "data": {"@s": {"count": 0, "average": 0, "total": 0}}}\n',
  ],
  [
    "negative min",
    testMap("@m", undefined, { kind: "min", signed: true }, [{ words: [-5n] }]),
    {},
    "@m: -5\n",
    '{"type": "map", "data": {"@m": -5}}\n',
  ],
  [
    "count beyond a double",
    testMap("@c", undefined, { kind: "count" }, [{ words: [-1n] }]),
    {},
    "@c: 18446744073709551615\n",
    '{"type": "map", "data": {"@c": "18446744073709551615"}}\n',
  ],
  [
    "hist",
    testMap("@", undefined, hist, [{ words: log2({ 0: 1n, 3: 2n, 4: 1n, 6: 1n }) }]),
    {},
    [
      "@:",
      `(..., 0)               1 |${bar(26)}|`,
      `[0]                    0 |${bar(0)}|`,
      `[1]                    0 |${bar(0)}|`,
      `[2, 4)                 2 |${full}|`,
      `[4, 8)                 1 |${bar(26)}|`,
      `[8, 16)                0 |${bar(0)}|`,
      `[16, 32)               1 |${bar(26)}|`,
      "\n",
    ].join("\n"),
    '{"type": "hist", "data": {"@": [{"max": -1, "count": 1},{"min": 0, "max": 0, "count": 0},{"min": 1, "max": 1, "count": 0},{"min": 2, "max": 3, "count": 2},{"min": 4, "max": 7, "count": 1},{"min": 8, "max": 15, "count": 0},{"min": 16, "max": 31, "count": 1}]}}\n',
  ],
  [
    "hist suffixes",
    testMap("@h", string, hist, [{ key: [text("k", 8)], words: log2({ 11: 1n, 12: 1n }) }]),
    {},
    `@h[k]:\n[512, 1K)              1 |${full}|\n[1K, 2K)               1 |${full}|\n\n`,
    '{"type": "hist", "data": {"@h": {"k": [{"min": 512, "max": 1023, "count": 1},{"min": 1024, "max": 2047, "count": 1}]}}}\n',
  ],
  [
    "hist with finer buckets",
    testMap("@", undefined, { kind: "hist", bits: 2 }, [
      { words: buckets(histBuckets(2), { 5: 1n, 9: 1n, 10: 3n }) },
    ]),
    {},
    [
      "@:",
      `[4]                    1 |${bar(17)}|`,
      `[5]                    0 |${bar(0)}|`,
      `[6]                    0 |${bar(0)}|`,
      `[7]                    0 |${bar(0)}|`,
      `[8, 10)                1 |${bar(17)}|`,
      `[10, 12)               3 |${full}|`,
      "\n",
    ].join("\n"),
    '{"type": "hist", "data": {"@": [{"min": 4, "max": 4, "count": 1},{"min": 5, "max": 5, "count": 0},{"min": 6, "max": 6, "count": 0},{"min": 7, "max": 7, "count": 0},{"min": 8, "max": 9, "count": 1},{"min": 10, "max": 11, "count": 3}]}}\n',
  ],
  [
    "zeroed hist",
    testMap("@h", undefined, hist, [{ words: log2({}) }]),
    {},
    "@h:\n\n",
    '{"type": "hist", "data": {"@h": []}}\n',
  ],
  [
    "lhist",
    testMap("@h", undefined, lhist, [{ words: linear({ 0: 1n, 1: 1n, 11: 2n }) }]),
    {},
    [
      "@h:",
      `(..., 0)               1 |${bar(26)}|`,
      `[0, 10)                1 |${bar(26)}|`,
      ...[10, 20, 30, 40, 50, 60, 70, 80].map((n) => `${`[${n}, ${n + 10})`.padEnd(16)}       0 |${bar(0)}|`),
      `[90, 100)              0 |${bar(0)}|`,
      `[100, ...)             2 |${full}|`,
      "\n",
    ].join("\n"),
    `{"type": "hist", "data": {"@h": [{"max": -1, "count": 1},{"min": 0, "max": 9, "count": 1},${[10, 20, 30, 40, 50, 60, 70, 80, 90].map((n) => `{"min": ${n}, "max": ${n + 9}, "count": 0}`).join(",")},{"min": 100, "count": 2}]}}\n`,
  ],
  [
    "lhist in steps of a kilo",
    testMap("@h", undefined, { kind: "lhist", min: 0n, max: 4096n, step: 2048n }, [
      { words: [0n, 1n, 0n, 0n] },
    ]),
    {},
    `@h:\n[0, 2K)                1 |${full}|\n\n`,
    '{"type": "hist", "data": {"@h": [{"min": 0, "max": 2047, "count": 1}]}}\n',
  ],
  [
    "hists by their total",
    testMap("@", s64, hist, [
      { key: [1n], words: log2({ 3: 5n }) },
      { key: [2n], words: log2({ 4: 1n }) },
    ]),
    { top: 1 },
    `@[1]:\n[2, 4)                 5 |${full}|\n\n`,
    '{"type": "hist", "data": {"@": {"1": [{"min": 2, "max": 3, "count": 5}]}}}\n',
  ],
];

describe("maps", () => {
  test.each(rows)("%s", (_name, map, options, text, json) => {
    expect(printed(map, options)).toBe(text);
    expect(mapJson(map, testContext, options, true)).toBe(json);
  });

  test("a scalar that was never set is not printed at the end", () => {
    const map = testMap("@x", undefined, s64, []);
    expect(final(map)).toBe("");
    expect(mapJson(map, testContext)).toBe("");
  });

  test("a stack as key takes several lines", () => {
    const map = testMap(
      "@",
      { kind: "stack", space: "kernel", mode: "bpftrace", depth: 2 },
      { kind: "count" },
      [{ key: [7n, 0n], words: [3n] }],
    );
    expect(final(map)).toBe("@[\n        vfs_read+16\n        0x10\n]: 3\n");
  });
});

describe("tseries", () => {
  const type = (agg: "last" | "avg", intervals: number): Type => ({
    kind: "tseries",
    interval: 100_000_000n,
    intervals,
    agg,
    signed: true,
  });
  const hour = String(new Date(0).getHours()).padStart(2, "0");
  const minute = String(new Date(0).getMinutes()).padStart(2, "0");

  test("a chart runs from the first interval with a value", () => {
    const words = [5n, 9n, 1n, 6n, 18n, 2n, 0n, 0n, 0n, 8n, 9n, 1n, 9n, 9n, 1n];
    const map = testMap("@a", undefined, type("avg", 5), [{ words }]);
    const line = (at: string, value: string, mark: boolean) =>
      `${hour}:${minute}:00.${at} |${" ".repeat(25)}${mark ? "*" : " "}${" ".repeat(25)}| ${value}`;
    expect(final(map)).toBe(
      [
        "@a:",
        `             8${" ".repeat(20)}${"10".padStart(32)}`,
        `hh:mm:ss.ms  |${"_".repeat(51)}|`,
        line("500", "9", true),
        line("600", "9", true),
        line("700", "-", false),
        line("800", "9", true),
        line("900", "9", true),
        `             v${"_".repeat(51)}v`,
        `             8${" ".repeat(20)}${"10".padStart(32)}`,
        "\n",
      ].join("\n"),
    );
    expect(mapJson(map, testContext)).toContain(
      '{"type": "tseries", "data": {"@a": [{"interval_start":"1970-01-01 00:00:00.500000000","value":9},',
    );
  });

  test("zero has its own line when values lie on both sides of it", () => {
    const words = [-5n, -4n, 5n].flatMap((value, i) => [BigInt(i + 1), value, 1n]);
    const lines = final(testMap("@", undefined, type("last", 3), [{ words }])).split("\n");
    expect(lines[3].slice(13)).toBe(`*${" ".repeat(25)}.${" ".repeat(25)}| -5`);
    expect(lines[5].slice(13)).toBe(`|${" ".repeat(25)}.${" ".repeat(25)}* 5`);
  });
});
