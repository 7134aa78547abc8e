/** System calls that a program makes a known number of times, with known sizes. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { runScript } from "../../support/script.ts";
import { buckets, canTraceC, counts, program, traced } from "./support.ts";

const ENOENT = 2;

describe.skipIf(!canTraceC)("system calls", () => {
  const work = program("work.c");

  test("N opens that succeed and N that fail", async () => {
    const { stdout, stderr } = await traced(
      work,
      "opens 37",
      "tracepoint:syscalls:sys_enter_openat /pid == cpid/ { @[str(args.filename)] = count(); }" +
        " tracepoint:syscalls:sys_exit_openat /pid == cpid && args.ret < 0/ { @failed[-args.ret] = count(); }",
    );
    expect(stderr).toBe("");
    expect(counts(stdout, "@").get("/dev/null")).toBe(37);
    expect(counts(stdout, "@").get("/nowhere/at/all")).toBe(37);
    expect(counts(stdout, "@failed").get(String(ENOENT))).toBe(37);
  });

  test("sizes written and read, in the right buckets", async () => {
    const { stdout } = await traced(
      work,
      "sizes",
      "tracepoint:syscalls:sys_enter_write /pid == cpid && args.fd > 2/ { @w = hist(args.count); @sum = sum(args.count); }" +
        " tracepoint:syscalls:sys_exit_read /pid == cpid && args.ret > 0/ { @r = hist(args.ret); }" +
        " tracepoint:syscalls:sys_enter_write /pid == cpid && args.fd > 2/ { @l = lhist(args.count, 0, 1000, 100); @stats = stats(args.count); @max = max(args.count); @min = min(args.count); @avg = avg(args.count); }",
    );
    const each = buckets(stdout, "@w");
    expect(each.size).toBe(17);
    expect(each.get("[1]")).toBe(1);
    expect(each.get("[512, 1K)")).toBe(1);
    expect(each.get("[64K, 128K)")).toBe(1);
    const total = (1 << 17) - 1;
    expect(counts(stdout, "@sum").get("")).toBe(total);
    // 1, 2, 4 … 64 in the first step of a hundred, 128 in the next, 1024 and more above.
    expect(buckets(stdout, "@l")).toEqual(
      new Map([
        ["[0, 100)", 7],
        ["[100, 200)", 1],
        ["[200, 300)", 1],
        ["[500, 600)", 1],
        ["[1000, ...)", 7],
      ]),
    );
    expect(stdout).toContain(
      `@stats: { .count = 17, .average = ${Math.floor(total / 17)}, .total = ${total} }\n`,
    );
    expect(stdout).toContain(`@max: ${1 << 16}\n`);
    expect(stdout).toContain("@min: 1\n");
    expect(stdout).toContain(`@avg: ${Math.floor(total / 17)}\n`);
    expect(buckets(stdout, "@r").get("[64K, 128K)")).toBe(1);
  });

  test("sleeps of a known length, measured from entry to exit", async () => {
    const begun = performance.now();
    const { stdout } = await traced(
      work,
      "sleeps 8 20",
      "tracepoint:syscalls:sys_enter_clock_nanosleep, tracepoint:syscalls:sys_enter_nanosleep /pid == cpid/ { @start[tid] = nsecs; }" +
        " tracepoint:syscalls:sys_exit_clock_nanosleep, tracepoint:syscalls:sys_exit_nanosleep /@start[tid]/ { $ns = nsecs - @start[tid]; @ms = hist($ns / 1000000); @total = sum($ns); delete(@start, tid); }",
    );
    const elapsed = performance.now() - begun;
    const slept = [...buckets(stdout, "@ms").entries()];
    expect(slept.reduce((sum, [, n]) => sum + n, 0)).toBe(8);
    // 20 ms or more, never less; a busy machine may add to it.
    const tooShort = slept.filter(([bucket]) => Number(/\d+/.exec(bucket)![0]) < 16);
    expect(tooShort).toEqual([]);
    const total = counts(stdout, "@total").get("")! / 1e6;
    expect(total).toBeGreaterThanOrEqual(8 * 20);
    expect(total).toBeLessThan(elapsed);
    expect(stdout).not.toContain("@start");
  });

  test.each(["raw", "tracepoint", "auto"])("a wildcard counts alike with syscall_attach=%s", async (way) => {
    const { stdout, stderr } = await traced(
      work,
      "calls 123",
      `config = { syscall_attach=${way} } tracepoint:syscalls:sys_enter_getp* /pid == cpid && comm == "work"/ { @[probe] = count(); }` +
        ' tracepoint:syscalls:sys_exit_getppid /pid == cpid && comm == "work"/ { @exit = count(); @parent = max(args.ret); }',
    );
    expect(stderr).toBe("");
    expect(counts(stdout, "@").get("tracepoint:syscalls:sys_enter_getppid")).toBe(123);
    expect(counts(stdout, "@exit").get("")).toBe(123);
    expect(counts(stdout, "@parent").get("")).toBe(process.pid);
  });

  test("all system calls at once, through the raw tracepoints", async () => {
    const { stdout } = await traced(
      work,
      "calls 50",
      'tracepoint:syscalls:sys_enter_* /pid == cpid && comm == "work"/ { @[probe] = count(); } tracepoint:raw_syscalls:sys_enter /pid == cpid && comm == "work"/ { @all = count(); }',
    );
    const each = counts(stdout, "@");
    expect(each.get("tracepoint:syscalls:sys_enter_getppid")).toBe(50);
    expect([...each.values()].reduce((sum, n) => sum + n, 0)).toBe(counts(stdout, "@all").get(""));
  });

  test("pid, tid, comm and ids are the traced process's", async () => {
    const { stdout } = await traced(
      work,
      "calls 3",
      'tracepoint:syscalls:sys_enter_getppid /pid == cpid && comm == "work"/ { @[comm, pid == cpid, tid == pid, uid, gid] = count(); }',
    );
    expect(stdout).toBe(`@[work, true, true, ${process.getuid!()}, ${process.getgid!()}]: 3\n`);
  });

  test("-p follows one process of two", async () => {
    const start = () => spawn(work.path, ["wait", "calls", "40"], { stdio: ["pipe", "ignore", "ignore"] });
    const [followed, other] = [start(), start()];
    const ended = Promise.all([once(followed, "exit"), once(other, "exit")]);
    const { stdout } = await runScript(
      "tracepoint:syscalls:sys_enter_getppid { @[pid] = count(); }",
      ["-p", String(followed.pid)],
      async () => {
        other.stdin.end("\n");
        await once(other, "exit");
        followed.stdin.end("\n");
        await ended;
      },
    );
    expect(stdout).toBe(`@[${followed.pid}]: 40\n`);
  });

  test("structures of the caller's, read from its memory", async () => {
    const { stdout } = await traced(
      work,
      "sleeps 3 7",
      "struct when { long seconds; long nanoseconds; } tracepoint:syscalls:sys_enter_clock_nanosleep /pid == cpid/ { $t = (struct when *)uptr(args.rqtp); @[$t.seconds, $t.nanoseconds] = count(); }",
    );
    expect(stdout).toBe("@[0, 7000000]: 3\n");
  });
});
