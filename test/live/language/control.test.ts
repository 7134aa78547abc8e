/** What decides which statements run: conditions, loops, scopes, blocks, macros, predicates, probes. */
import { prints } from "./rows.ts";

prints("if and else", [
  ["$a = 10; if ($a > 2) { $a = 20 } print($a)", "20"],
  ["$a = 10; if ($a < 2) { $a = 20 } print($a)", "10"],
  [
    '$a = 5; if ($a == 4) { print("four") } else if ($a == 5) { print("five") } else { print("none") }',
    "five",
  ],
  [
    '$a = 6; if ($a == 4) { print("four") } else if ($a == 5) { print("five") } else { print("none") }',
    "none",
  ],
  ['$a = 1; if $a { print("no parentheses") } else { print("wrong") }', "no parentheses"],
  ['$a = 0; if !$a { print("not") }', "not"],
  ['if (1) { if (0) { print("a") } else { if (1) { print("b") } } }', "b"],
  ['$a = (int8)0; $b = 256; if ((int8)$b) { print("wrong") } else { print("cut to zero") }', "cut to zero"],
  ['if (curtask) { print("a pointer is a condition") }', "a pointer is a condition"],
  ['@x = 3; if (@x > 2 && @x < 4) { print("maps are conditions") } clear(@x)', "maps are conditions"],
]);

prints("functions", [
  [
    "fn twice($a: int64): int64 { return $a * 2; } begin { print((twice(21), twice(twice(5)) + twice(1))) }",
    "(42, 22)",
  ],
  [
    "fn fib($n: int64): int64 { $a = 0; $b = 1; for ($i : 0..$n) { $c = $a + $b; $a = $b; $b = $c; } return $a; } begin { print((fib(10), fib(20))) }",
    "(55, 6765)",
  ],
  // Out of loops, of loops that call others, and back to the loop that calls.
  [
    "fn root($n: int64): int64 { for ($i : 0..100) { if ($i * $i > $n) { return $i; } } return -1; } begin { print((root(50), root(1000000))); for ($j : 0..3) { print(root($j)) } }",
    "(8, -1)\n1\n2\n2",
  ],
  [
    "fn inner($k: int64): int64 { for ($i : 0..10) { if ($i == $k) { return $i * 10; } } return -1; } fn outer(): int64 { for ($j : 5..20) { $r = inner($j); if ($r < 0) { return $j; } } return 0; } begin { for ($z : 0..2) { print(outer()) } }",
    "10\n10",
  ],
  [
    "fn a($x: int64): int64 { while ($x < 100) { $x += 7; if ($x % 5 == 0) { return $x; } } return 0; } begin { $y = 3; print((a($y), $y, a(1) + a(2))) }",
    "(10, 3, 45)",
  ],
  [
    'fn greet($name: string): void { if ($name == "x") { return; } printf("hello %s\\n", $name); @n++; } begin { greet("you"); greet("x"); greet("a longer name"); print(@n); clear(@n) }',
    "hello you\nhello a longer name\n@n: 2",
  ],
  [
    'fn kind($n: int64): string { if ($n > 10) { return "large"; } else { return "small one"; } } begin { print((kind(1), kind(100))); if (kind(50) == "large") { print(kind(2)) } }',
    "(small one, large)\nsmall one",
  ],
  [
    "fn id($t: struct task_struct*): int64 { return $t.pid; } begin { print(id(curtask) == tid(init)) }",
    "true",
  ],
  [
    "fn same($x: typeof($y), $y: uint16): typeof($x) { return $x + $y; } begin { print(typeinfo(same(1, 2)).full_type) }",
    "uint16",
  ],
  [
    "fn out(): void { for ($i : 0..10) { if ($i == 2) { exit(); } print($i); } print(100); } begin { out(); print(200) }",
    "0\n1",
  ],
  ["macro m(x) { twice(x) + 1 } fn twice($a: int64): int64 { return $a + $a; } begin { print(m(4)) }", "9"],
  ["fn never(): void { @unused = 1; } begin { print(1) }", "1"],
]);

