/** Faults of the program itself while it traces: they end the script and leave nothing behind. */
import { setTimeout as wait } from "node:timers/promises";
import { afterEach, describe, expect, test, vi } from "vitest";
import { compileScript } from "../../../src/commands/compileScript.ts";
import { parseRunOptions } from "../../../src/commands/runOptions.ts";
import { trace } from "../../../src/commands/trace.ts";
import { isAlive } from "../../../src/engine/kernel/processes.ts";
import { Session } from "../../../src/engine/session/session.ts";
import { isRoot } from "../../support/cli.ts";
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
    expect(await leftAfter(programs, 5000)).toEqual([]);
    for (let i = 0; i < 50 && isAlive(command); i++) await wait(20);
    expect(command > 0 && isAlive(command)).toBe(false);
  });
});
