import { describe, expect, test } from "vitest";
import { parseScript } from "../parse/script.ts";
import { recordedKernel } from "../testing/recordedKernel.ts";
import { sketchScript } from "../testing/sketch.ts";
import { type ExpandOptions, expandScript } from "./script.ts";
import { STANDARD_MACROS } from "./stdlib.bt.ts";

type Files = Record<string, string>;

const filesOf = (files: Files) => ({
  readFile: (path: string) => (Object.hasOwn(files, path) ? files[path] : undefined),
  listDirectory: (path: string) => {
    const names = Object.keys(files).filter((name) => name.startsWith(`${path}/`));
    return names.length > 0 ? names.map((name) => name.slice(path.length + 1)) : undefined;
  },
});

function expand(source: string, files: Files = {}, more: Partial<ExpandOptions> = {}) {
  const { script, diagnostics } = parseScript(source);
  expect(diagnostics).toEqual([]);
  const kernel = { ...recordedKernel(), ...filesOf(files) };
  return expandScript(script, source, { kernel, fileName: "dir/main.bt", ...more });
}

/** The expanded script; nothing to report. */
function expanded(source: string, files?: Files, more?: Partial<ExpandOptions>): string {
  const result = expand(source, files, more);
  expect(result.diagnostics.map((d) => d.message)).toEqual([]);
  return sketchScript(result.script);
}

function problems(source: string, files?: Files): string[] {
  return expand(source, files).diagnostics.map((d) => d.message);
}

describe("macros", () => {
  test.each([
    ["a value", "macro one() { 1 } begin { print(one()); print(one); }", "begin {print(1); print(1);}"],
    ["an expression", "macro f(x) { x + 1 } begin { $a = f(2 * 3); }", "begin {$a = (+ (* 2 3) 1);}"],
    [
      "variables and maps by reference",
      "macro f($a, @b) { $a += 1; @b[1] += $a; } begin { $x = 0; f($x, @y); }",
      "begin {$x = 0; {$x += 1; @y[1] += $x;};}",
    ],
    [
      "its own variables get their own names",
      "macro f(x) { let $t = x; $t * 2 } begin { $t = 1; $u = f($t) + f(3); }",
      "begin {$t = 1; $u = (+ {let $t·1 = $t; (* $t·1 2)} {let $t·2 = 3; (* $t·2 2)});}",
    ],
    [
      "arguments mean what the caller meant",
      "macro inner(x) { let $v = 5; x + $v } macro outer($v) { inner($v + 1) } begin { $v = 1; print(outer($v)); }",
      "begin {$v = 1; print({let $v·2 = 5; (+ (+ $v 1) $v·2)});}",
    ],
    [
      "blocks as arguments run where they are put",
      'macro twice(x) { x; x; } begin { twice({ printf("hi") }) }',
      'begin {{{printf("hi");}; {printf("hi");};};}',
    ],
    [
      "overloads by number",
      "macro f() { 1 } macro f(a) { 2 } begin { print((f, f(), f(0))); }",
      "begin {print(tuple(1 1 2));}",
    ],
    [
      "overloads by kind, the most particular first",
      "macro f(a) { 1 } macro f($a) { 2 } macro f(@a) { 3 } begin { print((f(0), f($x), f(@y), f(@y[1]))); }",
      "begin {print(tuple(1 2 3 1));}",
    ],
    [
      "type arguments",
      "macro cast(t, v) { (t*)v } begin { $a = cast(typeof(uint8), -1); $b = cast(typeof(struct foo*), 0); }",
      "begin {$a = (<typeof(uint8)*> (- 1)); $b = (<typeof(struct foo*)*> 0);}",
    ],
    [
      "sizeof a parameter",
      "macro s(t) { sizeof(t) } begin { print((s(typeof(int8)), s($x + 1))); }",
      "begin {print(tuple(sizeof(<typeof(int8)>) sizeof(<typeof((+ $x 1))>)));}",
    ],
    [
      "a struct's name",
      "macro s(t) { sizeof(struct t) } begin { print(s(foo)); }",
      "begin {print(sizeof(<struct foo>));}",
    ],
    [
      "the value of a statement's macro is dropped",
      "macro f(x) { if (x) { print(1); 1 } else { 2 } } begin { f($a); }",
      "begin {if $a {print(1); 1;} else {2;};}",
    ],
    ["a predicate", "macro f() { pid == 1 } k:f /f()/ { }", "k|f /(== pid 1)/ {}"],
    [
      "loops",
      "macro f(@m) { for ($kv : @m) { print($kv); } } begin { f(@x); }",
      "begin {{for $kv·1 @x {print($kv·1);};};}",
    ],
  ])("%s", (_, source, expected) => expect(expanded(source)).toBe(expected));

  test.each([
    ["macro r(x) { r(x) } begin { r(1); }", "macro r calls itself: r → r"],
    ["macro a() { b() } macro b() { a() } begin { a(); }", "macro a calls itself: a → b → a"],
    ["macro f() { @x++; } begin { f(); }", "macro f uses @x, which is not passed in"],
    [
      "macro f() { print($x); 1 } begin { $x = 1; f(); }",
      "macro f uses $x, which is neither its own nor passed in",
    ],
    ["macro f(@m) { if (find(@m, 1, $x)) { print($x); } } begin { f(@a); }", ""],
    [
      "macro f() { $x + 1 } begin { $x = 1; print(f()); }",
      "macro f uses $x, which is neither its own nor passed in",
    ],
    [
      "macro f($x) { let $x = 1; } begin { f($y); }",
      "$x is a parameter of macro f and can't be declared again",
    ],
    ["macro f($x) { } begin { f(@x); }", "macro f takes a variable here"],
    ["macro f(@x) { } begin { f(1 + 1); }", "macro f takes a map here"],
    ["macro f(@x) { } begin { f(@x[1]); }", "macro f takes a map here"],
    ["macro f(a) { } begin { f(1, 2); }", "macro f takes 1 argument, not 2"],
    ["macro f(a) { } macro f(b) { } begin { }", "there is already a macro f that takes the same"],
    [
      "macro f(x) { (x) - 1 } begin { print(f(2 + 3)); }",
      "(x) reads as a cast here, but x stands for a value",
    ],
    ["macro f(x) { x + 1 } begin { print(f(typeof(int8))); }", "x stands for a type here, not for a value"],
  ])("%s", (source, message) => expect(problems(source)).toEqual(message ? [message] : []));

  test("a builtin function by the same name is still there for what no macro takes", () => {
    const more = { isFunction: (name: string) => name === "len" };
    expect(expanded("macro len(a, b) { a + b } begin { print((len(@m), len(1, 2))); }", {}, more)).toBe(
      "begin {print(tuple(len(@m) (+ 1 2)));}",
    );
  });
});

