/** Processes that become others: by losing their first thread, by executing, by ending and leaving their number. */
import { execFileSync, spawn } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ElfFile, ElfSymbols, type TaskEvent, TaskEvents } from "libbpf-ts";
import { describe, expect, test } from "vitest";
import { isAlive, mappingsOf, processStat } from "../../../src/engine/kernel/processes.ts";
import { Processes } from "../../../src/engine/symbols/processes.ts";
import { alone } from "../../support/machine.ts";
import { runScript } from "../../support/script.ts";
import {
  alike,
  atCalls,
  canTraceC,
  emulated,
  fixed,
  type Known,
  looks,
  stacksOf,
  start,
  whole,
} from "./support.ts";

/** For a shell. */
const manyProcesses = (count: number) => `i=0; while [ $i -lt ${count} ]; do /bin/true; i=$((i + 1)); done`;

/** Where `leaf` lies in the memory of the program with fixed addresses. */
function addressOfLeaf(): bigint {
  using elf = ElfFile.open(fixed.path);
  return BigInt(ElfSymbols.readAll(elf, "").find("leaf")!.address) + 4n;
}

describe.skipIf(!canTraceC)("a process whose first thread has ended", () => {
  test("is alive, and its frames have names", async () => {
    const program = start(whole.path, "headless", "3");
    await program.ready();
    await expect.poll(() => processStat(program.pid)?.state).toBe("Z");
    expect(isAlive(program.pid)).toBe(true);
    const args = ["-p", String(program.pid)];
    const { stdout, stderr } = await runScript(atCalls("@[ustack(3)] = count();"), args, async () => {
      program.go();
      await program.ready();
      await looks();
      await program.end();
    });
    expect(stderr).toBe("");
    expect(stacksOf(stdout)).toEqual(new Map([["leaf middle outer", 3]]));
    expect(isAlive(program.pid)).toBe(false);
  });

  test("is not ended while others run, as events tell", async () => {
    using processes = new Processes();
    processes.watch();
    const program = start(whole.path, "headless", "3");
    await program.ready();
    await expect.poll(() => processStat(program.pid)?.state).toBe("Z");
    processes.catchUp();
    expect(processes.get(program.pid).ended).toBe(false);
    program.go();
    await program.end();
    processes.catchUp();
    expect(processes.get(program.pid).ended).toBe(true);
  });
});

describe.skipIf(!canTraceC)("a process of a file with another script's letters", () => {
  test("is found by that name", async () => {
    const folder = mkdtempSync(join(tmpdir(), "tracedeck-Ω "));
    const path = join(folder, "naïve");
    copyFileSync(whole.path, path);
    const program = start(path, "told", "1");
    await program.ready();
    expect(mappingsOf(program.pid).map((mapping) => mapping.path)).toContain(path);
    await program.end();
    rmSync(folder, { recursive: true });
  });
});

describe.skipIf(!canTraceC)("a process that executes another program", () => {
  test("has that one's names, also when the kernel had no room for the event", async () => {
    using processes = new Processes();
    processes.watch();
    const other = start(alike.path);
    const becomes = start(fixed.path, "becomes", "1", alike.path);
    await Promise.all([other.ready(), becomes.ready()]);
    processes.catchUp();
    const leaf = addressOfLeaf();
    expect(processes.get(other.pid).resolve(leaf)?.name).not.toBe("leaf");
    expect(processes.get(becomes.pid).resolve(leaf)?.name).toBe("leaf");
    // Fills the rings, which nobody reads.
    execFileSync("sh", ["-c", manyProcesses(emulated ? 500 : 1500)]);
    becomes.go();
    await becomes.ready();
    execFileSync("/bin/true");
    const begun = processes.lost;
    for (let i = 0; i < 8 && processes.lost === begun; i++) {
      processes.catchUp();
      // A loss is told with the next event of its CPU.
      execFileSync("sh", ["-c", "for i in 1 2 3 4 5 6 7 8; do /bin/true; done"]);
    }
    expect(processes.lost).toBeGreaterThan(0);
    expect(processes.get(becomes.pid).resolve(leaf)?.name).not.toBe("leaf");
    await Promise.all([other.end(), becomes.end()]);
  });
});

describe.skipIf(!canTraceC)("a process that was there before", () => {
  test("is known from its first child on, of which there may be many", async () => {
    const shell = start("/bin/sh");
    shell.child.stdin!.write("echo ready\n");
    await shell.ready();
    using processes = new Processes();
    processes.watch();
    processes.catchUp();
    expect(processes.has(shell.pid)).toBe(false);
    shell.child.stdin!.write("/bin/true; echo ready\n");
    await shell.ready();
    processes.catchUp();
    expect(processes.has(shell.pid)).toBe(true);
    await shell.end();
  });
});

describe.skipIf(!canTraceC || !existsSync("/proc/sys/kernel/ns_last_pid"))(
  "a number that is used again",
  () => {
    /** Another program under the number of one that has ended; undefined: others had it sooner. */
    async function successor(pid: number): Promise<Known | undefined> {
      for (let i = 0; i < 20; i++) {
        writeFileSync("/proc/sys/kernel/ns_last_pid", String(pid - 1));
        const program = start(alike.path);
        await program.ready();
        if (program.pid === pid) return program;
        await program.end();
      }
      return undefined;
    }

    async function isToldApart(watched: boolean): Promise<boolean> {
      using processes = new Processes();
      if (watched) processes.watch();
      const first = start(fixed.path, "told", "1");
      await first.ready();
      processes.catchUp();
      const leaf = addressOfLeaf();
      expect(processes.get(first.pid).resolve(leaf)?.name).toBe("leaf");
      await first.end();
      processes.catchUp();
      expect(processes.get(first.pid).resolve(leaf)?.name).toBe("leaf");
      const second = await successor(first.pid);
      if (!second) return false;
      // Where nobody tells, /proc is asked again after a while.
      if (!watched) await looks();
      processes.catchUp();
      expect(processes.get(first.pid).resolve(leaf)?.name).not.toBe("leaf");
      await second.end();
      return true;
    }

    test.each([
      ["watched", true],
      ["not watched", false],
    ])("has the names of its new process: %s", (_, watched) =>
      alone("ns_last_pid", async () => {
        for (let i = 0; i < 10; i++) if (await isToldApart(watched)) return;
        throw new Error("no number could be used again");
      }),
    );
  },
);

describe.skipIf(!canTraceC)("events of processes", () => {
  test("come in the order in which they happened, from whichever CPU", async () => {
    using events = new TaskEvents("all", 1024);
    const shell = spawn("sh", ["-c", manyProcesses(emulated ? 50 : 300)]);
    const over = new Promise((done) => shell.on("close", done));
    const children = new Set<number>();
    const seen = new Map<number, TaskEvent["kind"][]>();
    const drain = () =>
      events.drain((event) => {
        if (event.kind === "fork" && event.parent === shell.pid) children.add(event.pid);
        const kinds = seen.get(event.pid) ?? [];
        if (kinds.at(-1) !== event.kind) kinds.push(event.kind);
        seen.set(event.pid, kinds);
      });
    let running = true;
    void over.then(() => {
      running = false;
    });
    while (running) {
      for (let i = 0; i < 200; i++) drain();
      await new Promise(setImmediate);
    }
    drain();
    expect(events.lost).toBe(0);
    expect(children.size).toBe(emulated ? 50 : 300);
    for (const pid of children) expect(seen.get(pid)?.slice(0, 3)).toEqual(["fork", "exec", "map"]);
  });
});
