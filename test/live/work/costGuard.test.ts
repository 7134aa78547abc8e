/** The cost guard on known work: a tight loop of system calls under a heavy action, and under light ones. */
import { describe, expect, test } from "vitest";
import { compileScript } from "../../../src/commands/compileScript.ts";
import { parseRunOptions } from "../../../src/commands/runOptions.ts";
import { Session } from "../../../src/engine/session/session.ts";
import { CLI, commandPath, finish, startTracedeck, tracedeck } from "../../support/cli.ts";
import { slowness } from "../../support/slowness.ts";
import { leftAfter, programsOf } from "../engine/programs.ts";
import { canTraceC, counts, program } from "./support.ts";

/** Microseconds for every hit. */
const HEAVY =
  "tracepoint:syscalls:sys_enter_getppid { @[kstack, pid] = count(); @b[kstack(3), comm] = count(); @c[kstack(perf)] = count(); }";
const LIGHT = "tracepoint:syscalls:sys_enter_getpgid { @[pid] = count(); }";

const setpriv = commandPath("setpriv");

describe.skipIf(!canTraceC)("the cost guard", () => {
  const spin = program("spin.c");

  /** Ahead of whatever else the machine does, so that the loop has a CPU of its own. */
  const costly = (milliseconds: number) => `nice -n -15 ${spin.path} ms ${milliseconds}`;

  test("stops what takes more than its share within a second, and prints its maps", async () => {
    const script = `${HEAVY} tracepoint:syscalls:sys_enter_getppid /pid == cpid/ { @first = min(elapsed); @last = max(elapsed); }`;
    const run = startTracedeck(["run", "--max-overhead", "2%", "-c", costly(5000), "-e", script], {
      TRACEDECK_NOTIFY_ATTACHED: "attached",
    });
    await run.shows("attached\n");
    const programs = programsOf(run.pid);
    expect(programs.length).toBeGreaterThan(0);
    const { stdout, stderr, status } = await run.finished;
    // The loop leaves this process little of the CPUs: the programs themselves must have noticed.
    expect(counts(stdout, "@last").get("")! - counts(stdout, "@first").get("")!).toBeLessThan(1.5e9);
    expect(status).toBe(3);
    expect(stderr).toMatch(
      /stopped: the script took [\d.]+% of this machine's CPU time .*, and may take 2%; .*sys_enter_getppid/,
    );
    expect(stdout).toContain("@b[");
    expect(await leftAfter(programs, 20_000 * slowness)).toEqual([]);
  });

  test("leaves a light script alone, also while the machine is busy", async () => {
    const args = ["run", "--max-overhead", "2%", "-c", `${spin.path} ms 1500`, "-e", LIGHT];
    const { stderr, status } = await tracedeck(args);
    expect(stderr).toBe("Attached 1 probe\n");
    expect(status).toBe(0);
  });

  test("without a limit, warns of what is costly and goes on", async () => {
    const options = parseRunOptions(["-e", HEAVY, "-c", costly(3000)]);
    const { plan } = compileScript({ name: "stdin", text: HEAVY }, options, []);
    const warnings: string[] = [];
    // A busy machine leaves the loop little of itself, and what it pays is less than what a user is warned of.
    using session = new Session(plan!, { command: options.command, guard: { warnAbove: 0.2 } });
    await session.start({
      onEvent: () => {},
      onPrintMap: () => {},
      onChildOutput: () => {},
      onWarning: (message) => warnings.push(message),
    });
    const end = await session.ended;
    expect(end.reason).toBe("child-ended");
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(
      /^the script takes [\d.]+% of this machine's CPU time \([\d.]+ of \d+ CPUs?\); most of it .*sys_enter_getppid, /,
    );
  });

  /** Counting takes next to nothing: what hurts is the way there. */
  const stepping = [
    "-c",
    `nice -n -15 ${spin.path} steps 2500`,
    "-e",
    `uprobe:${spin.path}:step { @ = count(); }`,
  ];

  test("counts the traps of probes on hot functions of programs", async () => {
    const { stderr, status } = await tracedeck(["run", "--max-overhead", "1%", ...stepping]);
    expect(stderr).toMatch(/stopped: .*:step, .* ns, of which \d+ to trap into the kernel/);
    expect(status).toBe(3);
  });

  test("warns of a function that is too hot to be traced", async () => {
    const { stderr, status } = await tracedeck(["run", ...stepping]);
    expect(stderr).toMatch(/WARNING: the script takes .*:step, .* to trap into the kernel/);
    expect(status).toBe(0);
  });

  test("says nothing of it with --no-warnings", async () => {
    const { stdout, stderr } = await tracedeck(["run", "--no-warnings", "-c", costly(500), "-e", HEAVY]);
    expect(stderr).toBe("Attached 1 probe\n");
    expect(stdout).toMatch(/^cpu \d+$/m);
  });

  test.skipIf(!setpriv)(
    "holds, more loosely and saying so, where the kernel's statistics are not permitted",
    async () => {
      // BPF_ENABLE_STATS takes CAP_SYS_ADMIN; loading and attaching do not.
      const command = [
        ...[setpriv!, "--bounding-set", "-sys_admin", "--inh-caps", "-sys_admin"],
        ...[...CLI, "run", "--max-overhead", "1%", "-c", costly(3000), "-e", HEAVY],
      ];
      const { stderr, status } = await finish(command);
      expect(stderr).toMatch(
        /WARNING: what the script costs can't be read \(.*\): it is stopped at twice its share only/,
      );
      expect(stderr).toMatch(
        /stopped: the script took [\d.]+% of this machine's CPU time .*, and may take 1%/,
      );
      expect(status).toBe(3);
    },
  );

  test("what it measures is what the traced program pays", async () => {
    const calls = 100_000;
    const cpu = (stdout: string) => Number(/^cpu (\d+)$/m.exec(stdout)?.[1]);
    const untraced = cpu((await finish([spin.path, "calls", String(calls)])).stdout);
    const traced = await tracedeck([
      "run",
      "-v",
      "-c",
      `${spin.path} calls ${calls}`,
      "-e",
      `${HEAVY} tracepoint:syscalls:sys_enter_getppid /pid == cpid/ { @n = count(); }`,
    ]);
    expect(counts(traced.stdout, "@n").get("")).toBe(calls);
    const rows = [...traced.stderr.matchAll(/sys_enter_getppid: (\d+) hits, (\d+) ns each/g)];
    expect(rows).toHaveLength(2);
    const measured = rows.reduce((sum, [, hits, ns]) => sum + Number(hits) * Number(ns), 0);
    const paid = cpu(traced.stdout) - untraced;
    // The program pays for the tracepoint itself too, and for being measured.
    expect(measured / paid).toBeGreaterThan(0.6);
    expect(measured / paid).toBeLessThan(1.1);
  });

  test.each(["0", "-1", "101%", "much"])("--max-overhead %s is refused", async (share) => {
    const { stderr, status } = await tracedeck(["run", `--max-overhead=${share}`, "-e", "begin { exit() }"]);
    expect(stderr).toMatch(/invalid share/);
    expect(status).toBe(1);
  });
});
