/** What happens to processes: started, named, signalled, switched, given memory. */
import { kernelAtLeast } from "libbpf-ts";
import { describe, expect, test } from "vitest";
import { canTraceC, counts, program, switchesUnseen, traced } from "./support.ts";

describe.skipIf(!canTraceC)("processes", () => {
  const work = program("work.c");

  test("new processes, by fork and by exec", async () => {
    const { stdout, stderr } = await traced(
      work,
      "processes 6",
      "tracepoint:sched:sched_process_fork /args.parent_pid == cpid/ { @forks = count(); @children[args.child_pid] = 1; }" +
        " tracepoint:sched:sched_process_exec /@children[args.pid]/ { @execs[str(args.filename)] = count(); }" +
        " tracepoint:sched:sched_process_exit /@children[pid]/ { @exits = count(); delete(@children, pid); }",
    );
    expect(stderr).toBe("");
    expect(counts(stdout, "@forks").get("")).toBe(6);
    expect(counts(stdout, "@execs").get("/bin/true")).toBe(6);
    expect(counts(stdout, "@exits").get("")).toBe(6);
  });

  test("arguments of execve, joined", async () => {
    const { stdout } = await traced(
      work,
      "processes 2",
      'tracepoint:syscalls:sys_enter_execve /comm == "work"/ { join(args.argv); join(args.argv, ":"); }',
    );
    expect(stdout).toBe("renamed with arguments\nrenamed:with:arguments\n".repeat(2));
  });

  test("signals, as the sender and as the receiver see them", async () => {
    const SIGUSR1 = 10;
    const { stdout } = await traced(
      work,
      "signals 9",
      "tracepoint:syscalls:sys_enter_kill /pid == cpid/ { @sent[args.sig, args.pid == cpid] = count(); }" +
        " tracepoint:signal:signal_generate /args.pid == cpid/ { @made[args.sig] = count(); }" +
        " tracepoint:signal:signal_deliver /pid == cpid/ { @got[args.sig] = count(); }",
    );
    expect(counts(stdout, "@sent").get(`${SIGUSR1}, true`)).toBe(9);
    expect(counts(stdout, "@made").get(String(SIGUSR1))).toBe(9);
    expect(counts(stdout, "@got").get(String(SIGUSR1))).toBe(9);
  });

  test("threads have ids of their own and share the process id", async () => {
    const hasLength = kernelAtLeast("5.13");
    const { stdout } = await traced(
      work,
      "threads 4",
      `tracepoint:syscalls:sys_enter_clock_nanosleep /pid == cpid/ { @[tid == pid] = count(); @ids[tid] = count(); ${hasLength ? "@n = len(@ids);" : ""} }`,
    );
    expect(counts(stdout, "@").get("false")).toBe(4);
    expect(counts(stdout, "@ids").size).toBe(4);
    expect(counts(stdout, "@n").get("")).toBe(hasLength ? 4 : undefined);
  });

  test("a page fault for each page that is touched first", async () => {
    const PAGES = 500;
    const { stdout } = await traced(
      work,
      `pages ${PAGES}`,
      "software:page-faults:1 { @software = count(); } software:minor-faults:1 { @minor = count(); }",
    );
    for (const name of ["@software", "@minor"]) {
      const faults = counts(stdout, name).get("")!;
      expect(faults).toBeGreaterThanOrEqual(PAGES);
      expect(faults).toBeLessThan(PAGES + 400);
    }
  });

  test("one event of many", async () => {
    const { stdout } = await traced(work, "pages 1000", "software:page-faults:100 { @ = count(); }");
    const hundreds = counts(stdout, "@").get("")!;
    expect(hundreds).toBeGreaterThanOrEqual(10);
    expect(hundreds).toBeLessThan(14);
  });

  test.skipIf(process.arch !== "x64")("page faults by the kernel's own tracepoint", async () => {
    const { stdout } = await traced(
      work,
      "pages 300",
      "tracepoint:exceptions:page_fault_user /pid == cpid/ { @ = count(); @aligned = max(args.address & 0xfff); }",
    );
    expect(counts(stdout, "@").get("")!).toBeGreaterThanOrEqual(300);
  });

  test("every sleep gives the processor away", async () => {
    const { stdout, losses } = await traced(
      work,
      "sleeps 12 20",
      "tracepoint:sched:sched_switch /args.prev_pid == cpid/ { @[args.prev_comm] = count(); @state[(args.prev_state & 0xff) > 0] = count(); }" +
        " tracepoint:sched:sched_wakeup /args.pid == cpid/ { @woken = count(); } software:context-switches:1 { @software = count(); }",
    );
    const least = 12 - switchesUnseen(losses!);
    expect(counts(stdout, "@").get("work")!).toBeGreaterThanOrEqual(least);
    expect(counts(stdout, "@state").get("true")!).toBeGreaterThanOrEqual(least);
    expect(counts(stdout, "@woken").get("")!).toBeGreaterThanOrEqual(least);
    expect(counts(stdout, "@software").get("")!).toBeGreaterThanOrEqual(least);
  });

  test("raw tracepoints take their arguments from BTF", async () => {
    const { stdout, stderr, losses } = await traced(
      work,
      "sleeps 5 20",
      "rawtracepoint:sched_switch /args.prev.pid == cpid/ { @[args.prev.comm] = count(); @out = count(); }" +
        " rawtracepoint:sched_switch /args.next.tgid == cpid/ { @in = count(); }",
    );
    expect(stderr).toBe("");
    expect(counts(stdout, "@").get("work")!).toBeGreaterThanOrEqual(5 - switchesUnseen(losses!));
    expect(counts(stdout, "@in").get("")!).toBeGreaterThanOrEqual(5 - switchesUnseen(losses!));
  });

  test("the kernel's task of the current thread", async () => {
    const { stdout } = await traced(
      work,
      "calls 2",
      "tracepoint:syscalls:sys_enter_getppid /pid == cpid/ { $t = (struct task_struct *)curtask; @[$t.pid == tid, $t.tgid == pid, $t.comm, $t.real_parent.tgid] = count(); @parent = ppid; @name = pcomm; }",
    );
    expect(stdout).toContain(`@[true, true, work, ${process.pid}]: 2\n`);
    expect(stdout).toContain(`@parent: ${process.pid}\n`);
  });
});
