/** Stacks that name the program's functions and the kernel's. */
import { describe, expect, test } from "vitest";
import { ticksOf } from "../../support/slowness.ts";
import { canTraceC, program, switchesUnseen, traced } from "./support.ts";

describe.skipIf(!canTraceC)("stacks", () => {
  const work = program("work.c");
  const lines = (stdout: string) => stdout.split("\n").map((line) => line.trim());

  test("ustack names the callers", async () => {
    const { stdout, stderr } = await traced(work, "stacks 4", "uprobe:WORK:leaf { @[ustack] = count(); }");
    expect(stderr).toBe("");
    const frames = lines(stdout);
    expect(frames[0]).toBe("@[");
    expect(frames[1]).toMatch(/^leaf\+\d+$/);
    const names = frames.map((frame) => frame.replace(/\+\d+$/, ""));
    // At a function's first instruction its own frame is not there yet: the direct caller may be missing.
    expect(names).toContain("outer");
    expect(names).toContain("main");
    expect(frames).toContain("]: 4");
  });

  test("a limit, and the forms of frames", async () => {
    const { stdout } = await traced(
      work,
      "stacks 1",
      'uprobe:WORK:leaf { printf("%s\\n", ustack(1)); printf("%s\\n", ustack(perf, 1)); printf("%s\\n", ustack(raw, 1)); print(len(ustack(2))); }',
    );
    const frames = lines(stdout).filter(Boolean);
    expect(frames[0]).toMatch(/^leaf\+\d+$/);
    expect(frames[1]).toMatch(/^[0-9a-f]+ leaf\+\d+ \(.*\/work\)$/);
    expect(frames[2]).toMatch(/^(0x)?[0-9a-f]+$/);
    expect(frames[3]).toBe("2");
  });

  test("kstack in a system call", async () => {
    // State 1 is a sleep; a switch in which the task was only put aside has a higher bit.
    const { stdout, losses } = await traced(
      work,
      "sleeps 5 20",
      "tracepoint:sched:sched_switch /args.prev_pid == cpid && args.prev_state == 1/ { @[kstack] = count(); }",
    );
    const sleeps = [...stdout.matchAll(/^@\[\n([^\]]*)\]: (\d+)$/gm)].filter(([, stack]) =>
      /do_nanosleep\+\d+\n/.test(stack ?? ""),
    );
    expect(stdout).toMatch(/schedule\+\d+\n/);
    const seen = sleeps.reduce((sum, [, , count]) => sum + Number(count), 0);
    expect(seen).toBeGreaterThanOrEqual(5 - switchesUnseen(losses!));
    expect(seen).toBeLessThanOrEqual(5);
  });

  test("both stacks as one key", async () => {
    const { stdout } = await traced(
      work,
      "stacks 2",
      "tracepoint:raw_syscalls:sys_enter /pid == cpid && args.id == 110/ { @[ustack(5), kstack(3), comm] = count(); }",
    );
    if (process.arch !== "x64") return;
    expect(stdout).toMatch(/outer\+\d+/);
    expect(stdout).toMatch(/, work\]: 2\n/);
  });

  test("samples of a program that spins", async () => {
    const begun = performance.now();
    const { stdout } = await traced(
      work,
      "spin 600",
      "profile:hz:199 { @samples = count(); @[ustack(8)] = count(); }",
    );
    expect(stdout).toMatch(/(spin|clock_gettime|main)(\+\d+)/);
    const samples = Number(/@samples: (\d+)/.exec(stdout)?.[1]);
    expect(samples).toBeGreaterThanOrEqual(ticksOf(60));
    // It has one thread.
    expect(samples).toBeLessThanOrEqual((199 * (performance.now() - begun)) / 1000 + 2);
  });
});
