import { describe, expect, test } from "vitest";
import { sketch, sketchBlock } from "../testing/sketch.ts";
import { parseScript } from "./script.ts";

/** The value of `$r = …`. */
function parse(expression: string): string {
  const { script, diagnostics } = parseScript(`begin { $r = ${expression}; }`);
  expect(diagnostics.map((d) => d.message)).toEqual([]);
  const [statement] = script.actions[0].body.statements;
  return statement.kind === "assign" ? sketch(statement.value) : sketchBlock(script.actions[0].body);
}

describe("operators", () => {
  test.each([
    ["1 + 2 * 3", "(+ 1 (* 2 3))"],
    ["1 * 2 + 3", "(+ (* 1 2) 3)"],
    ["9 - 4 - 1", "(- (- 9 4) 1)"],
    ["64 / 4 / 2", "(/ (/ 64 4) 2)"],
    ["1 + 2 << 3", "(<< (+ 1 2) 3)"],
    ["1 << 2 < 8", "(< (<< 1 2) 8)"],
    ["1 < 2 == 3 > 4", "(== (< 1 2) (> 3 4))"],
    ["1 == 2 & 3", "(& (== 1 2) 3)"],
    ["1 & 2 ^ 3 | 4", "(| (^ (& 1 2) 3) 4)"],
    ["1 | 2 && 3 || 4", "(|| (&& (| 1 2) 3) 4)"],
    ["1 || 0 ? 5 : 10", "(? (|| 1 0) 5 10)"],
    ["1 ? 2 ? 3 : 4 : 5", "(? 1 (? 2 3 4) 5)"],
    ["1 ? 2 : 3 ? 4 : 5", "(? 1 2 (? 3 4 5))"],
    ["$a ?: 5", "(? $a $a 5)"],
    ["-1 + !$x", "(+ (- 1) (! $x))"],
    ["~-$x", "(~ (- $x))"],
    ["**$p", "(* (* $p))"],
    ["*$p * *$q", "(* (* $p) (* $q))"],
    ["&@m", "(& @m)"],
    ["$a & &$b", "(& $a (& $b))"],
    ["$x++ + ++$x", "(+ (_++ $x) (++_ $x))"],
    ["$x-- - --$x", "(- (_-- $x) (--_ $x))"],
    ["1 - -1", "(- 1 (- 1))"],
    ["(1 + 2) * 3", "(* (+ 1 2) 3)"],
  ])("%s", (source, expected) => expect(parse(source)).toBe(expected));
});

describe("postfix", () => {
  test.each([
    ["$a.b->c", "$a.b->c"],
    ["$t.0.1", "$t.0.1"],
    ["args.filename", "args.filename"],
    ["$a.if", "$a.if"],
    ["$a[1][2].x", "$a[1][2].x"],
    ["*$a.b", "(* $a.b)"],
    ["(1, 2).0", "tuple(1 2).0"],
    ["@m[pid].x", "@m[pid].x"],
    ["@m[1, comm]", "@m[tuple(1 comm)]"],
    ["@m[(1, 2)]", "@m[tuple(1 2)]"],
    ["@", "@"],
    ["@[tid]", "@[tid]"],
    ["str(args.argv[0], 16)", "str(args.argv[0] 16)"],
    ["hello!(1)", "hello(1)"],
  ])("%s", (source, expected) => expect(parse(source)).toBe(expected));
});

describe("parentheses: cast, tuple, record or group", () => {
  test.each([
    ["(uint32)$x", "(<uint32> $x)"],
    ["(int32*)$x + 1", "(+ (<int32*> $x) 1)"],
    ["(struct sock *)arg0", "(<struct sock*> arg0)"],
    ["(struct foo *)arg0->bar", "(<struct foo*> arg0->bar)"],
    ["((struct foo *)arg0)->bar", "(<struct foo*> arg0)->bar"],
    ["(unsigned long long)$x", "(<unsigned long long> $x)"],
    ["(const char *)$x", "(<char*> $x)"],
    ["(uint8[8])12345", "(<uint8[8]> 12345)"],
    ["(int8[])$x", "(<int8[]> $x)"],
    ["(int32*[4]*)$x", "(<int32*[4]*> $x)"],
    ["(string[64])arg0", "(<string[64]> arg0)"],
    ["(typeof($a))$b", "(<typeof($a)> $b)"],
    ["(typeof(uint8*))$b", "(<typeof(uint8*)> $b)"],
    ["(foo)*arg0", "(<foo> (* arg0))"],
    ["(foo)-1", "(<foo> (- 1))"],
    ["(pid)*tid", "(* pid tid)"],
    ["(arg0)-1", "(- arg0 1)"],
    ["(foo)", "foo"],
    ["(foo) + 1", "(+ foo 1)"],
    ["($x) * 2", "(* $x 2)"],
    ["()", "tuple()"],
    ["(1,)", "tuple(1)"],
    ["(1, (2, 3),)", "tuple(1 tuple(2 3))"],
    ['(a=1, b="x")', 'record(a=1 b="x")'],
    ["(a=(b=1))", "record(a=record(b=1))"],
    ["(a == 1)", "(== a 1)"],
  ])("%s", (source, expected) => expect(parse(source)).toBe(expected));

  test("a #define that is a value is never a type", () => {
    const { script } = parseScript("#define PAGE 4096\nbegin { $r = (PAGE) * 2; }");
    const [statement] = script.actions[0].body.statements;
    expect(statement.kind === "assign" && sketch(statement.value)).toBe("(* PAGE 2)");
  });
});

