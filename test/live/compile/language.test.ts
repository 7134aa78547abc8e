/** Scripts whose result is known, compiled, loaded and run by this machine's kernel through BPF_PROG_TEST_RUN. */
import { readFileSync } from "node:fs";
import { kernelAtLeast } from "libbpf-ts";
import { describe, expect, test } from "vitest";
import { compile } from "../../../src/engine/compile/compile.ts";
import type { CompileOptions } from "../../../src/engine/compile/index.ts";
import { liveKernel } from "../../../src/engine/kernel/live.ts";
import { LoadedPlan } from "./harness.ts";

const kernel = liveKernel();

/** Runs the begin probes of a script. */
function run(source: string, check: (loaded: LoadedPlan) => void, options: CompileOptions = {}): void {
  const { plan, diagnostics } = compile(source, kernel, options);
  const errors = diagnostics.filter((d) => d.severity === "error").map((d) => d.message);
  expect(errors).toEqual([]);
  using loaded = new LoadedPlan(plan!, source);
  for (const probe of plan!.probes) {
    if (probe.attach.kind === "begin") loaded.programs[probe.program].testRun();
  }
  check(loaded);
}

/** A body that leaves one number in @r. */
const NUMBERS: [body: string, result: bigint][] = [
  ["@r = 1 + 2 * 3", 7n],
  ["$x = 7; $y = 2; @r = $x / $y", 3n],
  ["$x = -7; $y = 2; @r = $x / $y", -3n],
  ["$x = -7; $y = 2; @r = $x % $y", -1n],
  ["$x = -7; $y = -2; @r = $x / $y", 3n],
  ["$x = (uint64)7; $y = (uint64)2; @r = $x % $y", 1n],
  ["$x = 7; $y = 0; @r = $x / $y", 1n],
  ["$x = 7; $y = 0; @r = $x % $y", 1n],
  ["$x = (uint64)7; $y = (uint64)0; @r = (int64)($x % $y)", 1n],
  ["$x = 1; @r = $x << 40", 1n << 40n],
  ["$x = -1; @r = $x >> 1", -1n],
  ["$x = (uint64)0xffffffffffffffff; @r = (int64)($x >> 60)", 15n],
  ["$x = 255; @r = (int64)(uint8)($x + 1)", 0n],
  ["$x = 200; @r = (int64)(int8)$x", -56n],
  ["$x = (uint8)200; @r = (int64)$x", 200n],
  ["$x = -1; @r = (int64)(uint16)$x", 65535n],
  ["$x = -1; @r = (int64)(uint32)$x", 4294967295n],
  ["$x = 0xf0f0; @r = $x & 0xff00 | 0x0f ^ 0x01", 0xf00en],
  ["$x = 5; @r = ~$x", -6n],
  ["$x = 5; @r = !$x ? 1 : 2", 2n],
  ["$x = 5; @r = $x > 3 && $x < 10 || $x == 77 ? 1 : 0", 1n],
  ["$x = -5; @r = $x < 3 ? 1 : 0", 1n],
  ["$x = (uint64)-5; @r = $x < (uint64)3 ? 1 : 0", 0n],
  ["$x = 5; @r = $x++ + $x", 11n],
  ["$x = 5; @r = ++$x + $x--", 12n],
  ["$x = 3; if ($x == 1) { @r = 1 } else if ($x == 3) { @r = 33 } else { @r = 2 }", 33n],
  ["$i = 0; while ($i < 1000) { $i++; if ($i % 2) { continue } if ($i > 20) { break } @r += $i }", 110n],
  ["for ($i : 0..1000) { @r += $i }", 499500n],
  ["for ($i : 5..8) { @r += $i }", 18n],
  ["$n = 100; for ($i : 0..$n) { if ($i == 10) { break } @r++ }", 10n],
  ["$n = 0; for ($i : 3..$n) { @r++ } @r += 5", 5n],
  ["for ($i : 0..20) { for ($j : 0..20) { if ($j > $i) { continue } @r++ } }", 210n],
  ["for ($i : 0..20) { for ($j : 0..20) { @r++; if ($j == 5) { return } } } @r = 1", 6n],
  ["$s = 0; for ($i : 0..100) { $s += $i; } @r = $s", 4950n],
  ["unroll(4) { @r += 2 }", 8n],
  ["@a[1] = 5; @a[2] = 6; for ($kv : @a) { @r += $kv.0 * 10 + $kv.1 }", 41n],
  ["@a[1] = 5; @a[2] = 6; @a[3] = 7; delete(@a, 2); @r = len(@a)", 2n],
  ["@a[1] = 5; @r = has_key(@a, 1) ? 10 : 20", 10n],
  ["@a[1] = 5; @r = has_key(@a, 2) ? 10 : 20", 20n],
  ["@a[1] = 5; $d = delete(@a, 1); $e = delete(@a, 1); @r = ($d ? 10 : 0) + ($e ? 1 : 0)", 10n],
  ['@a["x", 3] = 9; @r = @a["x", 3] + @a["y", 3]', 9n],
  ["@c = count(); @c = count(); @c = count(); @r = (int64)@c", 3n],
  ["@c[1] = sum(5); @c[1] = sum(-7); @r = (int64)@c[1]", -2n],
  ["@c[1] = avg(10); @c[1] = avg(-40); @r = (int64)@c[1]", -15n],
  ["@c = min(5); @c = min(-3); @c = min(9); @r = (int64)@c", -3n],
  ["@c[7] = max(5); @c[7] = max(-3); @r = (int64)@c[7]", 5n],
  ["@c[1] = count(); @c[2] = count(); @c[2] = count(); for ($kv : @c) { @r += $kv.0 * $kv.1 }", 5n],
  ["@a[1]++; @a[1]++; @a[1] += 5; @a[1]--; $o = @a[1]++; @r = $o * 100 + @a[1]", 607n],
  ["@b++; $o = @b++; $p = ++@b; @r = $o * 100 + $p * 10 + @b", 133n],
  ['@r = "abc" == "abc" ? 1 : 0', 1n],
  ['$s = "hello"; @r = $s == "hello" ? 1 : 0', 1n],
  ['$s = "hello"; @r = $s == "help" ? 1 : 0', 0n],
  ['$s = "hello"; $t = "hello"; @r = $s != $t ? 1 : 0', 0n],
  ['$s = "hello"; @r = strncmp($s, "help", 3) == 0 ? 1 : 0', 1n],
  ['$s = "hello"; @r = strncmp($s, "help", 4) == 0 ? 1 : 0', 0n],
  ["$c = comm; @r = $c == comm ? 1 : 0", 1n],
  ["$t = (1, (2, 3), 4); @r = $t.0 + $t.1.1 * 10 + $t.2 * 100", 431n],
  ["@t[1] = (5, 6); @r = @t[1].1 * 10 + @t[2].1", 60n],
  ["$a = (uint8[4])0x01020304; @r = $a[0] * 10 + $a[3]", 41n],
  ["$a = (uint8[4])0x01020304; $i = 2; @r = $a[$i]", 2n],
  ["$a = (uint8[8])12345; @r = (int64)(uint64)$a", 12345n],
  ["$x = 42; $p = &$x; @r = *$p", 42n],
  ["$x = bswap((uint32)0x01020304); @r = $x", 0x04030201n],
  ["let $x; $x = { let $y = 20; $y + 1 }; @r = $x * 2", 42n],
  ['$s = "abc"; for ($i : 0..30) { $s = "xyz"; } @r = $s == "xyz" ? 1 : 0', 1n],
  ["@r = sizeof(struct task_struct) > 1000 ? 1 : 0", 1n],
  ["$t = (struct task_struct *)curtask; @r = $t.tgid == pid ? 1 : 0", 1n],
  ["$t = (struct task_struct *)curtask; @r = $t.comm == comm ? 1 : 0", 1n],
  ["$a = nsecs; $b = nsecs; @r = $b >= $a ? 1 : 0", 1n],
  ["@r = pid == 0 ? 1 : 0", 0n],
  ["@r = cpu < ncpus ? 1 : 0", 1n],
];

