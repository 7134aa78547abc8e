import xterm from "@xterm/headless";
import { describe, expect, it } from "vitest";
import type { Line, Role } from "../../panes/text/index.ts";
import { makeTheme } from "../theme.ts";
import { Glyphs, makeCells } from "./cells.ts";
import { diffCells } from "./diff.ts";
import { drawFrame, type Frame, type PlacedBlock } from "./frame.ts";
import { type Output, Painter } from "./painter.ts";
import { placementLine, placements } from "./placement.ts";

const COLUMNS = 24;
const ROWS = 6;

function terminal() {
  return new xterm.Terminal({ cols: COLUMNS, rows: ROWS, allowProposedApi: true });
}

function feed(term: xterm.Terminal, data: string): Promise<void> {
  return new Promise((resolve) => term.write(data, resolve));
}

/** What a terminal shows, cell by cell, with the attributes that the tests use. */
function screenOf(term: xterm.Terminal): string[] {
  const buffer = term.buffer.active;
  const rows: string[] = [];
  for (let y = 0; y < term.rows; y++) {
    const row = buffer.getLine(buffer.viewportY + y)!;
    let text = "";
    for (let x = 0; x < term.cols; x++) {
      const cell = row.getCell(x)!;
      if (cell.getWidth() === 0) continue;
      text += `${cell.getChars() || " "}${cell.isFgDefault() ? "" : cell.getFgColor()}${cell.isBold() ? "b" : ""}${
        cell.isInverse() ? "i" : ""
      } `;
    }
    rows.push(text);
  }
  return rows;
}

const theme = makeTheme("dark", "16");

/** "a{error}b" → a, then b in the role "error". */
function linesOf(text: string): Line[] {
  return text.split("\n").map((row) => {
    const parts = row.split(/\{(\w+)\}/);
    return parts.flatMap((part, i) =>
      i % 2 === 0 ? [{ text: part, role: (parts[i - 1] ?? "text") as Role }] : [],
    );
  });
}

const block = (id: string, text: string, x = 0, y = 0, width = COLUMNS, height = ROWS): PlacedBlock => ({
  id,
  x,
  y,
  width,
  height,
  lines: linesOf(text),
});

/** A frame of one block as large as the screen. */
const frameOf = (text: string): Frame => ({ blocks: [block("all", text)], theme });

function draw(frame: Frame, glyphs = new Glyphs()) {
  const cells = makeCells(COLUMNS, ROWS);
  drawFrame(frame, cells, glyphs, undefined);
  return cells;
}

const parse = (text: string, glyphs = new Glyphs()) => draw(frameOf(text), glyphs);

function textOf(cells: ReturnType<typeof makeCells>, glyphs: Glyphs): string[] {
  return Array.from({ length: ROWS }, (_, y) =>
    [...cells.codes.subarray(y * COLUMNS, (y + 1) * COLUMNS)]
      .map((code) => (code === 0 ? "" : glyphs.text(code)))
      .join("")
      .trimEnd(),
  );
}