describe("the standard library", () => {
  test("every macro has the name of its row, and parses", () => {
    for (const { name, source } of STANDARD_MACROS) {
      const { script, diagnostics } = parseScript(source);
      expect(diagnostics).toEqual([]);
      expect(new Set(script.macros.map((macro) => macro.name))).toEqual(new Set([name]));
    }
  });

  test.each([
    ["print(ppid());", "print(curtask.real_parent.pid);"],
    ["print(pcomm($t));", "print($t.real_parent.comm);"],
    ['assert($x > 0, "no");', '{if (! (> $x 0)) {errorf("assert failed: %s" "no"); exit(1);};};'],
    [
      "$p = container_of($m, typeof(struct a), b.c);",
      "$p = (<typeof(struct a)*> (- (<int8*> $m) offsetof(<typeof(struct a)> b.c)));",
    ],
  ])("%s", (source, expected) => expect(expanded(`begin { ${source} }`)).toBe(`begin {${expected}}`));

  test("a script's own macro wins, but not inside the library", () => {
    const own = "macro ppid(task) { 7 } begin { print((ppid($t), ppid())); }";
    expect(expanded(own)).toBe("begin {print(tuple(7 curtask.real_parent.pid));}");
  });

  test("it is read only when it is used, and stands where the script calls it", () => {
    expect(expand("begin { }").files.map((f) => f.name)).toEqual(["dir/main.bt"]);
    const source = "begin { print(ppid()); }";
    const { script } = expand(source);
    const [statement] = script.actions[0].body.statements;
    const call = statement.kind === "expression" ? statement.expression : undefined;
    const span = call?.kind === "call" ? call.arguments[0].span : undefined;
    expect(span!.file).toBeUndefined();
    expect(source.slice(span!.start, span!.end)).toBe("ppid()");
  });
});

