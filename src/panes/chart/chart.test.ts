import { describe, expect, it } from "vitest";
import { type MapKind, type MapShape, NO_LOSSES } from "../../engine/protocol.ts";
import type { PaneEvent } from "../pane.ts";
import { inRole, PaneDriver } from "../testing.ts";
import { chartPane } from "./index.ts";
import { drawLine } from "./line.ts";
import { addPoint, LONGEST, type Point, RESOLUTION, resample } from "./series.ts";

describe("the line", () => {
  it("goes from corner to corner", () => {
    expect(drawLine([0, 1 / 3, 2 / 3, 1], 0, 2, 1, true)).toEqual(["⡠⠊"]);
    expect(drawLine([1, 0], 0, 1, 2, true)).toEqual(["⡇", "⢸"]);
  });

  it("is flat at the top, at the bottom and between", () => {
    expect(drawLine([1, 1, 1, 1], 0, 2, 2, true)).toEqual(["⠉⠉", "  "]);
    expect(drawLine([0, 0, 0, 0], 0, 2, 2, true)).toEqual(["  ", "⣀⣀"]);
    expect(drawLine([0.5, 0.5], 0, 1, 3, true).map((it) => it !== " ")).toEqual([false, true, false]);
  });

  it("begins where there is something", () => {
    expect(drawLine([1, 1], 4, 4, 1, true)).toEqual(["  ⠉ "]);
    expect(drawLine([1, 1, 1], 5, 4, 1, true)).toEqual(["  ⠈⠉"]);
    expect(drawLine([1], 2, 3, 1, true)).toEqual([" ⠉ "]);
    expect(drawLine([], 0, 3, 1, true)).toEqual(["   "]);
  });

  it("has an ASCII form", () => expect(drawLine([1, 1, 1, 1], 0, 2, 1, false)).toEqual(["**"]));

  it("never leaves its box", () => {
    for (const columns of [1, 7, 60]) {
      for (const rows of [1, 3, 20]) {
        const values = Array.from({ length: columns * 2 }, (_, i) => (i % 3) / 2);
        const lines = drawLine(values, 0, columns, rows, true);
        expect(lines).toHaveLength(rows);
        expect(lines.every((text) => text.length === columns)).toBe(true);
      }
    }
  });
});

describe("the series", () => {
  const at = (time: number, value: number): Point => ({ time, value, rate: value, readings: 1 });

  it("is bounded however fast and however long it is fed", () => {
    let points: readonly Point[] = [];
    for (let time = 0; time < 2 * LONGEST; time += 100) points = addPoint(points, time, time, 1);
    expect(points.length).toBeLessThanOrEqual(LONGEST / RESOLUTION + 1);
    expect(points.at(-1)?.time).toBe(2 * LONGEST - 100);
    expect(points[0].time).toBeGreaterThanOrEqual(LONGEST - 1000);
  });

  it("takes the last value and the mean rate of a slot", () => {
    const points = addPoint(addPoint([], 0, 1, 10), 100, 2, 20);
    expect(points).toEqual([{ time: 100, value: 2, rate: 15, readings: 2 }]);
  });

  it("ignores what is no number and what comes from the past", () => {
    const points = addPoint([], 1000, 1, 1);
    expect(addPoint(points, 500, 1, 1)).toBe(points);
    expect(addPoint(points, 2000, Number.NaN, 1)).toBe(points);
  });

  it("draws straight lines between readings", () => {
    expect(resample([at(0, 0), at(1000, 4)], (it) => it.value, 1000, 5)).toEqual({
      values: [0, 1, 2, 3, 4],
      from: 0,
    });
  });

  it("keeps peaks where readings are denser than dots", () => {
    const points = [at(0, 1), at(100, 9), at(200, 2), at(1000, 3)];
    expect(resample(points, (it) => it.value, 1000, 2).values).toEqual([9, 3]);
  });

  it("begins at the first reading", () => {
    expect(resample([at(750, 1), at(1000, 2)], (it) => it.value, 1000, 5)).toEqual({
      values: [1, 2],
      from: 3,
    });
  });
});

const map = (kind: MapKind, name = "@n", keys: string[] = []): MapShape => ({ name, kind, keys });