describe("frames into cells", () => {
  it.each([
    ["plain", "ab\ncd", ["ab", "cd"]],
    ["too long", "x".repeat(40), ["x".repeat(COLUMNS)]],
    ["too many rows", "1\n2\n3\n4\n5\n6\n7", ["1", "2", "3", "4", "5", "6"]],
    ["wide", "日本x", ["日本x"]],
    ["wide at the edge", `${"x".repeat(COLUMNS - 1)}日y`, ["x".repeat(COLUMNS - 1)]],
    ["combining", "e\u0301x", ["e\u0301x"]],
    [
      "marks beyond two are dropped",
      "e\u0301\u0301\u0301\u0301\u0301\u0301\u0301x",
      ["e\u0301\u0301\u0301\u0301\u0301\u0301x"],
    ],
    ["what moves the cursor is shown", "a\x1b[5;5Hb", ["a\\x1b[5;5Hb"]],
    ["controls are shown", "a\x07\x9b\rb", ["a\\x07\\x9b\\rb"]],
    ["what reorders text is shown", "a\u202eb", ["a\\u202eb"]],
    ["a lone surrogate is shown", "a\ud800b", ["a\\ud800b"]],
    ["roles take no cells", "a{error}b{text}c", ["abc"]],
  ])("%s", (_, text, rows) => {
    const glyphs = new Glyphs();
    expect(textOf(parse(text, glyphs), glyphs)).toEqual([...rows, ...Array(ROWS - rows.length).fill("")]);
  });

  it("draws the blocks that changed and those that stand over them, as if all were drawn", () => {
    const glyphs = new Glyphs();
    const below = block("below", "one\ntwo", 2, 0, 10, 3);
    const beside = block("beside", "x", 14, 1, 3, 1);
    const above = block("above", "n", 3, 1, 4, 1);
    const first: Frame = { blocks: [below, beside, above], theme };
    const shown = { frame: first, cells: draw(first, glyphs) };
    const frames: Frame[] = [
      { blocks: [{ ...below, lines: linesOf("1\n2222222") }, beside, above], theme },
      { blocks: [below, { ...beside, lines: [] }, above], theme },
      { blocks: [below, beside], theme },
      { blocks: [below, { ...beside, x: 20 }, above], theme },
      { blocks: [below, beside, above], theme: makeTheme("light", "16") },
    ];
    for (const frame of frames) {
      const cells = makeCells(COLUMNS, ROWS);
      drawFrame(frame, cells, glyphs, shown);
      const whole = draw(frame, glyphs);
      expect(textOf(cells, glyphs)).toEqual(textOf(whole, glyphs));
      expect(cells.styles).toEqual(whole.styles);
    }
    const cells = makeCells(COLUMNS, ROWS);
    drawFrame(frames[1], cells, glyphs, shown);
    expect([...cells.touched]).toEqual([0, 1, 0, 0, 0, 0]);
  });

  it("go through Ink as names", () => {
    const blocks = [
      { id: "top:@a[b c]", x: 0, y: 1 },
      { id: "editor", x: 20, y: 1 },
    ];
    expect(placements(blocks.map(placementLine).join("\n"))).toEqual(blocks);
  });
});