prints("if comptime, by types", [
  ['$x = 1; if comptime (typeinfo($x) == typeinfo("abc")) { $x = "foo"; } else { $x = 2; } print($x)', "2"],
  [
    '$x = "xyz"; if comptime (typeinfo($x) == typeinfo("abc")) { $x = "foo"; } else { $x = 2; } print($x)',
    "foo",
  ],
  [
    'let $c; $a = 1; if comptime (typeinfo($a).full_type == "int64") { $c = (int16)2; } $a = (int64)2; print(typeinfo($c).full_type)',
    "int16",
  ],
  // Asked from the outer to the inner, and once what is asked about can't change any more.
  [
    'let $c; let $e; let $d; $a = 1; if comptime (typeinfo($a).full_type == "int64") { if comptime (typeinfo($d).full_type == "int64") { $c = (int16)3; } $e = (int32)1; } $a = (int64)2; if comptime (typeinfo($e).full_type == "int32") { $d = (int64)3; } print(typeinfo($c).full_type)',
    "int16",
  ],
  [
    'begin { @x = 1; if comptime (typeinfo(@y[1]).full_type == "uint64") { @x = (int32)2; } print(typeinfo({ @x }).full_type); } end { @y[1] = (uint64)2; clear(@y); clear(@x) }',
    "int32",
  ],
  [
    'macro width(value) { let $w = 0; if comptime (typeinfo(value).base_type == "string") { $w = strcap(value) } else { $w = sizeof(value) } $w } begin { print((width("four"), width((uint16)1))) }',
    "(4, 2)",
  ],
  ['$w = if comptime (typeinfo(pid).base_type == "int") { "number" } else { "text" }; print($w)', "number"],
]);

prints("typeinfo", [
  [
    "assert_str(comm); assert_str((int8 *)0); print((default_str_length, default_str_length()))",
    /^\((\d+), \1\)\n$/,
  ],
  ["print(typeinfo((uint16)1))", "{ .btf_id = 0, .base_type = int, .full_type = uint16 }"],
  ["print((typeinfo(comm).full_type, typeinfo(curtask).full_type))", "(string[16], struct task_struct *)"],
  [
    "print((typeinfo(struct task_struct).base_type, typeinfo(uint32*[4]).full_type))",
    "(c_type, uint32 *[4])",
  ],
  ['print((typeinfo((1, "abc")).full_type, typeinfo((a=1, b="x")).base_type))', "((int8,string[4]), record)"],
  [
    "@m[1, comm] = (uint64)1; print((typeinfo(@m).full_type, typeinfo(@m[1, comm]).full_type)); clear(@m)",
    "((int8,string[16]), uint64)",
  ],
  [
    'print((typeinfo(0).base_type == typeinfo(pid).base_type, typeinfo(pid).full_type[0] == "u"[0]))',
    "(true, true)",
  ],
  [
    "macro kind(t) { typeinfo(t).full_type } begin { print((kind(typeof(int8)), kind(comm))) }",
    "(int8, string[16])",
  ],
]);

prints("the ternary operator", [
  ['$a = 5; print($a > 3 ? "yes" : "no"); print($a > 7 ? "yes" : "no")', "yes\nno"],
  ["$a = 5; $b = $a > 0 ? $a : -1; print($b)", "5"],
  ["$a = 7; print($a < 5 ? 1 : $a < 8 ? 2 : 3)", "2"],
  ["$x = 1; print(($x ?: 10, 0 ?: 20))", "(1, 20)"],
  ['$a = 1; $a == 1 ? print("true") : print("false")', "true"],
  ['$a = 1; print($a ? (1, "a") : (2, "longer"))', "(1, a)"],
  ['$a = 0; $s = $a ? "short" : "a longer string"; print($s)', "a longer string"],
  ["$a = 0; print($a ? (int8)1 : (int32)-70000)", "-70000"],
  ["$a = 3; print(if $a == 3 { 30 } else { 40 })", "30"],
]);