describe("#define", () => {
  test.each([
    ["#define A 5\nbegin { print(A); }", "begin {print(5);}"],
    ["#define A (B + 1)\n#define B 2\nbegin { print(A * 3); }", "begin {print((* (+ 2 1) 3));}"],
    [
      "#define MAX(a, b) ((a) > (b) ? (a) : (b))\nbegin { print(MAX($x + 1, 2)); }",
      "begin {print((? (> (+ $x 1) 2) (+ $x 1) 2));}",
    ],
    ['#define RED "\\033[31m"\nbegin { print(RED); }', 'begin {print("\\u001b[31m");}'],
    ["#define T struct task_struct\nbegin { $x = (T*)$y; }", "begin {$x = (<struct task_struct*> $y);}"],
    ["#define N 4\nstruct A { int x[N]; }\nbegin { }", "struct A{int[4] x}\nbegin {}"],
    ["#define N 4\n#undef N\nbegin { print(N); }", "begin {print(N);}"],
    ["#define A B\n#define B A\nbegin { print(A); }", "begin {print(A);}"],
    ["#define P $x\nmacro f($x) { P + 1 } begin { print(f($y)); }", "begin {print((+ $y 1));}"],
  ])("%s", (source, expected) => expect(expanded(source)).toBe(expected));

  test.each([
    ["#define A 1 +\nbegin { print(A); }", "A does not stand for an expression"],
    ["#define F(x) x\nbegin { print(F(1, 2)); }", "F takes 1 arguments, not 2"],
    ["#endif\nbegin { }", "#endif without #if"],
    ["#if 1\nbegin { }", "#if without #endif"],
  ])("%s", (source, message) => expect(problems(source)).toEqual([message]));

  test.each([
    ["#ifdef BPFTRACE_HAVE_BTF", "a"],
    ["#ifndef BPFTRACE_HAVE_BTF", "b"],
    ["#define X 3\n#if defined(X) && X > 2", "a"],
    ["#if defined X || 0", "b"],
    ["#if UNKNOWN", "b"],
    ["#if (1 << 4) == 16 && !0", "a"],
  ])("%s", (directive, taken) => {
    const source = `${directive}\nstruct a { int x; };\n#else\nstruct b { int x; };\n#endif\nbegin { }`;
    expect(expanded(source)).toBe(`struct ${taken}{int x}\nbegin {}`);
  });

  test("nested conditions and elif", () => {
    const source = `#if 0
#if 1
struct a { int x; };
#endif
#elif 1
struct b { int x; };
#if 0
#else
struct c { int x; };
#endif
#else
struct d { int x; };
#endif
begin { }`;
    expect(expanded(source)).toBe("struct b{int x}\nstruct c{int x}\nbegin {}");
  });
});

describe("imports", () => {
  test.each([
    ["dir/open", "open/a.bt"],
    ["dir/a.bt", "a.bt"],
    ["dir/open", "open"],
  ])("what anybody may have written is refused: %s", (open, path) => {
    const files = { "dir/a.bt": "begin { }", "dir/open/a.bt": "begin { }" };
    const kernel = {
      ...recordedKernel(),
      ...filesOf(files),
      writableByAll: (place: string) => place === open,
    };
    const source = `import "${path}"; begin { }`;
    const { script } = parseScript(source);
    const { diagnostics } = expandScript(script, source, { kernel, fileName: "dir/main.bt" });
    expect(diagnostics.map((d) => d.message)).toEqual([
      `refusing to import dir/${path}: anybody may write to ${open}`,
    ]);
  });

  test("scripts are merged, what they import first, each once", () => {
    const files = {
      "dir/a.bt": 'import "b.bt"; begin { print("a"); } macro fa() { 1 }',
      "dir/b.bt": 'import "a.bt"; let @m = hash(5); begin { print("b"); }',
    };
    expect(expanded('import "a.bt"; import "./b.bt"; import "a.bt"; begin { print(fa()); }', files)).toBe(
      '@m=hash(5)\nbegin {print("b");}\nbegin {print("a");}\nbegin {print(1);}',
    );
  });

  test("spans name the file", () => {
    const { files, script } = expand('import "a.bt"; begin { }', { "dir/a.bt": "k:f { }" });
    const { span } = script.actions[0].probes[0];
    expect(files[span.file!]).toEqual({ name: "dir/a.bt", text: "k:f { }" });
    expect(files[span.file!].text.slice(span.start, span.end)).toBe("k:f");
  });

  test("directories and headers", () => {
    const files = {
      "dir/lib/b.bt": "macro g() { 2 }",
      "dir/lib/a.h": "#pragma once\n#define ONE 1\nstruct s { int x; };\nint f(void) { return 1; }",
      "dir/lib/notes.txt": "nothing",
    };
    expect(expanded('import "lib"; begin { print((g(), ONE, ((struct s*)0).x)); }', files)).toBe(
      "struct s{int x}\nbegin {print(tuple(2 1 (<struct s*> 0).x));}",
    );
  });

  test.each([
    ['import "no.bt"; begin { }', {}, "no such file: dir/no.bt"],
    ['import "no"; begin { }', {}, "can't import dir/no"],
    ['import "a.bpf.c"; begin { }', {}, "importing BPF C files is not supported yet"],
    [
      'import "a.bt"; begin { }',
      { "dir/a.bt": "config = { a=1 }" },
      "an imported script can't have a config block",
    ],
    ['import "a.bt"; begin { }', { "dir/a.bt": "k:f { $x = ; }" }, "expected an expression, but found ';'"],
  ])("%s", (source, files, message) => expect(problems(source, files as Files)).toEqual([message]));
});

