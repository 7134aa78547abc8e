/** Faults of the program itself while it traces, and readers that are stuck: nothing is left behind. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterEach, describe, expect, test, vi } from "vitest";
import { compileScript } from "../../../src/commands/compileScript.ts";
import { parseRunOptions } from "../../../src/commands/runOptions.ts";
import { trace } from "../../../src/commands/trace.ts";
import { isAlive } from "../../../src/engine/kernel/processes.ts";
import { Session } from "../../../src/engine/session/session.ts";
import { CLI, isRoot } from "../../support/cli.ts";
import { leftAfter, programsOf } from "../engine/programs.ts";

const SCRIPT = "tracepoint:syscalls:sys_enter_swapon { @ = count(); }";

describe.skipIf(!isRoot)("a fault of run", () => {
  afterEach(() => vi.restoreAllMocks());

  test("in a timer ends the script, its command and its probes", async () => {
    const options = parseRunOptions(["-q", "-o", "/dev/null", "-c", "sleep 100", "-e", SCRIPT]);
    const { plan, files } = compileScript({ name: "stdin", text: SCRIPT }, options, []);
    let programs: number[] = [];
    let command = 0;
    // What is counted can't be had any more.
    vi.spyOn(Session.prototype, "losses").mockImplementation(function (this: Session) {
      programs = programsOf(process.pid);
      command = this.targetPid ?? 0;
      throw new RangeError("out of bounds");
    });
    const listeners = process.listenerCount("SIGINT");
    await expect(trace(plan!, files, options)).rejects.toThrow("out of bounds");
    expect(process.listenerCount("SIGINT")).toBe(listeners);
    expect(programs).toHaveLength(1);
    expect(await leftAfter(programs, 20_000)).toEqual([]);
    expect(command).toBeGreaterThan(0);
    await expect.poll(() => isAlive(command)).toBe(false);
  });
});

/** Writes into a pipe that is open elsewhere until it takes no more. */
function fill(pipe: string): void {
  const descriptor = openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK);
  const page = new Uint8Array(4096);
  try {
    while (writeSync(descriptor, page) > 0);
  } catch (error) {
    expect((error as NodeJS.ErrnoException).code).toBe("EAGAIN");
  }
  closeSync(descriptor);
}

/** Whether a thread of the process is within a write to its standard output. */
function writesToOutput(pid: number): boolean {
  const write = process.arch === "x64" ? "1" : "64";
  return readdirSync(`/proc/${pid}/task`).some((thread) => {
    const [call, descriptor] = readFileSync(`/proc/${pid}/task/${thread}/syscall`, "latin1").split(" ");
    return call === write && descriptor === "0x1";
  });
}

describe.skipIf(!isRoot)("a reader that does not read", () => {
  test("holds up neither the end of the probes nor, from the second Ctrl-C on, that of the program", async () => {
    const folder = mkdtempSync(join(tmpdir(), "tracedeck-stuck-"));
    const pipe = join(folder, "pipe");
    execFileSync("mkfifo", [pipe]);
    // Open for both: nobody reads, and a write waits, for it is full.
    const output = openSync(pipe, constants.O_RDWR);
    fill(pipe);
    const flood = 'tracepoint:raw_syscalls:sys_enter { printf("%d %s\\n", args.id, comm); }';
    const run = spawn(CLI[0], [CLI[1], "run", "-q", "-e", flood], { stdio: ["ignore", output, "ignore"] });
    const over = once(run, "exit");
    let programs: number[] = [];
    await expect.poll(() => (programs = programsOf(run.pid!)).length).toBe(1);
    await expect.poll(() => writesToOutput(run.pid!)).toBe(true);
    run.kill("SIGINT");
    await wait(1000);
    expect(isAlive(run.pid!)).toBe(true);
    run.kill("SIGINT");
    expect(await Promise.race([over, wait(20_000, "still there")])).toEqual([null, "SIGINT"]);
    expect(await leftAfter(programs, 20_000)).toEqual([]);
    closeSync(output);
    rmSync(folder, { recursive: true });
  });
});
