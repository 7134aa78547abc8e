import { describe, expect, it } from "vitest";
import { type HistogramSnapshot, type MapShape, NO_LOSSES, type RowSnapshot } from "../../engine/protocol.ts";
import type { PaneEvent } from "../pane.ts";
import { inRole, PaneDriver } from "../testing.ts";
import { histogramPane } from "./index.ts";
import { maximum, quantile } from "./quantile.ts";

const name = (n: number) => (n >= 1024 ? `${n / 1024}K` : String(n));

/** Log2 buckets from 2^first. */
function log2(first: number, ...counts: number[]): HistogramSnapshot {
  return {
    scale: "log2",
    buckets: counts.map((count, i) => {
      const low = 2 ** (first + i);
      return { low, high: 2 * low, count, label: `[${name(low)}, ${name(2 * low)})` };
    }),
  };
}

const LINEAR: HistogramSnapshot = {
  scale: "linear",
  buckets: [
    { low: Number.NEGATIVE_INFINITY, high: 0, count: 1, label: "(..., 0)" },
    { low: 0, high: 10, count: 10, label: "[0, 10)" },
    { low: 10, high: 20, count: 0, label: "[10, 20)" },
    { low: 20, high: Number.POSITIVE_INFINITY, count: 9, label: "[20, ...)" },
  ],
};

describe("percentiles", () => {
  it.each([
    [log2(4, 100), 0.5, { value: 23.5, bound: "estimate" }],
    [log2(4, 50, 50), 0.5, { value: 31, bound: "estimate" }],
    [log2(4, 50, 50), 0.9, { value: 56.8, bound: "estimate" }],
    [log2(0, 7), 0.99, { value: 1, bound: "estimate" }],
    [LINEAR, 0.05, { value: 0, bound: "below" }],
    [LINEAR, 0.3, { value: 4.5, bound: "estimate" }],
    [LINEAR, 0.99, { value: 20, bound: "above" }],
  ] as const)("%# at %d", (histogram, fraction, expected) => {
    const found = quantile(histogram, fraction)!;
    expect(found.bound).toBe(expected.bound);
    expect(found.value).toBeCloseTo(expected.value, 6);
  });

  it("knows the most that a value can be", () => {
    expect(maximum(log2(4, 1, 1))).toEqual({ value: 63, bound: "estimate" });
    expect(maximum(LINEAR)).toEqual({ value: 20, bound: "above" });
  });

  it("ignores empty buckets at the end", () => expect(maximum(log2(4, 3, 0, 0))?.value).toBe(31));

  it("has none of nothing", () => expect(quantile(log2(4, 0, 0), 0.5)).toBeUndefined());
});

const MAP: MapShape = { name: "@us", kind: "hist", keys: ["comm"] };
const SCALAR: MapShape = { name: "@sizes_bytes", kind: "hist", keys: [] };

function row(key: string[], histogram: HistogramSnapshot, rate = 0): RowSnapshot {
  const value = histogram.buckets.reduce((sum, bucket) => sum + bucket.count, 0);
  return { key, value, text: "", rate, histogram };
}

function snapshot(map: MapShape, rows: RowSnapshot[], full = false): PaneEvent {
  const cost = { cpuPercent: 0, eventsPerSecond: 0, events: 0, probes: [] };
  const maps = [{ name: map.name, kind: map.kind, total: rows.length, sum: 0, rate: 0, rows, full }];
  return { type: "snapshot", snapshot: { time: 0, elapsed: 1000, maps, cost, losses: NO_LOSSES } };
}

function show(width: number, height: number, map = MAP) {
  return new PaneDriver(histogramPane, { width, height }, { map });
}

