import { describe, expect, it } from "vitest";
import { checkSource, fullKernel } from "../testing/check.ts";
import { recordedKernel } from "../testing/recordedKernel.ts";

/** Source → code, the text that the span covers, and words of the message or hint. */
type Row = [source: string, code: string, at: string, words?: string];

function expectRow([source, code, at, words]: Row, kernel = fullKernel()): void {
  const { diagnostics } = checkSource(source, {}, kernel);
  const found = diagnostics.find((d) => d.code === code);
  expect(diagnostics.map((d) => d.code)).toContain(code);
  expect(source.slice(found!.span.start, found!.span.end)).toBe(at);
  if (words) expect(`${found!.message} ${found!.hint ?? ""}`).toContain(words);
}

const inProbe = (body: string, code: string, at: string, words?: string): Row => [
  `kprobe:vfs_read { ${body} }`,
  code,
  at,
  words,
];

describe("names", () => {
  it.each<Row>([
    inProbe("$count = 1; print($cout);", "undefined-variable", "$cout", "$count"),
    inProbe("if (pid) { $a = 1; } print($a);", "undefined-variable", "$a"),
    inProbe("$a += 1;", "undefined-variable", "$a"),
    inProbe("print(conm);", "unknown-name", "conm", "comm"),
    inProbe("$pid = 1; print(pdi);", "unknown-name", "pdi", "pid"),
    inProbe('prinft("x");', "unknown-function", "prinft", "printf"),
    inProbe("@count = 1; print(@cuont);", "undefined-map", "@cuont", "@count"),
    inProbe("clear(@nothing);", "undefined-map", "@nothing"),
    inProbe("print((struct task_strict *)arg0);", "unknown-type", "struct task_strict *", "task_struct"),
    inProbe("print(curtask.com);", "unknown-field", "com", "comm"),
    inProbe('print(reg("iip"));', "unknown-register", 'reg("iip")', "ip"),
    inProbe("let $a = 1; let $a = 2;", "redeclared", "let $a = 2"),
    [
      "tracepoint:sched:sched_switch { print(args.prev_pd); }",
      "unknown-argument",
      "prev_pd",
      "args.prev_comm",
    ],
    [
      "tracepoint:sched:sched_switch { print(args.common_pid); }",
      "hidden-argument",
      "common_pid",
      "tid is the same",
    ],
    [
      "tracepoint:syscalls:sys_enter_read { print(args.common_flags); }",
      "hidden-argument",
      "common_flags",
      "pid, tid, cpu",
    ],
    ["tracepoint:sched:sched_switch { print(arg0); }", "no-arguments", "arg0", "args.prev_comm"],
    ["interval:s:1 { print(args.x); }", "no-arguments", "args.x", "tracepoint"],
    ["kprobe:vfs_read { print(retval); }", "no-retval", "retval", "kretprobe"],
    ["tracepoint:syscalls:sys_exit_read { print(retval); }", "no-retval", "retval", "args.ret"],
    ["uprobe:libc:malloc { print(arg9); }", "argument-on-stack", "arg9"],
    ["interval:s:1 { print(func); }", "not-here", "func", "probe"],
  ])("%s", (...row) => expectRow(row));
});

describe("types", () => {
  it.each<Row>([
    inProbe('$a = 1; $a = "x";', "type-mismatch", '"x"', "int8"),
    inProbe('@a = 1; @a = "x";', "type-mismatch", '"x"'),
    inProbe('@a[1] = 1; @a["x"] = 1;', "key-mismatch", '"x"', "keys of int8"),
    inProbe("@a[1] = 1; @a = 1;", "map-keys", "@a"),
    inProbe("@a = 1; @a[1] = 1;", "map-keys", "@a[1]"),
    inProbe("@a = count(); @a = sum(1);", "type-mismatch", "sum(1)", "one function"),
    inProbe("@a = count(); @a += 1;", "type-mismatch", "@a += 1", "count"),
    inProbe("@a = count(); @b = @a;", "aggregation-copy", "@a", "(int64)@a"),
    inProbe("@a = hist(1); print(@a > 1);", "aggregation-read", "@a"),
    inProbe("@a[1] = hist(1); print(@a[1]);", "aggregation-read", "@a[1]"),
    inProbe("print(comm + 1);", "operator-types", "+"),
    inProbe("print(comm == 1);", "operator-types", "=="),
    inProbe('print(arg0 == "x");', "operator-types", "==", "str()"),
    inProbe('print(comm < "x");', "operator-types", "<", "== and !="),
    inProbe("if (comm) {}", "not-a-condition", "comm"),
    inProbe('print((int32)"abc");', "cast", '(int32)"abc"'),
    inProbe("print((struct path)arg0);", "cast", "(struct path)arg0", "pointer"),
    inProbe("print(arg0.x);", "no-members", "x", "cast"),
    inProbe("print(1 / 0);", "division-by-zero", "1 / 0"),
    inProbe("print((1, 2).5);", "unknown-field", "5"),
    inProbe('print(((int32[4])pton("::1"))[4]);', "index-range", "4"),
    inProbe("let $a: uint8 = 256;", "literal-range", "256", "uint8"),
    inProbe("let $a: uint16 = -1;", "literal-range", "-1"),
    inProbe('print(pid ? 1 : "x");', "branch-types", 'pid ? 1 : "x"'),
    inProbe("return comm;", "return-type", "comm"),
    ["let @a = hash(10); begin { }", "unused-map", "let @a = hash(10);"],
    inProbe('printf("%s", (int8 *)arg0);', "address-not-text", "(int8 *)arg0", "str()"),
    ["let @a = hash(10); begin { @a[1] = count(); }", "map-type", "let @a = hash(10);", "percpuhash"],
  ])("%s", (...row) => expectRow(row));
});

