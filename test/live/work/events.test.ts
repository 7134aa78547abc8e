/** Events that the kernel counts, signals to the tracer itself, raw tracepoints: each on a known amount of work. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpus } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { hasFeature } from "libbpf-ts";
import { describe, expect, test } from "vitest";
import { SOFTWARE_EVENTS } from "../../../src/engine/compile/tables/events.ts";
import { isRoot } from "../../support/cli.ts";
import { runScript } from "../../support/script.ts";
import { slowness, ticksOf } from "../../support/slowness.ts";
import { canTraceC, counts, program, traced } from "./support.ts";

describe.skipIf(!isRoot)("timers in every unit", () => {
  /** Ticks within the second that the script runs. */
  const units: [unit: string, perSecond: number][] = [
    ["interval:hz:50", 50],
    ["interval:ms:20", 50],
    ["interval:us:20000", 50],
    ["interval:ns:20000000", 50],
    ["interval:20ms", 50],
    ["interval:20000us", 50],
    ["interval:20000000", 50],
    ["interval:2e7", 50],
    ["i:s:1", 1],
    ["i:1s", 1],
  ];
  test("intervals", async () => {
    const script = units.map(([probe], i) => `${probe} { @t${i} = count(); }`).join(" ");
    const begin = performance.now();
    const { stdout, stderr } = await runScript(script, [], () => sleep(slowness > 1 ? 1500 : 1200));
    const seconds = (performance.now() - begin) / 1000;
    expect(stderr).toBe("");
    units.forEach(([probe, perSecond], i) => {
      const ticks = counts(stdout, `@t${i}`).get("") ?? 0;
      expect(ticks, probe).toBeGreaterThanOrEqual(ticksOf(perSecond * 0.6));
      expect(ticks, probe).toBeLessThanOrEqual(perSecond * seconds + 2);
    });
  });

  test("profiles fire on every CPU, whatever the unit", async () => {
    const probes = ["profile:hz:50", "p:ms:20", "p:us:20000", "p:20ms", "p:20000000"];
    const script = probes.map((probe, i) => `${probe} { @t${i}[cpu] = count(); }`).join(" ");
    const begun = performance.now();
    const { stdout, stderr } = await runScript(`${script} begin { @n = ncpus; }`, [], () => busy(1500));
    const seconds = (performance.now() - begun) / 1000;
    expect(stderr).toBe("");
    probes.forEach((probe, i) => {
      const each = [...counts(stdout, `@t${i}`).values()];
      expect(each, probe).toHaveLength(counts(stdout, "@n").get("")!);
      for (const ticks of each) expect(ticks, probe).toBeGreaterThanOrEqual(ticksOf(15));
      for (const ticks of each) expect(ticks, probe).toBeLessThan(50 * seconds + 5);
    });
  });

  test.each([
    ["interval:0 { }", "1000 ns is the least"],
    ["interval:hz:0 { }", "a rate is at least 1 a second"],
    ["interval:999 { }", "1000 ns is the least"],
    ["profile:fortnights:2 { }", "units are hz, s, ms, us, ns"],
    ["interval:s:x { }", "x is no whole number above 0"],
    ["interval:s:1:2 { }", "an interval probe is written"],
  ])("%s is refused", async (script, said) => {
    const { stderr, status } = await runScript(script);
    expect(stderr).toContain(said);
    expect(status).toBe(1);
  });
});

/** Keeps every CPU busy for so many milliseconds: an idle one's clock does not tick for events. */
async function busy(milliseconds: number): Promise<void> {
  const loops = cpus().map(() => spawn("sh", ["-c", "while :; do :; done"]));
  try {
    await sleep(milliseconds);
  } finally {
    for (const loop of loops) loop.kill("SIGKILL");
  }
}