prints("loops over ranges", [
  ["for ($i : 0..5) { print($i) }", "0\n1\n2\n3\n4"],
  ["for $i : 2..4 { print($i) }", "2\n3"],
  ['for ($i : 5..5) { print($i) } for ($i : 5..2) { print($i) } print("none")', "none"],
  ["$n = 3; for ($i : 0..$n) { print($i); $n--; }", "0\n1\n2"],
  ["for ($i : -2..2) { print($i) }", "-2\n-1\n0\n1"],
  ["for ($i : 0..10) { if ($i == 2) { continue } if ($i == 5) { break } print($i) }", "0\n1\n3\n4"],
  [
    "for ($i : 0..3) { for ($j : 0..2) { print(($i, $j)) } }",
    "(0, 0)\n(0, 1)\n(1, 0)\n(1, 1)\n(2, 0)\n(2, 1)",
  ],
  ['for ($i : 0..10) { if ($i == 2) { return } print($i) } print("not reached")', "0\n1"],
  ["$sum = 0; for ($i : 0..1000) { $sum += $i } print($sum)", "499500"],
  ["$sum = (uint64)0; for ($i : 0..100000) { $sum += 3 } print($sum)", "300000"],
  ["for ($i : 0..3) { @[$i] = $i * $i }", "@[0]: 0\n@[1]: 1\n@[2]: 4"],
  ["$a = 1; for ($i : 0..($a + 2)) { print($i) }", "0\n1\n2"],
  ["$n = 0; for ($cpu : 0..ncpus) { $n++ } print($n == ncpus)", "true"],
  ['$s = "kept"; for ($i : 0..2) { print(($i, $s)) }', "(0, kept)\n(1, kept)"],
]);

prints("loops over maps", [
  ["@[10] = 20; for ($kv : @) { print($kv.0); print($kv.1); } clear(@)", "10\n20"],
  ["@[10, 11] = 20; for ($kv : @) { print(($kv.0.0, $kv.0.1, $kv.1)); } clear(@)", "(10, 11, 20)"],
  [
    '@["a"] = 1; @["b"] = 2; @["c"] = 3; $sum = 0; for ($kv : @) { $sum += $kv.1 } print($sum); clear(@)',
    "6",
  ],
  [
    "@[1] = 1; @[2] = 2; @[3] = 3; $n = 0; for ($kv : @) { if ($kv.0 == 2) { continue } $n += $kv.1 } print($n); clear(@)",
    "4",
  ],
  ["@[1] = 1; @[2] = 2; @[3] = 3; $n = 0; for ($kv : @) { $n++; break } print($n); clear(@)", "1"],
  [
    "@[1] = count(); @[1] = count(); @[2] = count(); $n = (uint64)0; for ($kv : @) { $n += (uint64)$kv.1 } print($n); clear(@)",
    "3",
  ],
  ["@a[1] = 5; for ($kv : @a) { @b[$kv.1] = $kv.0 } clear(@a)", "@b[5]: 1"],
  ["@[1] = 1; for ($kv : @) { for ($i : 0..2) { print(($kv.0, $i)) } } clear(@)", "(1, 0)\n(1, 1)"],
  ["@[1] = 1; for ($kv : @) { $x = 3; print($x + $kv.1) } clear(@)", "4"],
]);

prints("while", [
  ["$i = 0; while ($i < 5) { print($i); $i++; }", "0\n1\n2\n3\n4"],
  [
    "$i = 0; while ($i < 10) { $i++; if ($i == 3) { continue; } if ($i == 6) { break; } print($i); }",
    "1\n2\n4\n5",
  ],
  ["$i = 0; while (1) { $i++; if ($i > 3) { break } } print($i)", "4"],
  [
    "$i = 0; while ($i < 2) { $j = 0; while ($j < 2) { print(($i, $j)); $j++ } $i++ }",
    "(0, 0)\n(0, 1)\n(1, 0)\n(1, 1)",
  ],
]);