describe("calls", () => {
  it.each<Row>([
    inProbe("print(1, 2);", "argument-count", "print(1, 2)"),
    inProbe("@ = hist();", "argument-count", "hist()", "hist(int64 n)"),
    inProbe("@ = hist(1, 6);", "argument-range", "6"),
    inProbe("@ = lhist(1, 10, 5, 1);", "argument-range", "lhist(1, 10, 5, 1)"),
    inProbe("$n = 3; @ = lhist(1, 0, $n, 1);", "not-constant", "$n"),
    inProbe("count();", "aggregation-place", "count()", "@name = count()"),
    inProbe("$x = count();", "aggregation-place", "count()"),
    inProbe('$x = printf("a");', "no-value", 'printf("a")'),
    inProbe('printf("%d %d", 1);', "format-arguments", 'printf("%d %d", 1)', "2 arguments"),
    inProbe('printf("%d", comm);', "format", "comm", "%s"),
    inProbe('printf("%y", 1);', "format", '"%y"'),
    inProbe('printf("%r", arg0);', "format", "arg0", "buf("),
    inProbe('$f = "x"; printf($f);', "not-constant", "$f"),
    inProbe('system("ls");', "unsafe", 'system("ls")', "--unsafe"),
    inProbe("@x = 1; print(has_key(@x, 1));", "map-keys", "@x"),
    inProbe("@x[1] = 1; delete(@x);", "argument-count", "delete(@x)", "clear"),
    inProbe("delete(1);", "argument-type", "1"),
    inProbe('print(pton("1.2.3"));', "argument-range", 'pton("1.2.3")'),
    inProbe("print(kstack(128));", "argument-range", "kstack(128)", "127"),
    inProbe("print(kstack(build_id));", "unknown-mode", "kstack(build_id)", "ustack"),
    inProbe("print(kstack(bob));", "unknown-mode", "kstack(bob)", "perf"),
    inProbe('print(strftime("%H", nsecs(monotonic)));', "argument-type", "nsecs(monotonic)"),
    inProbe('print(skboutput("f", arg0, 1, 0));', "not-here", 'skboutput("f", arg0, 1, 0)', "rawtracepoint"),
    [
      'rawtracepoint:kfree_skb { $a = skboutput("f", arg0, 1, 0); }',
      "argument-type",
      "arg0",
      "(struct sk_buff *)arg0",
    ],
    ['rawtracepoint:kfree_skb { $a = skboutput("f", args.skb, 1, pid); }', "not-constant", "pid"],
    ['rawtracepoint:kfree_skb { $a = skboutput("", args.skb, 1, 0); }', "argument-range", '""'],
    inProbe("print(dw_ustack);", "unstable", "dw_ustack", "unstable_dw_ustack=enable"),
    [
      "config = { unstable_dw_ustack=error } begin { print(dw_ustack()); }",
      "unstable",
      "dw_ustack()",
      "switched off",
    ],
    inProbe("print(dw_ustack(build_id));", "unknown-mode", "dw_ustack(build_id)", "keeps addresses"),
    inProbe("print(dw_ustack(128));", "argument-range", "dw_ustack(128)", "127"),
    inProbe("print(vfs_read(1));", "not-supported", "vfs_read", "lets programs call"),
    inProbe("print(bpf_task_from_pid(1));", "not-here", "bpf_task_from_pid(1)", "it lets fentry, fexit"),
    inProbe('print(bpf_strcmp("a"));', "argument-count", 'bpf_strcmp("a")', "int32 bpf_strcmp("),
    inProbe("print(bpf_strcmp(1, comm));", "argument-type", "1", "is int8 *"),
    inProbe("bpf_send_signal_task(curtask, 9, 0, 0);", "unsafe", "bpf_send_signal_task(curtask, 9, 0, 0)"),
    ["interval:s:1 { bpf_task_release(pid); }", "argument-type", "pid", "struct task_struct"],
    ["begin { print(kfunc_exist(comm)); }", "not-constant", "comm"],
    inProbe('print(comm("a"));', "argument-type", '"a"', "a number"),
    [
      "config = { unstable_typeinfo=error } begin { print(typeinfo(1)); }",
      "unstable",
      "typeinfo(1)",
      "unstable_typeinfo",
    ],
    inProbe("$a = pid; if comptime ($a == 1) { print(1); }", "not-constant", "$a == 1"),
    inProbe(
      '$a = 1; if comptime (typeinfo($a).full_type == "int8") { $a = (int64)2; } print($a);',
      "not-constant",
      'typeinfo($a).full_type == "int8"',
      "by what it decides",
    ),
    inProbe('fail("no %s %d", "good", 3);', "failed", 'fail("no %s %d", "good", 3)', "no good 3"),
    inProbe("assert_str(pid);", "failed", "assert_str(pid)", "this is uint32"),
    inProbe("pid;", "discarded", "pid;".slice(0, 3)),
    inProbe("break;", "outside-loop", "break"),
    inProbe("unroll(pid) { }", "unroll-count", "pid"),
    inProbe("@h = hist(1); for ($kv : @h) { }", "map-keys", "@h"),
    inProbe("exit(comm);", "argument-type", "comm"),
  ])("%s", (...row) => expectRow(row));
});

