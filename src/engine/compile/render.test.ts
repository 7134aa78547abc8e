import { describe, expect, test } from "vitest";
import type { Diagnostic } from "./diagnostic.ts";
import { columns, renderDiagnostics, visible } from "./render.ts";

function at(text: string, marked: string, more: Partial<Diagnostic> = {}): string {
  const start = text.indexOf(marked);
  const span = { start, end: start + marked.length };
  const diagnostic: Diagnostic = { severity: "error", code: "x", span, message: "wrong", ...more };
  return renderDiagnostics([diagnostic], [{ name: "a.bt", text }], { color: false });
}

describe("the place, the line and the mark", () => {
  test.each([
    ["begin { foo }", "foo", "a.bt:1:9-12: ERROR: wrong\nbegin { foo }\n        ~~~\n"],
    ["x\n\tfoo();", "foo", "a.bt:2:2-5: ERROR: wrong\n    foo();\n    ~~~\n"],
    ['f("日本", foo)', "foo", 'a.bt:1:9-12: ERROR: wrong\nf("日本", foo)\n          ~~~\n'],
    ['f("e\u0301", foo)', "foo", 'a.bt:1:9-12: ERROR: wrong\nf("e\u0301", foo)\n       ~~~\n'],
    ["😀 foo", "foo", "a.bt:1:3-6: ERROR: wrong\n😀 foo\n   ~~~\n"],
    ["f(\u001b[2J foo)", "foo", "a.bt:1:8-11: ERROR: wrong\nf(␛[2J foo)\n       ~~~\n"],
    ["foo", "", "a.bt:1:1-2: ERROR: wrong\nfoo\n~\n"],
    ["a\r\nfoo\r\n", "foo", "a.bt:2:1-4: ERROR: wrong\nfoo\n~~~\n"],
    ["a {\n  b\n  c\n}", "{\n  b\n  c\n}", "a.bt:1-4: ERROR: wrong\na {\n  ~\n…\n}\n~\n"],
    ["f(\n  1)", "f(\n  1)", "a.bt:1-2: ERROR: wrong\nf(\n~~\n  1)\n  ~~\n"],
  ])("%j", (text, marked, expected) => expect(at(text, marked)).toBe(expected));

  test("the end of the text", () => {
    const text = renderDiagnostics(
      [{ severity: "warning", code: "x", span: { start: 9, end: 10 }, message: "short" }],
      [{ name: "a.bt", text: "begin {" }],
      { color: false },
    );
    expect(text).toBe("a.bt:1:8-9: WARNING: short\nbegin {\n       ~\n");
  });

  test("hints, notes with and without place, other files", () => {
    const files = [
      { name: "a.bt", text: "one" },
      { name: "b.bt", text: "two" },
    ];
    const diagnostic: Diagnostic = {
      severity: "error",
      code: "x",
      span: { start: 0, end: 3 },
      message: "wrong",
      hint: "do right",
      notes: [{ message: "here", span: { start: 0, end: 3, file: 1 } }, { message: "so it is" }],
    };
    expect(renderDiagnostics([diagnostic], files, { color: false })).toBe(
      "a.bt:1:1-4: ERROR: wrong\none\n~~~\nb.bt:1:1-4: NOTE: here\ntwo\n~~~\nNOTE: so it is\nHINT: do right\n",
    );
  });

  test("colour", () => {
    const span = { start: 0, end: 1 };
    const text = renderDiagnostics(
      [{ severity: "error", code: "x", span, message: "m" }],
      [{ name: "a", text: "b" }],
      { color: true },
    );
    expect(text).toBe("\u001b[1ma:1:1-2: \u001b[0m\u001b[31mERROR: \u001b[0mm\nb\n\u001b[31m~\u001b[0m\n");
  });

  test("a long line is cut around the mark and stays within the width", () => {
    const text = `${"a".repeat(500)}foo${"b".repeat(500)}`;
    const span = { start: 500, end: 503 };
    const [, line, mark] = renderDiagnostics(
      [{ severity: "error", code: "x", span, message: "m" }],
      [{ name: "a", text }],
      { color: false, width: 60 },
    ).split("\n");
    expect(line.length).toBeLessThanOrEqual(60);
    expect(line.slice(mark.indexOf("~"), mark.lastIndexOf("~") + 1)).toBe("foo");
  });
});

test.each([
  ["a\u0000b", "a␀b"],
  ["\u007f\u009b", "␡\ufffd"],
  ["\u202edcba", "\ufffddcba"],
  ["\ud800", "\ufffd"],
  ["😀é", "😀é"],
])("visible(%j)", (text, expected) => expect(visible(text)).toBe(expected));

test.each([
  ["a", 1],
  ["日", 2],
  ["😀", 2],
  ["\u0301", 0],
  ["ｱ", 1],
  ["Ａ", 2],
])("%s takes %i columns", (character, expected) => expect(columns(character.codePointAt(0)!)).toBe(expected));
