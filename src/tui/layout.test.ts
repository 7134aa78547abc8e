import { describe, expect, it } from "vitest";
import type { PaneKind } from "../panes/pane.ts";
import { type LayoutPane, layout, type Rect } from "./layout.ts";

const KINDS: PaneKind[] = [
  "editor",
  "library",
  "histogram",
  "top",
  "chart",
  "events",
  "top",
  "histogram",
  "chart",
];

function panesOf(count: number): LayoutPane[] {
  return KINDS.slice(0, count).map((kind, index) => ({ id: `${index + 1}`, kind }));
}

function drawn(columns: number, rows: number, count: number, focus = "1", zoom = false): string[] {
  return layout({ columns, rows, panes: panesOf(count), focus, zoom }).panes.map(
    ({ id, rect }) => `${id}: ${rect.x},${rect.y} ${rect.width}×${rect.height}`,
  );
}

const overlaps = (a: Rect, b: Rect) =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

describe("layout", () => {
  it.each<[string, string[], string[]]>([
    ["nothing runs, 80×24", drawn(80, 24, 2), ["1: 0,1 80×22"]],
    ["the library opens, 80×24", drawn(80, 24, 2, "2"), ["2: 0,1 80×22"]],
    ["editing, 80×24", drawn(80, 24, 6), ["1: 0,2 80×11", "3: 0,13 40×10", "4: 40,13 40×10"]],
    ["reading, 80×24", drawn(80, 24, 6, "6"), ["1: 0,2 80×7", "5: 0,9 40×14", "6: 40,9 40×14"]],
    ["zoomed", drawn(80, 24, 6, "4", true), ["4: 0,2 80×21"]],
    ["two data panes share a column", drawn(120, 40, 4), ["1: 0,1 54×38", "3: 54,1 66×21", "4: 54,22 66×17"]],
    ["too small", drawn(20, 5, 6), []],
  ])("%s", (_, got, expected) => {
    expect(got).toEqual(expected);
  });

  it.each<[string, number, number, number, boolean, boolean]>([
    ["while data panes are out of sight", 80, 24, 6, false, true],
    ["not when all are in sight", 80, 24, 4, false, false],
    ["not for the library alone", 80, 24, 2, true, false],
    ["while one pane has the screen", 200, 50, 6, true, true],
    ["not on a low screen", 80, 15, 6, false, false],
  ])("has tabs %s", (_, columns, rows, count, zoom, expected) => {
    const { tabs } = layout({ columns, rows, panes: panesOf(count), focus: "1", zoom });
    expect(tabs !== undefined).toBe(expected);
  });

  it("shows six panes at 200×50", () => expect(drawn(200, 50, 7)).toHaveLength(6));

  it("covers the area without overlaps, with the focus in sight, at every size", () => {
    for (const [columns, rows] of [
      [24, 6],
      [40, 12],
      [71, 20],
      [72, 24],
      [80, 24],
      [100, 30],
      [109, 50],
      [110, 24],
      [150, 40],
      [200, 50],
      [300, 80],
    ]) {
      for (let count = 1; count <= KINDS.length; count++) {
        for (const { id: focus } of panesOf(count)) {
          for (const zoom of [false, true]) {
            const result = layout({ columns, rows, panes: panesOf(count), focus, zoom });
            const bars = [result.header, result.footer, ...(result.tabs ? [result.tabs] : [])];
            const rects = [...result.panes.map(({ rect }) => rect), ...bars];
            const name = `${columns}×${rows}, ${count} panes, focus ${focus}`;
            const area = rects.reduce((sum, { width, height }) => sum + width * height, 0);
            expect(area, name).toBe(columns * rows);
            const overlap = rects.some((a, i) => rects.some((b, k) => k > i && overlaps(a, b)));
            expect(overlap, name).toBe(false);
            expect(
              result.panes.some(({ id }) => id === focus),
              name,
            ).toBe(true);
            if (rows >= 12)
              expect(Math.min(...result.panes.map(({ rect }) => rect.height)), name).toBeGreaterThanOrEqual(
                5,
              );
          }
        }
      }
    }
  });
});