describe("functions of the script", () => {
  it.each<Row>([
    ["fn f(): int64 { $x = 0; } begin { }", "no-return", "fn f", "ends without return"],
    ["fn f($x: int64): int64 { if ($x) { return 1; } } begin { }", "no-return", "fn f"],
    ["fn f($x: int64): int64 { while ($x) { return 1; } } begin { }", "no-return", "fn f"],
    ["fn f(): void { return 1; } begin { }", "return-type", "1", "void"],
    ["fn f(): int64 { return; } begin { }", "return-type", "return;"],
    ["fn f(): uint8 { return 10000000; } begin { }", "literal-range", "10000000", "uint8"],
    ['fn f(): uint8 { return "bob"; } begin { }', "type-mismatch", '"bob"'],
    ["fn f($a: int64): string { return $a; } begin { }", "type-mismatch", "$a", "string"],
    ["fn f(): int64 { return func; } begin { }", "not-here", "func"],
    ["fn f(): int64 { return arg0; } kprobe:vfs_read { f(); }", "no-arguments", "arg0"],
    ["fn f($z: typeof($x)): int64 { return 0; } begin { }", "undefined-variable", "$x"],
    ["fn f($x: int64): void { let $x = 1; } begin { f(1); }", "redeclared", "let $x = 1"],
    ["fn f($n: int64): int64 { return f($n); } begin { f(1); }", "recursive-function", "f($n)", "for ("],
    ["fn f(): void { g(); } fn g(): void { f(); } begin { f(); }", "recursive-function", "f()"],
    ["fn f(): void { } begin { f(1); }", "argument-count", "f(1)", "takes 0 arguments"],
    ['fn f($s: string[4]): void { } begin { f("too long"); }', "type-mismatch", '"too long"'],
    ["fn f(): void { } begin { $a = f(); }", "no-value", "f()"],
    ["fn f(): void { print($y); } begin { $y = 1; f(); }", "undefined-variable", "$y"],
    ["fn f(): void { } fn f(): void { } begin { }", "redeclared", "fn f"],
    ["fn print(): void { } begin { }", "redeclared", "fn print"],
  ])("%s", (...row) => expectRow(row));
});

