import { describe, expect, test } from "vitest";
import { highlight, highlightLines } from "./highlight.ts";

const runs = (source: string) => highlight(source).map((r) => `${r.style}:${source.slice(r.start, r.end)}`);

describe("highlight", () => {
  test.each([
    ["kprobe:vfs_* { }", ["provider:kprobe", "probe::vfs_*", "operator:{", "operator:}"]],
    [
      "u:/bin/$1:f { }",
      ["provider:u", "probe::/bin/", "parameter:$1", "probe::f", "operator:{", "operator:}"],
    ],
    ["BEGIN", ["provider:BEGIN"]],
    ["k:f /pid/ {", ["provider:k", "probe::f", "operator:/", "builtin:pid", "operator:/", "operator:{"]],
    [
      'begin { printf("%d\\n", $x); }',
      [
        "provider:begin",
        "operator:{",
        "function:printf",
        "operator:(",
        'string:"',
        "escape:%d",
        "escape:\\n",
        'string:"',
        "operator:,",
        "variable:$x",
        "operator:)",
        "operator:;",
        "operator:}",
      ],
    ],
    [
      "begin { @m[tid] = 1m",
      [
        "provider:begin",
        "operator:{",
        "map:@m",
        "operator:[",
        "builtin:tid",
        "operator:]",
        "operator:=",
        "number:1m",
      ],
    ],
    ["begin { if $1", ["provider:begin", "operator:{", "keyword:if", "parameter:$1"]],
    [
      "begin { (struct sock *)$x.pid",
      [
        "provider:begin",
        "operator:{",
        "operator:(",
        "keyword:struct",
        "type:sock",
        "operator:*",
        "operator:)",
        "variable:$x",
        "operator:.",
        "plain:pid",
      ],
    ],
    ["#include <a.h>\n// c", ["directive:#include <a.h>", "comment:// c"]],
    ["begin { 'a' “", ["provider:begin", "operator:{", "error:'a'", "error:“"]],
    ['begin { "open', ["provider:begin", "operator:{", 'error:"open']],
  ])("%s", (source, expected) => expect(runs(source)).toEqual(expected));

  test("a missing brace does not change the colours of the next probe", () => {
    expect(runs("begin { if (1) {\nkprobe:f { }").slice(-4)).toEqual([
      "provider:kprobe",
      "probe::f",
      "operator:{",
      "operator:}",
    ]);
  });

  test("runs are in order and never overlap", () => {
    const source = 'k:a, u:"$1" /1/ { "a%s\\x41" /* c */ @x->y.0 += 1..2; }\n\ud800 é\0';
    let end = 0;
    for (const run of highlight(source)) {
      expect(run.start).toBeGreaterThanOrEqual(end);
      expect(run.end).toBeGreaterThan(run.start);
      end = run.end;
    }
  });
});

test("highlightLines counts from each line's start and splits what spans several", () => {
  expect(highlightLines("begin { /* a\n\n b */ }")).toEqual([
    [
      { start: 0, end: 5, style: "provider" },
      { start: 6, end: 7, style: "operator" },
      { start: 8, end: 12, style: "comment" },
    ],
    [],
    [
      { start: 0, end: 5, style: "comment" },
      { start: 6, end: 7, style: "operator" },
    ],
  ]);
});
