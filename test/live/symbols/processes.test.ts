/** Names of processes that are gone, that live in containers, and that make their code as they run. */
import { execFile } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, describe, expect, test } from "vitest";
import { commandPath } from "../../support/cli.ts";
import { runScript, type ScriptRun } from "../../support/script.ts";
import {
  alone,
  atCalls,
  canTraceC,
  emulated,
  GETPPID,
  looked,
  looks,
  stacksOf,
  start,
  whole,
} from "./support.ts";

const run = promisify(execFile);
const BY_STACK = atCalls("@[ustack(4)] = count();");
const KNOWN = "leaf middle outer main";

/** Again where the machine starts so many other processes meanwhile that the kernel has no room to tell of all. */
async function seeingAll(trace: () => Promise<ScriptRun>): Promise<ScriptRun> {
  for (let i = 0; i < 5; i++) {
    const run = await trace();
    if (run.losses?.processEventsLost === 0) return run;
  }
  return expect.unreachable("events of processes were lost five times");
}

describe.skipIf(!canTraceC)("processes that have ended", () => {
  test("each of many that lived for a moment", async () => {
    const many = emulated ? 5 : 40;
    const { stdout, stderr } = await seeingAll(() =>
      runScript(BY_STACK, [], async () => {
        for (let i = 0; i < many; i++) await run(whole.path, ["calls", "2"]);
      }),
    );
    expect(stderr).toBe("");
    expect(stacksOf(stdout)).toEqual(new Map([[KNOWN, 2 * many]]));
  });

  test("children that executed nothing", async () => {
    const { stdout } = await seeingAll(() => runScript(BY_STACK, [], () => run(whole.path, ["forks", "20"])));
    expect(stacksOf(stdout)).toEqual(new Map([[KNOWN, 20]]));
  });

  test("one that was there before, and ended before anybody looked", async () => {
    const program = start(whole.path, "told", "3");
    await program.ready();
    const { stdout } = await runScript(BY_STACK, [], async () => {
      await looks();
      program.go();
      await program.end();
    });
    expect(stacksOf(stdout)).toEqual(new Map([[KNOWN, 3]]));
  });

  test("whose file is gone too", async () => {
    const folder = mkdtempSync(join(tmpdir(), "tracedeck-gone-"));
    const path = join(folder, "gone");
    copyFileSync(whole.path, path);
    const { stdout } = await runScript(`${atCalls('printf("%s", ustack(2));', "gone")}`, [], async () => {
      const program = start(path, "linger", "1");
      await program.ready();
      rmSync(folder, { recursive: true });
      await looks();
      await program.end();
    });
    expect(stdout).toMatch(/^\n {8}leaf\+\d+\n {8}middle\+\d+\n/);
  });

  test("whose program was never in a file", async () => {
    // Its name is the descriptor's that was executed.
    const { stdout } = await runScript(
      `tracepoint:raw_syscalls:sys_enter /ppid == ${process.pid} && args.id == ${GETPPID}/ { @[ustack(4)] = count(); }`,
      [],
      () => looked(whole.path, "memory", "3"),
    );
    expect(stacksOf(stdout)).toEqual(new Map([[KNOWN, 3]]));
  });

  test("config: nothing is kept of processes", async () => {
    const { stdout } = await runScript(`config = { cache_user_symbols="NONE" } ${BY_STACK}`, [], () =>
      run(whole.path, ["calls", "1"]),
    );
    expect(stdout).toMatch(/^ {8}0x[0-9a-f]+$/m);
  });
});

/** Names as long as the process lives: what a JIT wrote goes with it. */
const live = (comm?: string) => atCalls('printf("%s", ustack(1));', comm);

describe.skipIf(!canTraceC || process.arch !== "x64")("code made at run time", () => {
  const made = async (...owner: string[]) =>
    (await runScript(live(), [], () => looked(whole.path, "made", "5", ...owner))).stdout;

  test("by the map that its process wrote", async () => {
    expect(await made()).toBe("\n        made_at_run_time+11\n".repeat(5));
  });

  test("not by a map that is another user's", async () => {
    expect(await made("65534")).toMatch(/^(\n {8}0x[0-9a-f]+\n){5}$/);
  });
});

describe.skipIf(!canTraceC || !commandPath("unshare"))("processes in namespaces of their own", () => {
  const folder = mkdtempSync(join(tmpdir(), "tracedeck-root-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  /** Runs the program of a file system that only it sees, with pids from 1. */
  const comm = `inside${process.pid}`;
  const inside = (work: string) => {
    const script = `mount -t tmpfs tmpfs ${folder}; cd ${folder}; mkdir tmp; cp ${alone.path} ${comm}; chroot . /${comm} ${work}; true`;
    return looked("unshare", "--mount", "--pid", "--fork", "sh", "-ec", script);
  };

  test("files that only they see", async () => {
    const { stdout } = await runScript(atCalls("@[ustack(4)] = count();", comm), [], () =>
      inside("linger 4"),
    );
    expect(stacksOf(stdout)).toEqual(new Map([[KNOWN, 4]]));
  });

  test.skipIf(process.arch !== "x64")(
    "code made at run time, under the pid that they have there",
    async () => {
      const { stdout } = await runScript(live(comm), [], () => inside("made 3"));
      expect(stdout).toBe("\n        made_at_run_time+11\n".repeat(3));
    },
  );
});
