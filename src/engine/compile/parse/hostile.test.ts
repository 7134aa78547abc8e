/** Whatever stands in a script, parsing ends soon, with diagnostics, never with an exception. */
import { describe, expect, test, vi } from "vitest";
import { highlight, highlightLines } from "../../../syntax/highlight.ts";
import { expandScript } from "../expand/index.ts";
import { printAst } from "../print-ast.ts";
import { renderDiagnostics } from "../render.ts";
import { recordedKernel } from "../testing/recordedKernel.ts";
import { sketchScript } from "../testing/sketch.ts";
import { parseScript } from "./script.ts";

/** Of the processor's time, for the machine may be busy. What must not happen is time that grows with the square of the text. */
const LIMIT_MS = 4000;
vi.setConfig({ testTimeout: 120_000 });

const SCRIPTS = [
  `#!/usr/bin/env bpftrace
#include <linux/sched.h>
#define MAX(a, b) ((a) > (b) ? (a) : (b))
struct conn { u32 saddr; union { u16 port; u8 raw[2]; }; struct conn *next; int flags : 3; } __attribute__((packed));
enum state { OPEN = 1, CLOSED = OPEN << 1 };
config = { stack_mode=perf; max_map_keys = 4096 }
import "helpers.bt";
let @start = lruhash(1000);
macro took(@m, key) { let $d = nsecs - @m[key]; $d }
tracepoint:syscalls:sys_enter_openat, kprobe:vfs_* /comm == "ba\\x41sh" && pid != $1/ {
  @start[tid] = nsecs; // when
  $c = (struct conn *)arg0;
  printf("%d %s\\n", $c->saddr, str(args.filename));
  if ($c.port == 80) { @hits[$c->saddr, comm]++; } else if comptime (1) { @ = count(); } else { return; }
}
uretprobe:/usr/bin/bash:"read line"+4 / @start[tid] /
{
  for ($kv : @hits) { print(($kv.0.1, $kv.1)); }
  for $i : 0..(ncpus + 1) { unroll(3) { $x = { let $y: uint8 = 1m; $y + 1 }; } }
  @took = hist(took(@start, tid)); delete(@start, tid); _ = has_key(@start, 1);
  while ($z < 0x1f_ff) { $z++; if (!$z) { break; } else { continue } }
  $r = (a=1, b=(1,)); $s = $z ? -1 : ~(uint64)2; print(sizeof(struct conn), offsetof(struct conn, port));
}
END { clear(@hits); }`,
  'BEGIN { printf("hello"); /* multi\nline */ } interval:s:1 { exit(); }',
];

/** Every stage that reads text must survive it. */
function survive(source: string): number {
  const started = process.cpuUsage();
  const { script, diagnostics, tokens } = parseScript(source);
  const expanded = expandScript(script, source, { kernel: recordedKernel() });
  renderDiagnostics([...diagnostics, ...expanded.diagnostics], expanded.files, { color: true, width: 80 });
  printAst(script);
  sketchScript(expanded.script);
  highlight(source);
  expect(process.cpuUsage(started).user / 1000).toBeLessThan(LIMIT_MS);
  expect(tokens.at(-1)?.kind).toBe("end");
  for (const { span, message } of diagnostics) {
    expect(span.start).toBeGreaterThanOrEqual(0);
    expect(span.end).toBeGreaterThanOrEqual(span.start);
    expect(message).not.toBe("");
  }
  return diagnostics.length;
}

test("every prefix of a script", () => {
  for (const script of SCRIPTS) {
    expect(parseScript(script).diagnostics).toEqual([]);
    for (let end = 0; end < script.length; end++) {
      const prefix = script.slice(0, end);
      const { diagnostics } = parseScript(prefix);
      expect(diagnostics.length, prefix).toBeLessThan(8);
    }
    for (let end = 0; end < script.length; end += 13) survive(script.slice(0, end));
  }
});

