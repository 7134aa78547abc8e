import { describe, expect, test } from "vitest";
import { sketchBlock, sketchScript } from "../testing/sketch.ts";
import { parseScript } from "./script.ts";

function parse(source: string): string {
  const { script, diagnostics } = parseScript(source);
  expect(diagnostics.map((d) => d.message)).toEqual([]);
  return sketchScript(script);
}

describe("probes", () => {
  test.each([
    ["begin { }", "begin {}"],
    ["BEGIN{exit();}", "BEGIN {exit();}"],
    ["kprobe:vfs_*,kretprobe:vfs_* { }", "kprobe|vfs_*,kretprobe|vfs_* {}"],
    ["k:a,\n  k:b, // more\n  k:c\n{ }", "k|a,k|b,k|c {}"],
    ["k:a, { }", "k|a {}"],
    ["uprobe:/usr/bin/bash:readline { }", "uprobe|/usr/bin/bash|readline {}"],
    ["uprobe:/usr/lib/*:f { }", "uprobe|/usr/lib/*|f {}"],
    ["u:./a:f+0x10 { }", "u|./a|f+0x10 {}"],
    ['uprobe:/bin/a:"std::f(int, char {})" { }', "uprobe|/bin/a|std::f(int, char {}) {}"],
    ['u:"/with space/\\"a":f { }', 'u|/with space/"a|f {}'],
    ["uprobe:/bin/a@src/b.c:12:3 { }", "uprobe|/bin/a@src/b.c|12|3 {}"],
    ["uprobe:/bin/$1:$2 { }", "uprobe|/bin/$1|$2 {}"],
    ["usdt:*:loop { }", "usdt|*|loop {}"],
    ["t*point:sched:sched_[sw]* { }", "t*point|sched|sched_[sw]* {}"],
    ["*:/bin/sh:* { }", "*|/bin/sh|* {}"],
    ["name=kprobe:f { }", "name=kprobe|f {}"],
    ["watchpoint:0x1000:8:rw { }", "watchpoint|0x1000|8|rw {}"],
    ["interval:1s { } profile:hz:99 { }", "interval|1s {}\nprofile|hz|99 {}"],
    ["fentry:bpf:123:* { }", "fentry|bpf|123|* {}"],
    ["hardware:cache-misses:1e6 { }", "hardware|cache-misses|1e6 {}"],
    ["kprobe:f\n/pid == 1/\n{ }", "kprobe|f /(== pid 1)/ {}"],
    ["kprobe:f/pid/{ }", "kprobe|f /pid/ {}"],
    ["k:f / 100 / 25 / { }", "k|f /(/ 100 25)/ {}"],
    ["k:f /100/25/ { }", "k|f /(/ 100 25)/ {}"],
    ["k:f / { 1 } / { 2 }", "k|f /{1}/ {2;}"],
    ["k:f /@a[tid]/ // note { \n { }", "k|f /@a[tid]/ {}"],
    ["uprobe:/bin/a:f /arg0/ { }", "uprobe|/bin/a|f /arg0/ {}"],
  ])("%s", (source, expected) => expect(parse(source)).toBe(expected));

  test("keeps what was written, and where", () => {
    const source = 'begin { } a=u:"x":f, k:g { }';
    const [, action] = parseScript(source).script.actions;
    expect(action.probes.map((p) => [p.text, source.slice(p.span.start, p.span.end)])).toEqual([
      ['a=u:"x":f', 'a=u:"x":f'],
      ["k:g", "k:g"],
    ]);
  });
});

