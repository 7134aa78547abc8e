/**
 * Files that a server answers for, with a real one that falls silent: names come as long as it answers, and nobody waits for
 * it when it does not.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { isAlive, livingThread, processStat } from "../../../src/engine/kernel/processes.ts";
import { CLI, startTracedeck } from "../../support/cli.ts";
import { cProgram } from "../../support/programs.ts";
import { alone, atCalls, canTraceC, stacksOf } from "./support.ts";

const program = cProgram(join(import.meta.dirname, "served.c"));
const SCRIPT = atCalls("@[ustack(4)] = count(); @n++; if (@n == 3) { exit(); }", "app");
const KNOWN = new Map([["leaf middle outer main", 3]]);
const folders: string[] = [];
const running: ChildProcess[] = [];

const folder = (): string => {
  const made = mkdtempSync(join(tmpdir(), "tracedeck-served-"));
  folders.push(made);
  return made;
};

function start(command: string, args: string[]): ChildProcess {
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
  running.push(child);
  return child;
}

const heard = (child: ChildProcess) =>
  new Promise<string>((done) => child.stdout!.once("data", (text) => done(String(text))));

/** Pids of processes that read for others, of this build. */
const readers = (): string[] =>
  readdirSync("/proc").filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "latin1").includes(`${CLI[1]}\0engine\0--reader\0`);
    } catch {
      return false;
    }
  });

/** Mounts the program as `app` there. */
async function serve(point: string) {
  const server = start(program.path, [alone.path, point]);
  expect(await heard(server)).toBe("mounted\n");
  return async (word: "silent" | "answer") => {
    const done = heard(server);
    server.stdin!.write(`${word}\n`);
    await done;
  };
}

/** Starts the program; it waits for a line, and has been read by then. */
async function startApp(mode: "told" | "headless", ...command: string[]): Promise<ChildProcess> {
  const app = start(command[0], [...command.slice(1), mode, "3"]);
  const waits = () => [
    readFileSync(`/proc/${app.pid}/comm`, "latin1"),
    readFileSync(`/proc/${livingThread(app.pid!)}/syscall`, "latin1").split(" ")[1],
  ];
  await expect.poll(waits).toEqual(["app\n", "0x0"]);
  return app;
}

/** Traces until the program has made its calls; what was printed. */
async function traced(app: ChildProcess, meanwhile?: () => unknown) {
  const run = startTracedeck(["run", "-q", "-p", String(app.pid), "-e", SCRIPT], {
    TRACEDECK_NOTIFY_ATTACHED: "attached",
  });
  await run.shows("attached");
  await meanwhile?.();
  // It waits again when it has made its calls, until its input ends.
  app.stdin!.write("go\n");
  const asked = performance.now();
  const { stdout, stderr, status } = await run.finished;
  return { stderr, status, stacks: stacksOf(stdout), milliseconds: performance.now() - asked };
}

const silentAt = (point: string): string =>
  `WARNING: ${point} (fuse.served, nobody) does not answer: functions of files there are shown as file+offset until it does\n`;

describe.skipIf(!canTraceC || !existsSync("/dev/fuse"))("a file system whose server", () => {
  afterEach(async () => {
    for (const child of running.splice(0)) {
      const over = new Promise((done) => child.on("close", done));
      child.stdin!.end();
      if (child.exitCode === null && child.signalCode === null) await over;
    }
  });
  afterAll(() => {
    for (const made of folders) rmSync(made, { recursive: true, force: true });
  });

  test("answers: names as of any file", async () => {
    const point = folder();
    await serve(point);
    const app = await startApp("told", join(point, "app"));
    expect(await traced(app)).toMatchObject({ stderr: "", status: 0, stacks: KNOWN });
  });

  test("falls silent: places in the file instead, said once", async () => {
    const point = folder();
    const tell = await serve(point);
    const app = await startApp("told", join(point, "app"));
    const { stderr, status, stacks, milliseconds } = await traced(app, () => tell("silent"));
    expect({ stderr, status }).toEqual({ stderr: silentAt(point), status: 0 });
    expect([...stacks]).toEqual([["app app app app", 3]]);
    // A reader starts, and is waited for.
    expect(milliseconds).toBeLessThan(6000);
    // It waits on, until it is answered, and holds nothing meanwhile.
    await tell("answer");
    await expect.poll(readers).toEqual([]);
  });

  test("falls silent, as the root of a container", async () => {
    const point = folder();
    const tell = await serve(point);
    const app = await startApp("told", "unshare", "--mount", "chroot", point, "/app");
    const { stderr, status, stacks } = await traced(app, () => tell("silent"));
    expect({ stderr, status }).toEqual({ stderr: silentAt("/"), status: 0 });
    expect([...stacks]).toEqual([["app app app app", 3]]);
  });

  test("falls silent, mounted over the program's folder while it runs", async () => {
    const point = folder();
    copyFileSync(alone.path, join(point, "app"));
    const app = await startApp("told", join(point, "app"));
    const tell = await serve(point);
    const { stderr, status } = await traced(app, () => tell("silent"));
    expect({ stderr, status }).toEqual({ stderr: silentAt(point), status: 0 });
  });

  test("falls silent, and was unmounted", async () => {
    const point = folder();
    const tell = await serve(point);
    // It lives on, so that its mapping can be asked.
    const app = await startApp("headless", join(point, "app"));
    await tell("silent");
    spawnSync("umount", ["--lazy", point]);
    const { stderr, status, stacks } = await traced(app);
    expect(stderr).toMatch(/^WARNING: .*app \(not mounted\) does not answer: .*\n$/);
    expect({ status, stacks }).toEqual({ status: 0, stacks: new Map([["app app app app", 3]]) });
  });

  test("falls silent: what has a file of it open can't end, and counts as ended", async () => {
    const point = folder();
    const tell = await serve(point);
    const child = start("sh", ["-c", `exec sleep 1000 < ${point}/app`]);
    await expect.poll(() => readFileSync(`/proc/${child.pid}/comm`, "latin1")).toBe("sleep\n");
    expect(isAlive(child.pid!)).toBe(true);
    await tell("silent");
    const over = new Promise((done) => child.on("exit", done));
    child.kill("SIGKILL");
    await expect.poll(() => isAlive(child.pid!)).toBe(false);
    expect(processStat(child.pid!)).toMatchObject({ state: expect.stringMatching(/[SD]/), threads: 1 });
    await tell("answer");
    await over;
  });
});