test("every suffix, and every script with one character missing or doubled", () => {
  for (const script of SCRIPTS) {
    for (let at = 0; at < script.length; at += 3) {
      parseScript(script.slice(at));
      parseScript(script.slice(0, at) + script.slice(at + 1));
      parseScript(script.slice(0, at) + script[at] + script.slice(at));
    }
  }
});

test("scripts with random characters put in", () => {
  let seed = 42;
  const random = (below: number) => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return (seed >>> 8) % below;
  };
  const pieces = [
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    "/",
    '"',
    "'",
    ";",
    ":",
    ",",
    "=",
    "$",
    "@",
    "#",
    "*",
    "\n",
    "\\",
    "\0",
    "é",
    "\ud800",
    "..",
    "->",
    "++",
    "if",
    "for",
    "struct ",
    "macro ",
    "import",
    "config",
    "/*",
    "//",
    "kprobe:",
  ];
  for (let round = 0; round < 200; round++) {
    let script = SCRIPTS[0];
    for (let n = 0; n < 4; n++) {
      const at = random(script.length);
      script = script.slice(0, at) + pieces[random(pieces.length)] + script.slice(at + random(3));
    }
    survive(script);
  }
});

describe("deep nesting and long chains", () => {
  const N = 20_000;
  test.each([
    ["parentheses", `begin { $x = ${"(".repeat(5 * N)}1${")".repeat(5 * N)}; }`],
    ["parentheses that never close", `begin { $x = ${"(".repeat(N)}`],
    ["blocks", `begin ${"{".repeat(N)}${"}".repeat(N)}`],
    ["brackets", `begin { $x${"[0".repeat(N)}${"]".repeat(N)}; }`],
    ["map keys", `begin { ${"@[".repeat(N)}1${"]".repeat(N)}; }`],
    ["calls", `begin { ${"f(".repeat(N)}${")".repeat(N)}; }`],
    ["casts", `begin { $x = ${"(u8)".repeat(N)}1; }`],
    ["prefix operators", `begin { $x = ${"!".repeat(N)}1; }`],
    ["pointers", `begin { $x = ${"*".repeat(N)}$p; }`],
    ["ternaries", `begin { $x = ${"1?".repeat(N)}1${":1".repeat(N)}; }`],
    ["else ifs", `begin { ${"if (1) { } else ".repeat(N)} { } }`],
    ["nested ifs", `begin { ${"if (1) { ".repeat(N)}${"}".repeat(N)} }`],
    ["nested loops", `begin { ${"for ($i : 0..1) {".repeat(N)}${"}".repeat(N)} }`],
    ["a sum", `begin { $x = 1${" + 1".repeat(N)}; }`],
    ["a field path", `begin { $x = $y${".a".repeat(N)}; }`],
    ["an index path", `begin { $x = $y${"[0]".repeat(N)}; }`],
    ["a tuple", `begin { $x = (${"1,".repeat(N)}); }`],
    ["nested tuples", `begin { $x = ${"(1,".repeat(N)}${")".repeat(N)}; }`],
    ["nested structs", `${"struct a { ".repeat(N)}${"} x;".repeat(N)}`],
    ["struct pointers", `struct a { int ${"*".repeat(N)}x; }`],
    ["declarator parentheses", `struct a { int ${"(*".repeat(N)}x${")".repeat(N)}; }`],
    ["type pointers", `begin { $x = (int${"*".repeat(N)})1; }`],
    ["array types", `begin { $x = (int${"[1]".repeat(N)})1; }`],
    ["typeofs", `begin { $x = ${"sizeof(typeof(".repeat(N)}1${"))".repeat(N)}; }`],
    ["statements", `begin { ${"$x = 1;".repeat(N)} }`],
    ["broken statements", `begin { ${"$x = ;\n".repeat(N)} }`],
    ["probes", `${"k:f { } ".repeat(N)}`],
    ["a probe list", `${"k:f, ".repeat(N)}k:g { }`],
    ["directives", "#if 1\n".repeat(N)],
    ["defines", "#define A B\n".repeat(N)],
  ])("%s", (_, source) => {
    const started = process.cpuUsage();
    const { script, diagnostics } = parseScript(source);
    expect(process.cpuUsage(started).user / 1000).toBeLessThan(LIMIT_MS);
    expect(diagnostics.length).toBeLessThan(150);
    sketchScript(script);
  });
});