describe("headers", () => {
  const files = {
    "/usr/include/net/foo.h": `/* guard */
#ifndef FOO_H
#define FOO_H
#include <net/bar.h>
#define FOO_MAX 16
#define __packed_it __attribute__((packed))
#define DECLARE(type, name) type name
extern int foo_init(struct foo *f, int (*cb)(void));
static inline int foo_get(struct foo *f)
{
	return f->x; // }
}
struct foo {
	__u32 x;
	bar_t bar[FOO_MAX];
	DECLARE(enum mood, m);
	struct foo *next;
} __packed_it;
struct unused_one { int y; };
struct broken { int x; asm("nop") };
#endif
`,
    "/usr/include/net/bar.h": `#pragma once
typedef struct { unsigned short a:4, b:12; } bar_t;
enum mood { GOOD = 1, BAD = GOOD << 2 };
`,
  };

  test("definitions that the script needs, and what they need", () => {
    const source = "#include <net/foo.h>\nbegin { $f = (struct foo *)arg0; print((FOO_MAX, BAD, $f.x)); }";
    expect(expanded(source, files).split("\n")).toEqual([
      "struct bar_t{unsigned short a:4; unsigned short b:12}",
      "typedef struct bar_t bar_t",
      "enum mood{GOOD=1 BAD=(<< GOOD 2)}",
      "packed struct foo{__u32 x; bar_t[16] bar; enum mood m; struct foo* next}",
      "begin {$f = (<struct foo*> arg0); print(tuple(16 BAD $f.x));}",
    ]);
  });

  test("nothing is read when the kernel explains everything", () => {
    const read: string[] = [];
    const source = "#include <linux/sched.h>\nbegin { print(((struct task_struct *)curtask).pid); }";
    const { script } = parseScript(source);
    const kernel = recordedKernel({
      readFile: (path) => {
        read.push(path);
        return undefined;
      },
    });
    expect(expandScript(script, source, { kernel }).diagnostics).toEqual([]);
    expect(read).toEqual([]);
  });

  test("a header can't take the language's own names", () => {
    const own = { "dir/a.h": "#define max(a, b) a\n#define pid 1\n#define ONE 1\n" };
    expect(expanded('#include "a.h"\nbegin { @ = max(pid); print(ONE); }', own)).toBe(
      "begin {@ = max(pid); print(1);}",
    );
  });

  test("half a struct is no struct", () => {
    expect(expanded("#include <net/foo.h>\nbegin { print(sizeof(struct broken)); }", files)).toBe(
      "begin {print(sizeof(<struct broken>));}",
    );
  });

  test("the script's own header lies beside it, and wins over the system's", () => {
    const own = { "dir/foo.h": "struct foo { int mine; };" };
    expect(expanded('#include "foo.h"\nbegin { print(sizeof(struct foo)); }', { ...files, ...own })).toBe(
      "struct foo{int mine}\nbegin {print(sizeof(<struct foo>));}",
    );
  });

  test("a missing header is a warning where there is BTF, and none if its constants are well known", () => {
    const { diagnostics } = expand("#include <no/such.h>\nbegin { print(sizeof(struct nowhere)); }");
    expect(diagnostics.map((d) => [d.severity, d.message])).toEqual([
      ["warning", "header no/such.h was not found"],
    ]);
    expect(expand("#include <no/such.h>\nbegin { print(AF_INET6); }").diagnostics).toEqual([]);
  });
});