/** bpf_for_each_map_elem. */
const walks = kernelAtLeast("5.13");

describe("a number in @r", () => {
  test.runIf(!walks)("walking a map says what it needs", () => {
    const { diagnostics } = compile("begin { @[1] = 1; for ($kv : @) { print($kv); } }", kernel);
    expect(diagnostics.map((d) => d.message).join()).toContain("5.13");
  });

  test.each(NUMBERS.filter(([body]) => walks || !/: @|len\(@/.test(body)))("%s", (body, result) => {
    run(`begin { ${body}; }`, (loaded) => expect(loaded.words("@r")[0]).toBe(result));
  });
});

/** Values and the histogram bucket they go to. */
const BUCKETS: [aggregation: string, value: string, bucket: number][] = [
  ["hist(V)", "-5", 0],
  ["hist(V)", "0", 1],
  ["hist(V)", "1", 2],
  ["hist(V)", "2", 3],
  ["hist(V)", "3", 3],
  ["hist(V)", "1023", 11],
  ["hist(V)", "1024", 12],
  ["hist(V)", "0x7fffffffffffffff", 64],
  // The argument is an int64, as bpftrace has it.
  ["hist((uint64)V)", "0xffffffffffffffff", 0],
  ["hist(V, 2)", "3", 4],
  ["hist(V, 2)", "4", 5],
  ["hist(V, 2)", "7", 8],
  ["hist(V, 2)", "8", 9],
  ["hist(V, 2)", "9", 9],
  ["hist(V, 2)", "10", 10],
  ["hist(V, 5)", "31", 32],
  ["hist(V, 5)", "32", 33],
  ["lhist(V, 10, 100, 10)", "-1", 0],
  ["lhist(V, 10, 100, 10)", "9", 0],
  ["lhist(V, 10, 100, 10)", "10", 1],
  ["lhist(V, 10, 100, 10)", "19", 1],
  ["lhist(V, 10, 100, 10)", "99", 9],
  ["lhist(V, 10, 100, 10)", "100", 10],
];

describe("a histogram's bucket", () => {
  test.each(BUCKETS)("%s of %s", (aggregation, value, bucket) => {
    run(`begin { $v = ${value}; @h = ${aggregation.replace("V", "$v")}; }`, (loaded) => {
      const filled = loaded.words("@h").flatMap((count, i) => (count ? [[i, count]] : []));
      expect(filled).toEqual([[bucket, 1n]]);
    });
  });
});

describe("keys", () => {
  test("padding of tuples and strings is zero", () => {
    run('begin { $k = ((uint8)1, "ab", 2); @[$k] = 1; @[(uint8)1, "ab", 2] = 2; }', (loaded) => {
      expect(loaded.entries("@").size).toBe(1);
    });
  });

  test("comm is sixteen bytes", () => {
    run("begin { @[comm] = count(); }", (loaded) => {
      const [key] = loaded.entries("@").keys();
      const bytes = Buffer.from(key, "hex");
      expect(bytes).toHaveLength(16);
      expect(bytes.toString("latin1").replace(/\0+$/, "")).toBe(
        readFileSync("/proc/thread-self/comm", "latin1").trimEnd(),
      );
    });
  });

  test("a map that is full counts what it could not keep", () => {
    run("config = { max_map_keys=4 } begin { for ($i : 0..10) { @[$i] = count(); } }", (loaded) => {
      expect(loaded.entries("@").size).toBe(4);
      expect(loaded.global(loaded.plan.globals.mapFull)).toBe(6);
    });
  });
});

describe("records", () => {
  test("printf's arguments in place, control records apart and in order", () => {
    run('begin { printf("%d %s", 7, "seven"); clear(@x); @x = 1; printf("%d", 8); exit(); }', (loaded) => {
      const events = loaded.records("events");
      const control = loaded.records("control");
      const [first, second] = events.map((r) => new DataView(r.buffer));
      const action = loaded.plan.actions[first.getUint32(0, true)];
      expect(action.action).toEqual({ kind: "printf", format: "%d %s" });
      const text = Buffer.from(events[0].subarray(action.arguments[1].offset)).toString("latin1");
      expect(text.split("\0")[0]).toBe("seven");
      expect(loaded.plan.actions[second.getUint32(0, true)].action.kind).toBe("printf");
      const kinds = control.map(
        (r) => loaded.plan.actions[new DataView(r.buffer).getUint32(0, true)].action.kind,
      );
      expect(kinds).toEqual(["clear", "exit"]);
      const positions = control.map((r) => Number(new DataView(r.buffer).getBigUint64(8, true)));
      expect(positions[0]).toBeGreaterThan(0);
      expect(positions[1]).toBeGreaterThan(positions[0]);
    });
  });

  test("arguments are evaluated in order", () => {
    run('begin { $x = 1; printf("%d %d %d", $x, $x++, $x); }', (loaded) => {
      const [record] = loaded.records("events");
      const { arguments: args } = loaded.plan.actions[0];
      const view = new DataView(record.buffer);
      const read = (i: number) => view.getInt8(args[i].offset);
      expect([read(0), read(1), read(2)]).toEqual([1, 1, 2]);
    });
  });

  test("exit() ends the action and turns tracing off", () => {
    run("begin { @a = 1; exit(); @a = 2; }", (loaded) => {
      expect(loaded.words("@a")[0]).toBe(1n);
      const value = loaded.maps[loaded.plan.globals.map].lookup(new Uint8Array(4))!;
      expect(new DataView(value.buffer, value.byteOffset).getUint32(loaded.plan.globals.enabled, true)).toBe(
        0,
      );
    });
  });

  test("a full ring is counted", () => {
    run("config = { perf_rb_pages=1 } begin { for ($i : 0..1000) { print($i); } }", (loaded) => {
      const kept = loaded.records("events").length;
      expect(kept).toBeLessThan(1000);
      expect(kept + loaded.global(loaded.plan.globals.eventsLost)).toBe(1000);
    });
  });

  test("strings cut to their size are counted", () => {
    const address = "(uint64)curtask + offsetof(struct task_struct, comm)";
    run(`begin { $a = ${address}; @s = str(kptr((int8*)$a), 3); }`, (loaded) => {
      const value = Buffer.from(loaded.map("@s").lookup(new Uint8Array(4))!).toString("latin1");
      expect(value.split("\0")[0]).toHaveLength(2);
      expect(loaded.global(loaded.plan.globals.stringsTruncated)).toBe(1);
    });
  });
});