describe("differences", () => {
  const rows: [string, string, string, RegExp][] = [
    ["nothing", "abc", "abc", /^$/],
    ["one cell", "abcdef", "abcxef", /^\x1b\[1;4Hx$/],
    ["a short gap is sent again", "aXbXc", "aYbYc", /^\x1b\[1;2HYbY$/],
    ["a long gap is jumped", "X..........X", "Y..........Y", /^\x1b\[1HY\x1b\[10CY$/],
    ["the end of a row is erased", "abcdefgh", "ab", /^\x1b\[1;3H\x1b\[K$/],
    ["a style alone", "ab", "a{error}b", /^\x1b\[1;2H\x1b\[0;91mb\x1b\[m$/],
    ["after a wide character the place is set", "        x", "日本    x", /^\x1b\[1H日\x1b\[1;3H本$/],
    ["half a wide character goes with the whole", "日x", "a x", /^\x1b\[1Ha $/],
  ];
  it.each(rows)("%s", (_, before, after, sent) => {
    const glyphs = new Glyphs();
    expect(diffCells(parse(before, glyphs), parse(after, glyphs), glyphs)).toMatch(sent);
  });
});

describe("painter", () => {
  class Screen implements Output {
    columns = COLUMNS;
    rows = ROWS;
    sent: string[] = [];
    full = false;
    private drained: (() => void)[] = [];
    write(data: string) {
      this.sent.push(data);
      return !this.full;
    }
    once(_: "drain", listener: () => void) {
      this.drained.push(listener);
    }
    drain() {
      this.full = false;
      for (const listener of this.drained.splice(0)) listener();
    }
  }

  it("brings a terminal from any frame to any other", async () => {
    // A fixed sequence of pseudo-random frames, so that a failure repeats.
    let seed = 7;
    const random = (below: number) => {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
      return (seed >>> 8) % below;
    };
    const times = <T>(count: number, make: (i: number) => T) =>
      Array.from({ length: count }, (_, i) => make(i));
    // Wide and narrow as the emulator's tables (Unicode 6) have them, too.
    const alphabet = ["a", "b", " ", " ", "日", "─", "⣿", "é", "█", "e\u0301", "\x1b[2J", "\u202e"];
    const styles = ["{text}", "{error}", "{strong}", "{marked}"];
    const text = () => times(random(12), () => styles[random(12)] ?? alphabet[random(12)]).join("");
    const drawn = (it: PlacedBlock) => ({
      ...it,
      lines: linesOf(times(random(it.height + 1), text).join("\n")),
    });
    const anywhere = (i: number) =>
      block(`${i}`, "", random(COLUMNS), random(ROWS), 1 + random(16), 1 + random(ROWS));
    const themes = [theme, makeTheme("light", "16")];
    const screen = new Screen();
    const painter = new Painter(screen);
    const term = terminal();
    let blocks: PlacedBlock[] = [];
    for (let i = 0; i < 150; i++) {
      if (i % 10 === 0) blocks = times(1 + random(5), anywhere);
      blocks = blocks.map((it) => (random(2) === 0 ? it : drawn(it)));
      const frame = { blocks, theme: themes[random(9) === 0 ? 1 : 0] };
      painter.present(frame);
      await feed(term, screen.sent.splice(0).join(""));
      const alone = new Screen();
      new Painter(alone).present(frame);
      const fresh = terminal();
      await feed(fresh, alone.sent.join(""));
      expect(screenOf(term), `frame ${i}`).toEqual(screenOf(fresh));
    }
  });

  it("sends one synchronized write per change and none for the same frame", () => {
    const screen = new Screen();
    const painter = new Painter(screen);
    painter.present(frameOf("hello"));
    painter.present(frameOf("hello"));
    painter.present(frameOf("hallo"));
    expect(screen.sent).toHaveLength(2);
    expect(screen.sent[0]).toMatch(/^\x1b\[\?2026h.*\x1b\[\?2026l$/);
    expect(screen.sent[1]).toBe("\x1b[?2026h\x1b[1;2Ha\x1b[?2026l");
  });

  it("clears on the first frame, on a resize and on a redraw only", () => {
    const screen = new Screen();
    const painter = new Painter(screen);
    for (const frame of ["a", "b", "c"]) painter.present(frameOf(frame));
    screen.columns = 30;
    painter.present(frameOf("c"));
    painter.redraw();
    painter.present(frameOf("d"));
    expect(screen.sent.map((data) => data.includes("\x1b[2J"))).toEqual([
      true,
      false,
      false,
      true,
      true,
      false,
    ]);
  });

  it("moves the cursor alone in a few bytes, and hides it while it paints", () => {
    const screen = new Screen();
    const painter = new Painter(screen);
    painter.setCursor({ x: 1, y: 0 });
    painter.present(frameOf("abc"));
    painter.setCursor({ x: 2, y: 0 });
    painter.present(frameOf("abc"));
    painter.present(frameOf("abd"));
    painter.setCursor(undefined);
    painter.present(frameOf("abd"));
    painter.present(frameOf("abd"));
    expect(screen.sent.slice(1)).toEqual([
      "\x1b[1;3H",
      "\x1b[?2026h\x1b[?25l\x1b[1;3Hd\x1b[1;3H\x1b[?25h\x1b[?2026l",
      "\x1b[?25l",
    ]);
  });

  it("drops the frames that a slow terminal could not show", () => {
    const screen = new Screen();
    const painter = new Painter(screen);
    screen.full = true;
    painter.present(frameOf("a"));
    painter.present(frameOf("b"));
    painter.present(frameOf("c"));
    expect(screen.sent).toHaveLength(1);
    screen.drain();
    expect(screen.sent).toHaveLength(2);
    expect(screen.sent[1]).toContain("c");
    expect(painter.stats.held).toBe(2);
  });
});