describe("the histogram pane", () => {
  it("waits for a reading", () => {
    expect(show(40, 5).text()).toEqual(["waiting for the first reading"]);
    expect(show(40, 5).send(snapshot(MAP, [])).text()).toEqual(["nothing counted yet"]);
  });

  it("draws buckets scaled to the pane", () => {
    const pane = show(40, 6).send(snapshot(MAP, [row(["bash"], log2(4, 10, 80, 1))]));
    expect(pane.text()).toEqual([
      "p50 46µs  p99 70µs  max ≤127µs  n 91",
      " [16, 32) ██▎                   10",
      " [32, 64) ██████████████████    80",
      "[64, 128) ▎                      1",
    ]);
    expect(pane.title()).toBe("@us[bash] · 1 of 1");
  });

  it("is scaled with eighths, or with # in ASCII", () => {
    const pane = show(60, 3).send(snapshot(SCALAR, [row([], log2(4, 1, 2))]));
    const other = show(60, 3, SCALAR).send(snapshot(SCALAR, [row([], log2(4, 1, 2))]));
    expect(pane.text()).toEqual(["waiting for the first reading"]);
    expect(other.text()).toEqual([
      `[16, 32) ${"█".repeat(19)}▌${" ".repeat(19)}     1`,
      `[32, 64) ${"█".repeat(39)}     2`,
    ]);
    expect(other.text({ unicode: false })[1]).toBe(`[32, 64) ${"#".repeat(39)}     2`);
  });

  it("shows what came since the last frame", () => {
    const pane = show(60, 5).send(snapshot(MAP, [row(["a"], log2(4, 10, 5))]));
    expect(inRole(pane.lines(), "changed")).toEqual(["     ", "     "].map((it) => ` ${it}`));
    pane.send(snapshot(MAP, [row(["a"], log2(4, 10, 10, 2), 7)]));
    const text = pane.text();
    expect(text[0]).toMatch(/7\/s$/);
    expect(text[1]).toMatch(/10$/);
    expect(text[2]).toMatch(/10 \+5$/);
    expect(text[3]).toMatch(/2 \+2$/);
    const bars = inRole(pane.lines(), "changed").filter((part) => part.includes("█"));
    expect(bars).toHaveLength(2);
  });

  it("goes through the keys, and keeps the chosen one when the order changes", () => {
    const rows = [row(["a"], log2(4, 9)), row(["b"], log2(4, 5)), row(["c"], log2(4, 1))];
    const pane = show(60, 6).send(snapshot(MAP, rows)).press("right");
    expect(pane.title()).toBe("@us[b] · 2 of 3");
    pane.send(snapshot(MAP, [row(["b"], log2(4, 50)), rows[0], rows[2]]));
    expect(pane.title()).toBe("@us[b] · 1 of 3");
    expect(pane.press("left").title()).toBe("@us[c] · 3 of 3");
  });

  it("lists the other keys where there is room", () => {
    const rows = [
      row(["read"], log2(4, 90, 10)),
      row(["write"], log2(5, 1, 2, 4)),
      row(["sync"], log2(9, 3)),
    ];
    const pane = show(70, 9).send(snapshot(MAP, rows)).press("right");
    expect(pane.text().slice(4)).toEqual([
      "",
      "KEY      COUNT      P50      P99      MAX DISTRIBUTION",
      "read       100     24µs     60µs     63µs █▁",
      "write        7    144µs    253µs    255µs  ▂▄█",
      "sync         3    768µs    1.0ms    1.0ms     █",
    ]);
    expect(inRole(pane.lines(), "accent")).toEqual(["write"]);
    pane.resize(70, 7);
    expect(pane.text()).toHaveLength(4);
  });

  it("goes through the histogram maps only", () => {
    const maps = [MAP, { name: "@n", kind: "count", keys: [] } as MapShape, SCALAR];
    const pane = show(60, 6).send({ type: "shape", shape: { maps, prints: false, probes: [], options: [] } });
    expect(pane.press("down").title()).toBe("@sizes_bytes");
    expect(histogramPane.wants?.(pane.state, pane.size)?.map).toBe("@sizes_bytes");
    expect(pane.press("down").title()).toBe("@us[comm]");
  });

  it("shows the busiest window of many buckets, what is hidden, and scrolls", () => {
    const pane = show(60, 6).send(snapshot(MAP, [row(["a"], log2(0, 1, 0, 0, 0, 3, 40, 40, 3, 0, 0, 0, 2))]));
    expect(
      pane
        .text()
        .slice(1)
        .map((it) => it.trim().split(")")[0]),
    ).toEqual(["[16, 32", "[32, 64", "[64, 128", "[128, 256", "↑ 4 more: 1   ↓ 4 more: 2"]);
    pane.press("pagedown");
    expect(pane.text()[5]).toBe("↑ 8 more: 87");
    expect(pane.press("home").text()[5]).toBe("↑ 4 more: 1   ↓ 4 more: 2");
    expect(pane.text({ unicode: false })[5]).toBe("^ 4 more: 1   v 4 more: 2");
  });

  it("has bounds where buckets have no end", () => {
    const pane = show(80, 8, { ...MAP, name: "@x", kind: "lhist" });
    pane.send(snapshot({ ...MAP, name: "@x", kind: "lhist" }, [row(["a"], LINEAR)]));
    expect(pane.text()[0]).toBe("p50 8  p90 ≥20  p99 ≥20  max ≥20  n 20");
  });

  it("lets no control character of a key through", () => {
    const pane = show(60, 6).send(snapshot(MAP, [row(["\x1b[2J"], log2(4, 1))]));
    expect(pane.title()).toBe("@us[\\x1b[2J] · 1 of 1");
  });

  it("warns of a full map", () => {
    const pane = show(60, 8).send(snapshot(MAP, [row(["a"], log2(4, 1))], true));
    expect(inRole(pane.lines(), "warning")).toEqual(["the map is full: new keys are lost"]);
  });

  it.each([8, 12, 16, 20, 30, 48, 64, 80, 200])("fits %i columns", (width) => {
    for (const height of [1, 2, 3, 4, 9]) {
      const pane = show(width, height).send(snapshot(MAP, [row(["a"], log2(4, 1000000, 2, 3, 4, 5, 6))]));
      pane.send(snapshot(MAP, [row(["a"], log2(4, 2000000, 2, 3, 4, 5, 7), 1e6)]));
      expect(pane.overflow()).toEqual([]);
      expect(pane.overflow({ unicode: false })).toEqual([]);
    }
  });
});