function reading(shape: MapShape, time: number, sum: number, rate: number): PaneEvent {
  const cost = { cpuPercent: 0, eventsPerSecond: 0, events: 0, probes: [] };
  const maps = [{ name: shape.name, kind: shape.kind, total: 1, sum, rate, rows: [], full: false }];
  return { type: "snapshot", snapshot: { time, elapsed: 1000, maps, cost, losses: NO_LOSSES } };
}

function show(shape: MapShape, width: number, height: number, readings: [sum: number, rate: number][]) {
  const pane = new PaneDriver(chartPane, { width, height }, { map: shape });
  for (const [i, [sum, rate]] of readings.entries()) {
    pane.send(reading(shape, 1_000_000 + i * 1000, sum, rate));
  }
  return pane;
}

const RAMP = Array.from({ length: 61 }, (_, i): [number, number] => [i * 10, i]);

describe("the chart pane", () => {
  it("waits for a reading", () => {
    expect(show(map("count"), 40, 6, []).text()).toEqual(["waiting for the first reading"]);
  });

  it("shows the rate of a count, with an axis", () => {
    const pane = show(map("count"), 37, 7, RAMP);
    expect(pane.title()).toBe("@n · per second · 1 min");
    expect(pane.text()).toEqual([
      "now 60/s  max 60/s  avg 30/s  min 0/s",
      "   60┤                        ⢀⣀⠤⠔⠒⠉⠉",
      "     │                  ⣀⡠⠤⠔⠒⠉⠁",
      "   30┤           ⢀⣀⠤⠔⠒⠊⠉",
      "     │     ⣀⡠⠤⠒⠊⠉⠁",
      "    0┤⡠⠤⠒⠊⠉",
      "     └-1m──────────-30s───────────now",
    ]);
  });

  it("shows the value of a number", () => {
    const pane = show(map("integer"), 40, 6, [
      [5, 0],
      [7, 0],
    ]);
    expect(pane.title()).toBe("@n · value · 1 min");
    expect(pane.text()[0]).toBe("now 7  max 7  avg 6  min 5");
  });

  it("switches between value and rate, linear and logarithmic, and the windows", () => {
    const pane = show(map("count"), 40, 6, RAMP).press("v");
    expect(pane.text()[0]).toMatch(/^now 600 {2}max 600/);
    expect(pane.press("v", "L").title()).toBe("@n · per second · 1 min · log");
    expect(pane.press("right").title()).toContain("5 min");
    expect(pane.text().at(-1)).toContain("-5m");
    expect(pane.press("right", "right").title()).toContain("1 min");
    expect(pane.press("left").title()).toContain("15 min");
  });

  it("shows values in the unit of the map's name", () => {
    expect(show(map("max", "@worst_us"), 40, 6, [[1500, 0]]).text()[0]).toBe(
      "now 1.5ms  max 1.5ms  avg 1.5ms",
    );
  });

  it("counts below zero as well", () => {
    const text = show(map("integer"), 40, 7, [
      [-5, 0],
      [5, 0],
    ]).text();
    expect(text[1]).toMatch(/^ +5┤/);
    expect(text[5]).toMatch(/^ +-5┤/);
  });

  it("draws ASCII only when it must", () => {
    const text = show(map("count"), 40, 7, RAMP).text({ unicode: false }).join("\n");
    expect(text).toMatch(/^[\x20-\x7e\n]*$/);
    expect(text).toContain("*");
  });

  it("starts anew with a new script", () => {
    const pane = show(map("count"), 40, 7, RAMP);
    pane.send({ type: "shape", shape: { maps: [map("count")], prints: false, probes: [], options: [] } });
    expect(pane.text()).toEqual(["waiting for the first reading"]);
  });

  it.each([1, 5, 12, 24, 40, 200])("fits %i columns", (width) => {
    for (const height of [1, 2, 3, 5, 20]) {
      const pane = show(map("count"), width, height, RAMP);
      expect(pane.overflow()).toEqual([]);
    }
  });

  it("draws the line in one role", () => {
    expect(inRole(show(map("count"), 40, 7, RAMP).lines(), "bar")).toHaveLength(5);
  });
});