describe("probes", () => {
  it.each<Row>([
    ["tracepont:a:b {}", "unknown-provider", "tracepont:a:b", "tracepoint"],
    ["tracepoint:sched:sched_swich {}", "unknown-tracepoint", "tracepoint:sched:sched_swich", "sched_switch"],
    [
      "tracepoint:shed:sched_switch {}",
      "unknown-tracepoint",
      "tracepoint:shed:sched_switch",
      "tracepoint:sched:",
    ],
    [
      "tracepoint:sched_switch {}",
      "probe-syntax",
      "tracepoint:sched_switch",
      "tracepoint:sched:sched_switch",
    ],
    ["tracepoint:sched:nothing* {}", "no-match", "tracepoint:sched:nothing*"],
    ["kprobe:vfs_raed {}", "unknown-function", "kprobe:vfs_raed", "vfs_read"],
    ["uprobe:libc:maloc {}", "unknown-function", "uprobe:libc:maloc", "malloc"],
    ["uprobe:/nowhere:f {}", "unknown-binary", "uprobe:/nowhere:f"],
    ["uprobe:/bin/x:main.c:12 {}", "probe-syntax", "uprobe:/bin/x:main.c:12", "uprobe:/bin/x@main.c:12"],
    ["usdt:libc:setjum {}", "unknown-usdt", "usdt:libc:setjum", "setjmp"],
    ["interval:x:1 {}", "unknown-unit", "interval:x:1", "ms"],
    ["profile:hz:0 {}", "probe-syntax", "profile:hz:0"],
    ["software:fault:1 {}", "unknown-event", "software:fault:1", "faults"],
    ["rawtracepoint:sched_swich {}", "unknown-tracepoint", "rawtracepoint:sched_swich", "sched_switch"],
    ["kprobe:0xffffffff81000000 {}", "unsafe", "kprobe:0xffffffff81000000"],
    ["watchpoint:0x1000:3:w {}", "probe-syntax", "watchpoint:0x1000:3:w"],
    ["begin:x {}", "probe-syntax", "begin:x"],
    [
      "config = { max_probes=1 } tracepoint:sched:* {}",
      "too-many-probes",
      "tracepoint:sched:*",
      "max_probes",
    ],
    ["config = { max_strln=1 } begin {}", "unknown-config", "max_strln=1", "max_strlen"],
    ["config = { max_strlen=many } begin {}", "config-value", "many", "number"],
  ])("%s", (...row) => expectRow(row));

  it.each<Row>([
    ["kprobe:vfs_read {}", "no-feature", "kprobe:vfs_read", "CONFIG_KPROBES"],
    ["fentry:vfs_read {}", "no-feature", "fentry:vfs_read", "tracepoint"],
    ["hardware:cycles: {}", "no-hardware-events", "hardware:cycles:", "profile"],
  ])("%s on a kernel without it", (...row) => expectRow(row, recordedKernel()));

  it("may be missing when the script says so", () => {
    const source = "config = { missing_probes=warn } tracepoint:sched:nothing {} begin { exit(); }";
    const { program, diagnostics } = checkSource(source);
    expect(program!.actions).toHaveLength(1);
    expect(diagnostics.map((d) => [d.severity, d.code])).toEqual([["warning", "unknown-tracepoint"]]);
  });
});

describe("what would never end", () => {
  it.each<Row>([
    [
      "begin { unroll(1000) { unroll(1000) { unroll(1000) { @++; } } } }",
      "unroll-count",
      "unroll(1000) { @++; }",
    ],
    [
      'config = { max_probes=2 } tracepoint:sched:* { if (probe == "x") { @++; } }',
      "too-many-probes",
      "tracepoint:sched:*",
    ],
    [
      'config = { max_bpf_progs=2 } tracepoint:sched:* { if (probe == "x") { @++; } } ',
      "too-many-programs",
      'config = { max_bpf_progs=2 } tracepoint:sched:* { if (probe == "x") { @++; } } ',
    ],
  ])("%s", (...row) => expectRow(row));

  it("is told by types that cannot settle", () => {
    const { diagnostics } = checkSource("begin { @a = (@a, 1); $b = (1, 2); $b = ($b, $b); }");
    expect(diagnostics.map((d) => d.code)).toEqual(["type-mismatch", "type-mismatch"]);
  });
});

describe("what is left out here", () => {
  it.each([
    'begin { if (getopt("x")) { @a[1] = count(); } } end { print(@a); clear(@a); if (has_key(@a, 1)) { exit(); } }',
    "bench:a { @ = count(); } end { print(@); print(@ + 1); delete(@); }",
    "config = { missing_probes=ignore } kprobe:nothing { @a = 1; } interval:s:1 { print(@a); for ($kv : @b) { print($kv); } @b[1] = 2; }",
  ])("fills no map, and that is no mistake: %s", (source) => {
    expect(checkSource(source).diagnostics).toEqual([]);
  });

  it("includes options that nobody asks for", () => {
    const { diagnostics } = checkSource('begin { print(getopt("limit", 1)); }', { named: { limt: "5" } });
    expect(diagnostics).toMatchObject([{ code: "unknown-option", hint: "did you mean --limit?" }]);
  });
});

describe("several problems", () => {
  it("are all reported, once each", () => {
    const { diagnostics } = checkSource(
      "tracepoint:syscalls:sys_enter_* { print(args.nothing); print($x); foo(); }",
    );
    const codes = diagnostics.map((d) => d.code);
    expect(codes.filter((code) => code === "undefined-variable")).toHaveLength(1);
    expect(new Set(codes)).toEqual(new Set(["unknown-argument", "undefined-variable", "unknown-function"]));
  });

  it("do not cascade", () => {
    const { diagnostics } = checkSource("begin { $a = nothing + 1; $b = $a * 2; print($b); @m[$b] = $a; }");
    expect(diagnostics.map((d) => d.code)).toEqual(["unknown-name"]);
  });
});