describe("odd bytes and sizes", () => {
  const M = 1 << 20;
  test.each([
    ["nothing", ""],
    ["a megabyte of digits", `begin { $x = ${"9".repeat(M)}; }`],
    ["a megabyte of string", `begin { $x = "${"a".repeat(M)}"; }`],
    ["a megabyte of escapes", `begin { $x = "${"\\n".repeat(M / 2)}"; }`],
    ["a megabyte of bad escapes", `begin { $x = "${"\\q".repeat(M / 2)}"; }`],
    ["a string that never ends", `begin { $x = "${"a\\".repeat(M / 2)}`],
    ["a megabyte of name", `begin { ${"a".repeat(M)}; }`],
    ["a megabyte of probe", `kprobe:${"a".repeat(M)} { }`],
    ["a probe of quotes", `kprobe:${'"a"'.repeat(M / 4)} { }`],
    ["a comment that never ends", `begin { /*${"*".repeat(M)}`],
    ["slashes", "/".repeat(M)],
    ["white space", " \n\t".repeat(M / 4)],
    ["NULs", "\0".repeat(M)],
    ["NULs in code", `begin { ${"\0 ".repeat(10_000)} }`],
    ["lone surrogates", `begin { $x = "\ud800\udc00\udfff\ud800"; \udfff }`],
    ["all of Latin-1", `begin { ${Array.from({ length: 256 }, (_, i) => String.fromCharCode(i)).join("")} }`],
    ["a byte order mark", "\ufeffbegin { exit(); }"],
    ["carriage returns", "begin {\r\n  exit();\r\n}\r\n"],
    ["an escape sequence", "begin { \u001b[2J\u001b]0;x\u0007 }"],
    ["right-to-left marks", 'begin { $x = "\u202e"; \u202e }'],
    ["an ELF header", "\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0>\0\x01\0\0\0"],
  ])("%s", (_, source) => {
    survive(source);
    highlightLines(source);
  });

  test("what is drawn never reaches the terminal as a command", () => {
    const source = 'begin { \u001b[2J \u009b31m \u202e; $x = "\u0007\n }\nkprobe:\u001bc { }';
    const { diagnostics } = parseScript(source, 0);
    const text = renderDiagnostics(diagnostics, [{ name: "a\u001b.bt", text: source }], { color: false });
    expect(diagnostics.length).toBeGreaterThan(0);
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
  });
});

describe("macros that multiply", () => {
  test.each([
    [
      "doubling",
      `${Array.from({ length: 60 }, (_, i) => `macro m${i + 1}(x) { m${i}(x) + m${i}(x) }`).join("\n")} macro m0(x) { x } begin { print(m60(1)); }`,
    ],
    ["doubling arguments", `macro d(x) { x + x } begin { print(${"d(".repeat(60)}1${")".repeat(60)}); }`],
    [
      "a chain",
      `${Array.from({ length: 300 }, (_, i) => `macro m${i + 1}() { m${i}() }`).join("\n")} macro m0() { 1 } begin { print(m300()); }`,
    ],
    [
      "defines",
      `${Array.from({ length: 60 }, (_, i) => `#define D${i + 1} (D${i} + D${i})`).join("\n")}\n#define D0 1\nbegin { print(D60); }`,
    ],
    ["defines that name each other", "#define A B\n#define B A\nbegin { print(A); }"],
    [
      "a define in a condition",
      `${Array.from({ length: 60 }, (_, i) => `#define D${i + 1} (D${i} + D${i})`).join("\n")}\n#if D60\n#endif\nbegin { }`,
    ],
  ])("%s", (_, source) => {
    survive(source);
  });
});