describe("statements", () => {
  test.each([
    ["$x = 1; @y[1] = count()", "{$x = 1; @y[1] = count();}"],
    ["$x += 1; $x <<= 2; @ |= 3; @a[1] -= 2;", "{$x += 1; $x <<= 2; @ |= 3; @a[1] -= 2;}"],
    [
      "let $a; let $b = 1; let $c: uint8; let $d : struct x* = 0",
      "{let $a; let $b = 1; let $c:uint8; let $d:struct x* = 0;}",
    ],
    ["_ = has_key(@a, 1);", "{_ = has_key(@a 1);}"],
    ["$x++; --@y[2]; 1", "{(_++ $x); (--_ @y[2]); 1;}"],
    [
      "if (1) { $a = 1 } else if (2) { $a = 2 } else { $a = 3 }",
      "{if 1 {$a = 1;} else {if 2 {$a = 2;} else {$a = 3;};};}",
    ],
    ["if $a == 1 { f() } g()", "{if (== $a 1) {f();}; g();}"],
    ["if (($a) == 1 && ($b)) { }", "{if (&& (== $a 1) $b) {};}"],
    ["if ($a) && ($b) { }", "{if (&& $a $b) {};}"],
    ["if comptime is_str($x) { }", "{if comptime is_str($x) {};}"],
    ["if (comptime 1) { }", "{if comptime 1 {};}"],
    ["unroll(5) { $a++ } unroll $1 { }", "{unroll 5 {(_++ $a);}; unroll $1 {};}"],
    [
      "while ($a < 10) { $a++; break; } while !$a { continue }",
      "{while (< $a 10) {(_++ $a); break;}; while (! $a) {continue;};}",
    ],
    ["for ($kv : @m) { print($kv.0) }", "{for $kv @m {print($kv.0);};}"],
    ["for ($i : 0..ncpus) { } for $i : ($a+1)..$b { }", "{for $i 0..ncpus {}; for $i (+ $a 1)..$b {};}"],
    ["return; return 1", "{return; return 1;}"],
    ["{ $a = 1; { $b = 2 } }", "{{$a = 1; {$b = 2;};};}"],
    ["{ if (1) { 2 } else { 3 } }", "{{if 1 {2;} else {3;};};}"],
    ["$a = { 1 }; if (1) { };;", "{$a = {1}; if 1 {};}"],
  ])("%s", (source, expected) => expect(parse(`begin { ${source} }`)).toBe(`begin ${expected}`));

  test("an import in a block belongs to the script", () => {
    expect(parse('begin { import "a.bt"; f(); }')).toBe("import a.bt\nbegin {f();}");
  });
});

describe("what stands outside of probes", () => {
  test.each([
    ["#!/usr/bin/env bpftrace\nbegin { }", "begin {}"],
    ['#include <linux/a.h>\n#include "b.h" // c\nbegin { }', 'include <linux/a.h>\ninclude "b.h"\nbegin {}'],
    ["#define A 1 + \\\n 2\n#define F(x, y) x*y\n#undef A", "define A 1 +   2\ndefine F(x,y) x*y\nundef A"],
    [
      "#ifndef BPFTRACE_HAVE_BTF\n#include <a.h>\n#else\n#pragma once\n#endif",
      "#ifndef BPFTRACE_HAVE_BTF\ninclude <a.h>\n#else\n#endif",
    ],
    ['config = { a=5; b=perf; c="x"; d=true }', "config{a=5 b=perf c=x d=true}"],
    ['import "a.bt"; import "lib";', "import a.bt\nimport lib"],
    ["let @a = lruhash(100); let @b = hash(2) begin { }", "@a=lruhash(100)\n@b=hash(2)\nbegin {}"],
    ["macro one() { 1 } macro f($a, @b, c) { $a += c; }", "macro one() {1}\nmacro f($a @b c) {$a += c;}"],
    ["macro greet { print(1); }", "macro greet() {print(1);}"],
  ])("%s", (source, expected) => expect(parse(source)).toBe(expected));
});

