/** Names of processes that are gone, that live in containers, and that make their code as they run. */
import { execFile, spawn } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, describe, expect, test } from "vitest";
import { commandPath } from "../../support/cli.ts";
import { runScript } from "../../support/script.ts";
import { alone, atCalls, canTraceC, emulated, GETPPID, stacksOf, whole } from "./support.ts";

const run = promisify(execFile);
const BY_STACK = atCalls("@[ustack(4)] = count();");
const KNOWN = "leaf middle outer main";

describe.skipIf(!canTraceC)("processes that have ended", () => {
  test("each of many that lived for a moment", async () => {
    const many = emulated ? 5 : 40;
    const { stdout, stderr } = await runScript(BY_STACK, [], async () => {
      for (let i = 0; i < many; i++) await run(whole.path, ["calls", "2"]);
    });
    expect(stderr).toBe("");
    expect(stacksOf(stdout)).toEqual(new Map([[KNOWN, 2 * many]]));
  });

  test("children that executed nothing", async () => {
    const { stdout } = await runScript(BY_STACK, [], () => run(whole.path, ["forks", "20"]));
    expect(stacksOf(stdout)).toEqual(new Map([[KNOWN, 20]]));
  });

  test("one that was there before, and ended before anybody looked", async () => {
    const child = spawn(whole.path, ["told", "3"], { stdio: ["pipe", "ignore", "ignore"] });
    const ended = new Promise((done) => child.on("close", done));
    const { stdout } = await runScript(BY_STACK, [], async () => {
      await new Promise((done) => setTimeout(done, 500));
      child.stdin.end("go\n");
      await ended;
    });
    expect(stacksOf(stdout)).toEqual(new Map([[KNOWN, 3]]));
  });

  test("whose file is gone too", async () => {
    const folder = mkdtempSync(join(tmpdir(), "tracedeck-gone-"));
    const path = join(folder, "gone");
    copyFileSync(whole.path, path);
    const { stdout } = await runScript(`${atCalls('printf("%s", ustack(2));', "gone")}`, [], async () => {
      const started = run(path, ["linger", "1"]);
      await new Promise((done) => setTimeout(done, 100));
      rmSync(folder, { recursive: true });
      await started;
    });
    expect(stdout).toMatch(/^\n {8}leaf\+\d+\n {8}middle\+\d+\n/);
  });

  test("whose program was never in a file", async () => {
    const { stdout } = await runScript(
      `tracepoint:raw_syscalls:sys_enter /pid == cpid && args.id == ${GETPPID}/ { @[ustack(4)] = count(); }`,
      ["-c", `${whole.path} memory 3`],
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
const LIVE = (comm: string) => atCalls('printf("%s", ustack(1));', comm);

describe.skipIf(!canTraceC || process.arch !== "x64")("code made at run time", () => {
  const made = async (...owner: string[]) =>
    (await runScript(LIVE("known"), ["-c", [whole.path, "made", "5", ...owner].join(" ")])).stdout;

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
  /** Runs the program as /inside of a file system that only it sees, with pids from 1. */
  const inside = (work: string) => {
    const script = `mount -t tmpfs tmpfs ${folder}; cd ${folder}; mkdir tmp; cp ${alone.path} inside; chroot . /inside ${work}; true`;
    return run("unshare", ["--mount", "--pid", "--fork", "sh", "-ec", script]);
  };

  test("files that only they see", async () => {
    const { stdout } = await runScript(atCalls("@[ustack(4)] = count();", "inside"), [], () =>
      inside("linger 4"),
    );
    expect(stacksOf(stdout)).toEqual(new Map([[KNOWN, 4]]));
  });

  test.skipIf(process.arch !== "x64")(
    "code made at run time, under the pid that they have there",
    async () => {
      const { stdout } = await runScript(LIVE("inside"), [], () => inside("made 3"));
      expect(stdout).toBe("\n        made_at_run_time+11\n".repeat(3));
    },
  );
});
