import { describe, expect, it } from "vitest";
import { BrailleCanvas, bar, sparkline } from "./bar.ts";
import { fitLine, fitText, lineText, lineWidth, sliceLine, sliceText, span, spreadLine } from "./line.ts";
import { groupedNumber, percent, shortBytes, shortDuration, shortNumber } from "./number.ts";
import { sanitize, sanitizeLines, sanitizeSpans } from "./sanitize.ts";
import { textWidth, truncateText } from "./width.ts";

describe("width", () => {
  it.each([
    ["", 0],
    ["abc", 3],
    ["é", 1],
    ["e\u0301", 1],
    ["日本", 4],
    ["한글", 4],
    ["ｗ", 2],
    ["🐝", 2],
    ["█▏⣿", 3],
    ["─│┌", 3],
    ["→…", 2],
    ["\u200d", 0],
    ["\u202e", 0],
    ["\u{20000}", 2],
  ])("%j takes %i cells", (text, width) => expect(textWidth(text)).toBe(width));

  it.each([
    ["abcdef", 4, "abc…"],
    ["abcd", 4, "abcd"],
    ["日本語", 4, "日…"],
    ["日本語", 5, "日本…"],
    ["ab", 0, ""],
    ["ab", 1, "…"],
  ])("%j in %i is %j", (text, width, expected) => expect(truncateText(text, width)).toBe(expected));
});

describe("lines", () => {
  const two = [span("ab", "dim"), span("日c", "value")];
  it.each([
    [0, 5, "ab日c"],
    [1, 4, "b日"],
    [3, 5, " c"],
    [0, 3, "ab "],
    [5, 9, ""],
  ])("cells %i to %i are %j", (from, to, text) => expect(lineText(sliceLine(two, from, to))).toBe(text));

  it("fits to exactly the width", () => {
    for (let width = 0; width < 9; width++) expect(lineWidth(fitLine(two, width))).toBe(width);
    expect(lineText(fitLine(two, 4))).toBe("ab …");
  });

  it("keeps the right end when the two do not fit", () => {
    expect(lineText(spreadLine([span("a long left part")], [span("right")], 12))).toBe("a long…right");
  });

  it("aligns texts", () => {
    expect(fitText("ab", 4, "right")).toBe("  ab");
    expect(fitText("日本", 3)).toBe("日…");
    expect(sliceText("日本", 1, 3)).toBe("  ");
  });
});

describe("sanitize", () => {
  it.each([
    ["plain", "plain"],
    ["\x1b[2J", "\\x1b[2J"],
    ["a\x07\x7f\x9b31m", "a\\x07\\x7f\\x9b31m"],
    ["a\nb\tc\r\0", "a\\nb\\tc\\r\\0"],
    ["evil\u202etxt.exe", "evil\\u202etxt.exe"],
    ["a\u200bb\ufeff", "a\\u200bb\\ufeff"],
    ["\u2028\u2066", "\\u2028\\u2066"],
    ["\ud800x", "\\ud800x"],
    ["\u{e0041}", "\\u{e0041}"],
    ["日本 é", "日本 é"],
  ])("%j shows as %j", (text, shown) => expect(sanitize(text)).toBe(shown));

  it("marks escapes by their role", () => {
    expect(sanitizeSpans("a\x1bb", "value")).toEqual([
      span("a", "value"),
      span("\\x1b", "escaped"),
      span("b", "value"),
    ]);
  });

  it("keeps the lines of a stack apart", () => {
    expect(sanitizeLines("\tf+1\n\tg\x1b\n")).toEqual(["    f+1", "    g\\x1b"]);
  });
});

describe("numbers", () => {
  it.each([
    [0, "0"],
    [999, "999"],
    [1000, "1.0k"],
    [1234, "1.2k"],
    [12_345, "12k"],
    [999_999, "1.0M"],
    [3_400_000, "3.4M"],
    [-1500, "-1.5k"],
    [0.25, "0.3"],
    [1.5e18, "1.5E"],
    [Number.POSITIVE_INFINITY, "∞"],
  ])("%d is %s", (value, text) => expect(shortNumber(value)).toBe(text));

  it.each([
    [0, "0ns"],
    [999, "999ns"],
    [1500, "1.5µs"],
    [12_000_000, "12ms"],
    [999_999, "1.0ms"],
    [90e9, "1.5min"],
    [7200e9, "2.0h"],
  ])("%d ns is %s", (value, text) => expect(shortDuration(value)).toBe(text));

  it("formats bytes, groups and percents", () => {
    expect([
      shortBytes(1536),
      shortBytes(10),
      groupedNumber(1234567),
      percent(0.042),
      percent(2.345),
    ]).toEqual(["1.5KiB", "10B", "1,234,567", "0.04%", "2.3%"]);
  });
});

describe("bars", () => {
  it.each([
    [0, 8, true, ""],
    [1, 4, true, "████"],
    [0.5, 4, true, "██"],
    [0.56, 4, true, "██▎"],
    [0.0001, 4, true, "▏"],
    [0.0001, 4, false, "#"],
    [2, 3, false, "###"],
  ])("%d of %i (unicode %s) is %j", (fraction, width, unicode, text) => {
    expect(bar(fraction, width, unicode)).toBe(text);
  });

  it("scales sparklines to the largest of what is shown", () => {
    expect(sparkline([100, 0, 1, 4, 8], 4, true)).toBe(" ▁▄█");
    expect(sparkline([1, 8], 4, false)).toBe(".#");
  });

  it("draws dots", () => {
    const canvas = new BrailleCanvas(2, 1);
    canvas.set(0, 0);
    canvas.set(3, 3);
    canvas.set(9, 9);
    expect(canvas.lines(true)).toEqual(["⠁⢀"]);
    expect(canvas.lines(false)).toEqual(["**"]);
  });
});