describe("C definitions", () => {
  test.each([
    ["struct A { int x, *y; char z[16]; }", "struct A{int x; int* y; char[16] z}"],
    ["struct A { unsigned int a : 3; u32 : 2; u64 b; };", "struct A{unsigned int a:3; u32 :2; u64 b}"],
    ["struct A { int m[2][3]; int (*p)[4]; int *q[5]; };", "struct A{int[3][2] m; int[4]* p; int*[5] q}"],
    ["struct A { int (*f)(int, char *); void *(*g[2])(void); };", "struct A{void* f; void*[2] g}"],
    [
      "struct A { union { u8 a; u16 b; }; struct { int c; } d; };",
      "struct A{union{u8 a; u16 b}; struct{int c} d}",
    ],
    [
      "struct A { struct B { int c; } b; struct B *n; };",
      "struct B{int c}\nstruct A{struct B{int c} b; struct B* n}",
    ],
    ["struct A { const volatile char *s; } __attribute__((packed));", "packed struct A{char* s}"],
    ["struct __attribute__((packed, aligned(4))) A { int x; }", "packed struct A{int x}"],
    ["union U { int a; /* } */ long b; // }\n};", "union U{int a; long b}"],
    ["enum E { A, B = 5, C = B << 1, };", "enum E{A B=5 C=(<< B 1)}"],
    ["enum { X = 1 };", "enum {X=1}"],
    [
      "typedef unsigned int u; typedef struct S { u a; } *sp;",
      "typedef unsigned int u\nstruct S{u a}\ntypedef struct S* sp",
    ],
    ["typedef struct { int a; } T;", "struct T{int a}\ntypedef struct T T"],
    ["struct F;", ""],
  ])("%s", (source, expected) => expect(parse(source)).toBe(expected));
});