describe.skipIf(!isRoot)("software events", () => {
  test("every one attaches, by its name and its aliases", async () => {
    const names = SOFTWARE_EVENTS.flatMap(({ name, aliases }) => [name, ...aliases]);
    const script = names.map((name) => `software:${name}: { @["${name}"] = count(); }`).join(" ");
    const { stderr, stdout } = await runScript(script, [], () => busy(300));
    expect(stderr).toBe("");
    expect(counts(stdout, "@").get("cpu-clock")).toBeGreaterThan(0);
    expect(counts(stdout, "@").get("cpu")).toBeGreaterThan(0);
  });

  test("an event that is none", async () => {
    const { stderr } = await runScript("software:page-falts: { }");
    expect(stderr).toContain("did you mean page-faults");
  });
});

describe.skipIf(!isRoot)("hardware events", () => {
  test("count, or are refused by name where the machine has none", async ({ skip }) => {
    const run = await runScript("hardware:cpu-cycles:1000000 { @ = count(); }", [], () => {
      const end = performance.now() + 300;
      while (performance.now() < end) {}
    });
    if (!hasFeature("hardware_events")) {
      expect(run.stderr).toContain("hardware:cpu-cycles:1000000");
      expect(run.stderr).toContain("no performance counters");
      expect(run.status).toBe(1);
      skip("this machine has no performance counters; hardware probes were refused, as they must be");
    }
    expect(counts(run.stdout, "@").get("")).toBeGreaterThan(10);
  });

  test("an event that is none", async () => {
    expect((await runScript("hardware:cache-mises: { }")).stderr).toContain("did you mean cache-misses");
  });
});

describe.skipIf(!isRoot)("signals to the tracer", () => {
  test("run their actions once each", async () => {
    const { stdout } = await runScript(
      "self:signal:SIGUSR1 { @one = count(); } self:signal:SIGUSR2 { @two = count(); }",
      [],
      async () => {
        for (const signal of ["SIGUSR1", "SIGUSR2", "SIGUSR1"] as const) {
          // Listeners are called in their order: the script's was there before.
          const heard = once(process, signal);
          process.kill(process.pid, signal);
          await heard;
        }
      },
    );
    expect(stdout).toBe("@one: 2\n@two: 1\n");
  });

  test("another signal is refused", async () => {
    expect((await runScript("self:signal:SIGKILL { }")).stderr).toContain("SIGUSR1 or SIGUSR2");
  });
});

describe.skipIf(!canTraceC)("raw tracepoints", () => {
  const work = program("work.c");

  test("arguments by name and by number, with or without the module", async () => {
    const { stdout, stderr } = await traced(
      work,
      "processes 4",
      "rawtracepoint:sched_process_fork /args.parent.tgid == cpid/ { @[probe] = count(); @children[args.child.pid] = 1; }" +
        " rt:vmlinux:sched_process_exec /@children[args.p.pid]/ { @execs = count(); @same = count(); if (arg0 != (uint64)args.p) { @different = count(); } }",
    );
    expect(stderr).toBe("");
    expect(counts(stdout, "@").get("rawtracepoint:vmlinux:sched_process_fork")).toBe(4);
    expect(counts(stdout, "@execs").get("")).toBe(4);
    expect(stdout).not.toContain("@different");
  });

  test("wildcards", async () => {
    const { stdout } = await traced(
      work,
      "processes 3",
      'rt:*:sched_process_e* /comm == "renamed" || comm == "true"/ { @[probe] = count(); }',
    );
    expect([...counts(stdout, "@").keys()]).toContain("rawtracepoint:vmlinux:sched_process_exit");
  });

  test.each([
    ["rt:sched_swich { }", "did you mean sched_switch"],
    ["rt:nomodule:sched_switch { }", "did you mean rawtracepoint:vmlinux:sched_switch?"],
    ["rt:sched_switch { print(args.nxt.pid); }", "args.next"],
  ])("%s", async (script, said) => {
    expect((await runScript(script)).stderr).toContain(said);
  });
});
