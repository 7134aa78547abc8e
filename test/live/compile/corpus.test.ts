/**
 * Scripts of every kind, loaded by this machine's kernel as compiled for it, with runtime errors reported (-k), and as
 * compiled for older kernels: newer ones take that code too, so the fallbacks are verified here.
 */
import { kernelAtLeast } from "libbpf-ts";
import { describe, expect, test } from "vitest";
import { compile } from "../../../src/engine/compile/compile.ts";
import type { CompileOptions } from "../../../src/engine/compile/index.ts";
import type { Kernel } from "../../../src/engine/compile/kernel.ts";
import { liveKernel } from "../../../src/engine/kernel/live.ts";
import { slowness } from "../../support/slowness.ts";
import { LoadedPlan } from "./harness.ts";

const kernel = liveKernel();

/** The same kernel under another version. */
const asVersion = (major: number, minor: number): Kernel =>
  new Proxy(kernel, {
    get(target, name) {
      if (name === "version") return [major, minor, 0];
      const value = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });

const VARIANTS: [name: string, kernel: Kernel, options: CompileOptions][] = [
  ["for this kernel", kernel, {}],
  ["with -k", kernel, { warnHelperErrors: true }],
  ["for Linux 6.1", asVersion(6, 1), {}],
  ["for Linux 5.15", asVersion(5, 15), {}],
  ["for Linux 5.10", asVersion(5, 10), {}],
];

const SCRIPTS = [
  'begin { $i = 0; while ($i < 10) { $i++; if ($i == 3) { continue; } if ($i > 7) { break; } @s = sum($i); } printf("%d", $i); }',
  "begin { for ($i : 0..100) { @s = sum($i); if ($i == 50) { break; } } }",
  'begin { for ($i : 0..5) { @[$i] = $i * 2; } for ($kv : @) { @t = sum($kv.1); printf("%d %d\\n", $kv.0, $kv.1); } }',
  "begin { unroll(3) { @x++; } @y = @x; }",
  'begin { @a[1,"hi"] = 2; @a[2,"yo"] = 3; if (has_key(@a, (1,"hi"))) { delete(@a, (1,"hi")); } printf("%d\\n", len(@a)); }',
  'begin { @c = count(); @c = count(); if (@c == 2) { printf("two %d\\n", (int64)@c); } }',
  'begin { @m = min(5); @m = min(3); @mx = max(5); @mx = max(9); @av = avg(10); @av = avg(20); @st = stats(4); printf("%d %d %d", @m, @mx, @av); }',
  'begin { @k[kstack] = count(); @u[ustack(5)] = count(); printf("%s\\n", kstack(3)); }',
  'begin { printf("%s %s %s %s\\n", ksym(kaddr("vfs_read")), strftime("%H", nsecs), ntop(0x0100007f), username); }',
  'begin { $s = str(0); @n = strncmp("abc", "abd", 2); @e = ("a" == "a"); print(("x", 1, (2, "y"))); print(1); print("s"); time("%H"); }',
  'begin { $t = (1, "abc", 2); @t = $t; @u[$t] = 1; print($t.1); print(@t.2); }',
  'begin { @x = 10; @x += 5; @x <<= 2; @y[1]++; @y[1] += 5; ++@y[1]; $z = @y[1]--; printf("%d %d", @x, $z); clear(@x); zero(@y); print(@y, 5, 2); }',
  'begin { $p = curtask; $t = (struct task_struct *)$p; printf("%d %s %d\\n", $t.pid, $t.comm, $t.parent.pid); }',
  "tracepoint:syscalls:sys_enter_openat,tracepoint:syscalls:sys_enter_open { @[comm, str(args.filename)] = count(); }",
  "tracepoint:syscalls:sys_enter_* { @[probe] = count(); }",
  "tracepoint:syscalls:sys_exit_* /args.ret < 0/ { @[comm, args.ret] = count(); }",
  "tracepoint:syscalls:sys_enter_read { @s[tid] = nsecs; } tracepoint:syscalls:sys_exit_read /@s[tid]/ { @ns = hist(nsecs - @s[tid]); delete(@s, tid); }",
  "tracepoint:sched:sched_switch { @[args.prev_comm, args.next_pid] = count(); }",
  'tracepoint:sched:sched_process_exec { printf("%s %d\\n", args.filename, args.pid); }',
  'tracepoint:sched:sched_process_exec { printf("%s\\n", str(args.filename)); }',
  "rawtracepoint:sched_switch { @[arg1] = count(); }",
  "rawtracepoint:sched_switch { $p = (struct task_struct *)args.prev; @[$p.comm] = count(); }",
  "profile:hz:99 { @[kstack, ustack, comm] = count(); }",
  "interval:s:1 { @ = count(); print(@); clear(@); exit(); }",
  'software:page-faults:1 { @[comm, reg("ip")] = count(); }',
  "uprobe:/lib/x86_64-linux-gnu/libc.so.6:malloc { @[arg0] = count(); @h = hist(arg0); @l = lhist(arg0, 0, 1000, 10); }",
  'uretprobe:libc:malloc { @[retval] = count(); printf("%s %p\\n", func, retval); }',
  "uprobe:libc:malloc,uprobe:libc:free { @[func] = count(); @p[probe] = count(); }",
  'tracepoint:syscalls:sys_enter_execve { join(args.argv); printf("%s\\n", str(args.filename)); }',
  'tracepoint:syscalls:sys_enter_execve { system("echo %s", comm); cat("/proc/%d/status", pid); }',
  "begin { @ts = tseries(5, 1s, 10); }",
  'begin { printf("%d %d %d %d %d %d %d\\n", cpu, rand, elapsed, cgroup, ncpus, uid, gid); }',
  'begin { $a = (uint8[8])12345; printf("%x %x\\n", $a[0], $a[1]); @z = (uint64)$a; }',
  'begin { printf("%r\\n", buf("abc", 3)); @b = buf("hello", 5); }',
  'begin { if (strcontains("hello", "ell")) { print("y"); } print(strlen("abc")); }',
  "begin { let $x; $x = 5; let $y : uint8 = 255; $y++; print($y); print((uint16)-1); print((int8)200); }",
  "begin { $a = 1; $b = &$a; print(*$b); }",
  "begin { for ($i : 0..3) { for ($j : 0..50) { @[$i] = sum($j); if ($j == 10) { return; } } } }",
  'begin { $s = "abc"; for ($i : 0..20) { $s = "xyz"; } print($s); }',
  'begin { @x["a"] = 1; for ($kv : @x) { for ($i : 0..30) { @y[$kv.0, $i] = $kv.1; } } print(len(@y)); }',
  'begin { $c = comm; if ($c == comm) { print("same"); } @p[$c] = 1; print(@p[$c]); }',
  "tracepoint:timer:hrtimer_start { @[ksym(args.function)] = count(); }",
  "tracepoint:sched:sched_wakeup { @q[args.pid] = nsecs; } tracepoint:sched:sched_switch { if (args.prev_state == 0) { @q[args.prev_pid] = nsecs; } $ns = @q[args.next_pid]; if ($ns) { @usecs = hist((nsecs - $ns) / 1000); } delete(@q, args.next_pid); }",
  'iter:task { printf("%s:%d\\n", ctx.task.comm, ctx.task.pid); }',
  "begin { $i = 0; while ($i < 100) { $j = 0; while ($j < $i) { @[$i, $j] = 1; $j++; if ($j > 5) { break; } } $i++; } print(len(@)); }",
  'begin { @a = (1, "x"); @b = @a; print(@b.1); if (@a == @b) { print("eq"); } }',
  "begin { $x = (uint8)250; $y = $x + (uint8)10; print($y); $z = (uint64)-1; print($z); @m = $z > 5; print(@m); }",
  'begin { @s = "hello"; @s = "hi"; print(@s); @t[1] = "abc"; @t[2] = @t[1]; print(@t[2]); if (@t[1] == @t[2]) { print("same") } }',
  'begin { $a = "abcdefghijklmnopqrstuvwxyz0123456789"; $b = $a; print($b); @x[$b] = 1; print(@x[$a]); }',
  'begin { let $a : string[64]; $a = "abc"; print($a); $a = comm; print($a); }',
  'begin { @x[1] = nsecs; $d = nsecs - @x[1]; printf("%d\\n", $d < 1000000); }',
  "begin { if (pid == 0 || (tid != 0 && cpu >= 0)) { print(1) } else { print(2) } }",
  "begin { $p = (struct task_struct *)curtask; print($p.comm); print($p.real_parent.comm); print($p.pid == tid); $m = $p.mm; print($m != 0); }",
  'begin { printf("%s %d %x %lld %c %5d|%-5d|\\n", "str", -1, 255, 1 << 40, 65, 7, 7); }',
  "begin { print(kstack(5)); print(ustack(perf, 3)); @k[kstack(2), comm] = count(); }",
  'begin { @l["a"] = lhist(5, 0, 10, 1); @l["b"] = lhist(50, 0, 10, 1); print(@l, 1); }',
  "begin { @min[1] = min(3); @st[comm] = stats(10); @st[comm] = stats(20); clear(@min); print(@st); }",
  'begin { $s = (1, (2, "nested", (3, 4))); print($s.1.1); print($s.1.2.0); @[$s] = 5; for ($kv : @) { print($kv.0.1.2.1); } }',
  "begin { @a[1,2] = 3; for ($kv : @a) { $k = $kv.0; print($k.1); @b[$kv.0] = $kv.1; } }",
  'begin { @c[1] = count(); for ($kv : @c) { if ($kv.1 > 0) { print("has"); break; } } }',
  'begin { print(buf("abc\\x01", 4)); printf("%r|%rx|%rh\\n", buf("ab", 2), buf("ab", 2), buf("ab", 2)); }',
  "begin { $x = 10; $x -= 3; $x *= 2; $x /= 4; $x %= 2; $x |= 8; $x &= 12; $x ^= 5; $x <<= 2; $x >>= 1; print($x); }",
  "begin { @i = 0; @i -= 5; @j[1] -= 5; @j[1] *= 3; print(@i); print(@j[1]); }",
  'begin { print(strftime("%Y", nsecs)); print(strftime("%H:%M:%S", nsecs(tai))); print(nsecs(monotonic) > 0); }',
  "begin { print(probe); print(probetype); print(username); print(cpid); print(numaid); print(jiffies > 0); print(ppid); print(pcomm); }",
  "begin { $a = (int32[2])(int64)0x0000000200000001; print($a[0]); print($a[1]); print($a); }",
  "begin { @x[tid] = 1; delete(@x, tid); delete(@x[tid]); @y = 1; delete(@y); print(has_key(@x, tid)); }",
  "begin { $x = 5; { $y = $x; $x = 7; print($y); } print($x); print({ let $z = 3; $z * 2 }); }",
  'begin { errorf("bad %d", 1); warnf("warn %s", comm); exit(3); }',
  'begin { print((a=1, b="two")); $r = (x=5, y=6); print($r.y); }',
  'begin { $u = uptr(0); print($u); print(is_err(0)); print(memcmp("abc", "abc", 3)); print(bswap((uint16)0x1234)); }',
  'begin { print(ntop(pton("127.0.0.1"))); print(ntop(pton("::1"))); print(ntop(2, 0x0100007f)); }',
  "begin { print(rand % 2 < 2); print(sizeof(int32)); print(offsetof(struct task_struct, pid) > 0); }",
  "begin { for ($i : 0..ncpus) { @c[$i] = $i; } print(len(@c)); for ($i : -3..3) { @n = sum($i); } }",
  'begin { if (strncmp(comm, "node", 4) == 0) { print("n"); } if (strcontains(comm, "od")) { print("o"); } }',
  "struct S { int a; char b[4]; uint16 c : 3; uint16 d : 5; } begin { $s = (struct S *)curtask; print($s.a != 12345); $t = *$s; print($t.d < 32); @s = $t.c; }",
  "tracepoint:syscalls:sys_enter_write /args.count > 0/ { @[str(args.buf, 8)] = count(); @len = hist(args.count, 3); @b[buf(args.buf, 4)] = count(); }",
  'tracepoint:syscalls:sys_enter_* /pid == 1/ { printf("%s %s\\n", probe, comm); @[probe, comm] = count(); }',
  "tracepoint:raw_syscalls:sys_exit { @[args.id] = avg(args.ret); }",
  'tracepoint:sched:sched_process_fork { printf("%s -> %d\\n", args.parent_comm, args.child_pid); }',
  "tracepoint:block:block_rq_issue { @[args.comm, args.rwbs] = hist(args.bytes); }",
  "tracepoint:tcp:* { @[probe] = count(); }",
  'tracepoint:sock:inet_sock_set_state { printf("%s:%d -> %s:%d %d\\n", ntop(args.saddr), args.sport, ntop(args.family, args.daddr_v6), args.dport, args.newstate); }',
  "tracepoint:net:netif_receive_skb { @[args.name] = sum(args.len); $s = (struct sk_buff *)args.skbaddr; @l = hist($s.len); }",
  "tracepoint:irq:softirq_entry { @s[cpu, args.vec] = nsecs; } tracepoint:irq:softirq_exit /@s[cpu, args.vec]/ { @ns[args.vec] = hist(nsecs - @s[cpu, args.vec]); delete(@s, (cpu, args.vec)); }",
  "profile:hz:49 /pid/ { @[ustack, kstack, comm] = count(); @c = lhist(cpu, 0, 128, 1); }",
  "uprobe:libc:malloc { @s[tid] = arg0; @b[ustack(3)] = sum(arg0); } uretprobe:libc:malloc /@s[tid]/ { @r[retval] = @s[tid]; delete(@s, tid); }",
  'rawtracepoint:sched_wakeup { @[((struct task_struct *)arg0).comm] = count(); printf("%s\\n", args.p.comm); }',
  "rawtracepoint:sys_enter { @[arg1] = count(); $r = (struct pt_regs *)arg0; @d = $r.di; }",
  'interval:ms:100 { @i++; if (@i == 3) { exit(); } print(@i); } end { print("bye"); clear(@i); }',
  'begin,end { print("both"); }',
];

/** Under emulation the kernel's own variant has to do: the verifier takes minutes for all. */
const variants = slowness > 1 ? VARIANTS.slice(0, 1) : VARIANTS;

describe.each(variants)("%s", (_name, target, options) => {
  test.each(SCRIPTS)("%s", (source) => {
    const { plan, diagnostics } = compile(source, target, { unsafe: true, ...options });
    const errors = diagnostics.filter((d) => d.severity === "error");
    // What a kernel lacks is said by name and version.
    if (errors.length > 0 && (target !== kernel || !kernelAtLeast("5.13"))) {
      expect(errors.map((d) => d.code)).toEqual(["not-supported"]);
      expect(errors[0].message).toMatch(/Linux 5\.\d+/);
      return;
    }
    expect(errors.map((d) => d.message)).toEqual([]);
    using loaded = new LoadedPlan(plan!, source);
    expect(loaded.programs).toHaveLength(plan!.programs.length);
  });
});