prints("unroll", [
  ["$i = 1; unroll(4) { $i = $i * 2 } print($i)", "16"],
  ["unroll(3) { @x++ } print(@x); clear(@x)", "@x: 3"],
  ["$a = 0; unroll($1) { $a += 2 } print($a)", "14", ["7"]],
]);

prints("scopes", [
  ["let $a = 1; if (true) { let $b = 2; $a = $b; } print($a)", "2"],
  ["let $a; print($a); $a = 5; print($a)", "0\n5"],
  ["let $a: uint16; $a = 7; print((sizeof($a), $a))", "(2, 7)"],
  ['if (1) { $x = 1; print($x) } if (1) { $x = "text"; print($x) }', "1\ntext"],
  ["for ($i : 0..2) { let $n = 0; $n++; print($n) }", "1\n1"],
  ["let $a = { let $b = 1; $b + 1 }; print($a)", "2"],
  ["print({ $x = 3; $x * $x })", "9"],
  ["$a = { let $i = 0; while ($i < 5) { $i++ } $i }; print($a)", "5"],
  ['_ = has_key(@a, 1); @a[1] = 2; clear(@a); print("quiet")', "quiet"],
]);

prints("return and probes", [
  ['print("before"); return; print("after")', "before"],
  ['begin { print("first") } begin { print("second") } end { print("last") }', "first\nsecond\nlast"],
  ['BEGIN { print("old") } END { print("spelling") }', "old\nspelling"],
  ['begin, end { print("twice") }', "twice\ntwice"],
  ['begin /0/ { print("no") } begin /1 == 1/ { print("yes") }', "yes"],
  ['begin /pid > 0 && comm != ""/ { print("predicate") }', "predicate"],
  ['begin /@never/ { print("no") } begin { @never = 0; print("end"); clear(@never) }', "end"],
  // It may come once more before the script has ended.
  ["interval:ms:10 { if (@n < 3) { @n++; if (@n == 3) { exit() } } }", "@n: 3"],
  ["interval:10ms { print(1); exit() }", "1"],
  ['i:ms:1 { print("short name"); exit() }', "short name"],
  ['begin { print("a"); exit(); print("b") } end { print("c") }', "a\nc"],
]);

prints("macros", [
  ["macro one() { 1 } begin { print((one(), one)) }", "(1, 1)"],
  ["macro add_one(x) { x + 1 } begin { $a = 10; print((add_one($a), add_one(1 + 1))) }", "(11, 3)"],
  [
    "macro bump($a, @b) { $a += 1; @b += 1; } begin { $x = 1; @y = 5; bump($x, @y); print(($x, @y)); clear(@y) }",
    "(2, 6)",
  ],
  ['macro thrice(x) { x; x; x; } begin { thrice({ printf("hi") }) }', "hihihi"],
  ["macro add_one(x) { x + 1 } macro add_two(x) { add_one(x) + 1 } begin { print(add_two(1)) }", "3"],
  ["macro cast_to(a, b) { (a*)b } begin { print(cast_to(typeof(uint8), -1)) }", "0xffffffffffffffff"],
  ["macro once(x) { let $x = x; $x + $x } begin { $n = 0; print(once(++$n)); print($n) }", "2\n1"],
  ["macro f(x) { x * 2 } macro f(x, y) { x + y } begin { print((f(4), f(4, 5))) }", "(8, 9)"],
  ["macro own() { let $t = 7; $t } begin { $t = 1; print((own(), $t)) }", "(7, 1)"],
]);

prints("decided before the script runs", [
  ['if comptime (sizeof(long) == 8) { print("eight") } else { print("other") }', "eight"],
  ['static_assert(1 == 1, "never"); print("kept")', "kept"],
  ["#define TEN 10\n#define ADD(a, b) ((a) + (b))\nbegin { print((TEN, ADD(TEN, 2))) }", "(10, 12)"],
  ["#ifdef BPFTRACE_HAVE_BTF\n#define X 1\n#else\n#define X 2\n#endif\nbegin { print(X) }", "1"],
  ["begin /* a\nblock */ { print(/* inside */ 1); } // end", "1"],
]);