describe("types where expressions may stand", () => {
  test.each([
    ["sizeof(uint32)", "sizeof(<uint32>)"],
    ["sizeof(struct foo*[10])", "sizeof(<struct foo*[10]>)"],
    ["sizeof(foo)", "sizeof(<foo>)"],
    ["sizeof(foo[1])", "sizeof(<foo[1]>)"],
    ["sizeof((foo)[1])", "sizeof(foo[1])"],
    ["sizeof(foo())", "sizeof(foo())"],
    ["sizeof(arg0)", "sizeof(arg0)"],
    ["sizeof($x + 1)", "sizeof((+ $x 1))"],
    ["sizeof(typeof($x))", "sizeof(<typeof($x)>)"],
    ["offsetof(struct foo, a.b)", "offsetof(<struct foo> a.b)"],
    ["offsetof(*$p, if)", "offsetof((* $p) if)"],
    ["typeinfo($x).base_type", "typeinfo($x).base_type"],
    ["f(typeof(struct foo*), 1)", "f(<typeof(struct foo*)> 1)"],
  ])("%s", (source, expected) => expect(parse(source)).toBe(expected));
});

describe("blocks and conditionals as values", () => {
  test.each([
    ["{ let $a = 1; $a }", "{let $a = 1; $a}"],
    ["if ($a) { 1 } else { 2 }", "if $a {1} else {2}"],
    ["if !$a { 1 } else if $b == 2 { 2 } else { 3 }", "if (! $a) {1} else {if (== $b 2) {2} else {3}}"],
    ["{ if ($a) { 1 } else { 2 } }", "{if $a {1} else {2}}"],
    ["{ { 1 } }", "{{1}}"],
    ["comptime (1 + 2)", "comptime((+ 1 2))"],
  ])("%s", (source, expected) => expect(parse(source)).toBe(expected));
});

describe("literals", () => {
  test.each([
    ["0x1F", 31n],
    ["0777", 511n],
    ["0b101", 5n],
    ["1_000_000", 1_000_000n],
    ["1e6", 1_000_000n],
    ["5e1_0", 50_000_000_000n],
    ["0x5e5", 0x5e5n],
    ["123UL", 123n],
    ["123llu".replace("llu", "ull"), 123n],
    ["18446744073709551615", 18446744073709551615n],
    ["7ns", 7n],
    ["7us", 7_000n],
    ["7ms", 7_000_000n],
    ["7s", 7_000_000_000n],
    ["2m", 120_000_000_000n],
    ["1h", 3_600_000_000_000n],
    ["1d", 86_400_000_000_000n],
  ])("%s", (source, expected) => expect(parse(source)).toBe(String(expected)));

  test.each([
    ["1_", "ends with an underscore"],
    ["5e", "has no exponent"],
    ["12e4", "must be one digit"],
    ["1e21", "larger than 64 bits"],
    ["18446744073709551616", "larger than 64 bits"],
    ["999999999999d", "larger than 64 bits"],
    ["1x", "is no suffix"],
    ["1ulll", "is no suffix"],
    ["089", "octal"],
    ["0xg", "is no suffix"],
    ["$0", "is no positional parameter"],
    ['"\\777"', "more than a byte"],
    ['"\\q"', "unknown escape"],
    ['"\\xzz"', "without hexadecimal digits"],
  ])("%s is refused", (source, message) => {
    const { diagnostics } = parseScript(`begin { $r = ${source}; $s = 1; }`);
    expect(diagnostics).toHaveLength(1);
    expect(diagnostics[0].message).toContain(message);
  });

  test.each([
    ['"a\\n\\t\\r\\"\\\\"', 'a\n\t\r"\\'],
    ['"\\x41\\101\\0"', "AA\0"],
    ['"\\033[0m"', "\u001b[0m"],
    ['"\\xe2\\x82\\xac"', "€"],
    ['"\\xff"', "\udcff"],
    ['"日本"', "日本"],
  ])("string %s", (source, expected) => {
    const { script, diagnostics } = parseScript(`begin { $r = ${source}; }`);
    expect(diagnostics).toEqual([]);
    const [statement] = script.actions[0].body.statements;
    expect(statement.kind === "assign" && statement.value.kind === "string" && statement.value.value).toBe(
      expected,
    );
  });
});