describe("problems are named, and the rest is still read", () => {
  test.each([
    ["begin { print(1) print(2); }", "expected ';' or '}'", "{print(1); print(2);}"],
    ["begin { $x = 1 $y = 2; }", "expected ';' or '}'", "{$x = 1; $y = 2;}"],
    ["begin { $x = ; $y = 2; }", "expected an expression, but found ';'", "{$x = error; $y = 2;}"],
    ["begin { f(1; $y = 2; }", "expected ')' after the arguments of 'f'", "{error; $y = 2;}"],
    ["begin { @x = 'a'; $y = 2; }", "expected an expression, but found 'a'", "{@x = error; $y = 2;}"],
    [
      "begin { if ($x = 1) { $a = 1; } $y = 2; }",
      "expected ')' after the condition",
      "{if $x {$a = 1;}; $y = 2;}",
    ],
    ["begin { if (1) print(1); $y = 2; }", "expected '{'", "{if 1 {print(1);}; $y = 2;}"],
    ["begin { for (@kv : @m) { f(); } $y = 2; }", "expected the loop's variable", "{error; $y = 2;}"],
    [
      "begin { for ($i : 1+1..3) { f(); } $y = 2; }",
      "expected ')' after the loop's range",
      "{for $i 1 {f();}; $y = 2;}",
    ],
    [
      "begin { for ($i : 0..) { f(); } $y = 2; }",
      "expected an expression",
      "{for $i 0..error {f();}; $y = 2;}",
    ],
    ["begin { for ($i : 5) { f(); } }", "a loop runs over a map or a range", "{for $i 5 {f();};}"],
    ["begin { $x: int8 = 1; $y = 2; }", "a variable's type is only written", "{error; $y = 2;}"],
    ["begin { $a.0 = 1; $y = 2; }", "only variables and maps can be assigned to", "{$a.0 = 1; $y = 2;}"],
    ["begin { 5++; $y = 2; }", "'++' needs a variable", "{5; $y = 2;}"],
    ["begin { &1; $y = 2; }", "'&' takes the address", "{(& 1); $y = 2;}"],
    ["begin { f(struct foo); $y = 2; }", "expected an expression, but found 'struct'", "{error; $y = 2;}"],
    ["begin { let @a = 1; $y = 2; }", "expected a variable after let", "{error; $y = 2;}"],
    ["begin { (a=1, 5); $y = 2; }", "every field of a record has a name", "{error; $y = 2;}"],
    ["begin { (a=1, a=2); $y = 2; }", "already has a field 'a'", "{record(a=1 a=2); $y = 2;}"],
    ["begin { break print(1); }", "expected ';' or '}'", "{break; print(1);}"],
    ["begin { $x = “a”; $y = 2; }", "expected an expression", "{$x = error; $y = 2;}"],
    ['begin { f("a); }\nend { }', "the string is not closed", "{error;}"],
    ["begin { /* a", "the comment is not closed", "{}"],
    ["begin { $y = 2;", "expected '}' to close the block", "{$y = 2;}"],
    ["begin { if (1) { $y = 2;\n}\nend { exit(); }", "expected '}' to close the block", "{if 1 {$y = 2;};}"],
    ["begin { #include <a.h>\n $y = 2; }", "expected an expression", "{error; $y = 2;}"],
    ["begin { $y = 2; } }", "'}' closes nothing that is open", "{$y = 2;}"],
  ])("%s", (source, message, block) => {
    const { script, diagnostics } = parseScript(source);
    expect(diagnostics.map((d) => d.message).join(" · ")).toContain(message);
    expect(diagnostics).toHaveLength(1);
    expect(sketchBlock(script.actions[0].body)).toBe(block);
  });

  test.each([
    ["kprobe:f", "expected '{' after 'kprobe:f'"],
    ["kprobe:f /pid == 1 { exit(); }", "expected '/' to close the predicate"],
    ["kprobe:f /pid = 1/ { exit(); }", "expected '/' to close the predicate"],
    ['u:"a:f { }', "a quoted part of the probe is not closed"],
    ["{ exit(); }", "expected a probe before '{'"],
    ["$x = 1; begin { }", "expected a probe, but found '$x'"],
    ["@a = hash(1); begin { }", "expected a probe, but found '@a'"],
    ["begin { } #include <a.h>", "C definitions must stand at the top"],
    ["begin { } struct A { int x; }", "C definitions must stand at the top"],
    ["begin { } config = { a=1 }", "the config block must stand before probes"],
    ["config = { a=1 } config = { b=1 }", "there is already a config block"],
    ['begin { } import "a";', "imports must stand before probes"],
    ["config { a=1 } begin { }", "expected '=' after config"],
    ["config = { a } begin { }", "expected '=' and a value after 'a'"],
    ["config = { f(); } begin { }", "expected '=' and a value after 'f'"],
    ["config = { a=1 b=2 } begin { }", "expected ';' or '}' after the setting"],
    ["config = { @a = 1 } begin { }", "expected a setting's name"],
    ["import foo; begin { }", "expected a path in quotes"],
    ['import "foo" begin { }', "expected ';' after the import"],
    ["let $a = 1; begin { }", "expected a map after let"],
    ["let @a; begin { }", "expected '=' and the map's type"],
    ["macro f(1) { } begin { }", "expected a parameter"],
    ["macro f(pid) { } begin { }", "'pid' is a builtin"],
    ["macro f($a, $a) { } begin { }", "there is already a parameter '$a'"],
    ["fn f($a): void { } begin { }", "expected ':' and the parameter's type"],
    ["fn f(a: int8): void { } begin { }", "expected ')' after the function's parameters"],
    ["fn f() { } begin { }", "expected ':' and the type of what the function returns"],
    ["fn f($a: int8, $a: int8): void { } begin { }", "there is already a parameter '$a'"],
    ["struct A { int x char y; } begin { }", "expected ';' after the field"],
    ["struct A { int x; begin { }", "expected '}' to close the definition"],
    ["#define\nbegin { }", "no complete preprocessor line"],
    ["struct A {} __attribute__ (packed) begin { }", "expected '((' after __attribute__"],
    ["struct A {} __attribute__ ((packed) begin { }", "expected '))' to close __attribute__"],
  ])("%s", (source, message) => {
    const { diagnostics } = parseScript(source);
    expect(diagnostics.map((d) => d.message).join(" · ")).toContain(message);
  });

  test("every error of a script is found", () => {
    const { diagnostics, script } = parseScript(
      "begin { $x = ; }\nkprobe:a { f( }\nkprobe:b /1 { }\nkprobe:c { if 1 2 }\nkprobe:d { exit(); }",
    );
    expect(new Set(diagnostics.map((d) => d.span.start)).size).toBeGreaterThanOrEqual(4);
    expect(sketchScript(script).split("\n").at(-1)).toBe("kprobe|d {exit();}");
  });

  test("an unclosed block points to its start", () => {
    const { diagnostics } = parseScript("begin { if (1) {\n\nkprobe:f { }");
    expect(diagnostics[0].notes?.[0].span?.start).toBe(15);
  });
});
