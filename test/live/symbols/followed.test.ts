/** Processes that become others: by losing their first thread, by executing, by ending and leaving their number. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ElfFile, ElfSymbols, type TaskEvent, TaskEvents } from "libbpf-ts";
import { describe, expect, test } from "vitest";
import { isAlive, mappingsOf, processStat } from "../../../src/engine/kernel/processes.ts";
import { Processes } from "../../../src/engine/symbols/processes.ts";
import { runScript } from "../../support/script.ts";
import { alike, atCalls, canTraceC, emulated, fixed, stacksOf, whole } from "./support.ts";

/** For a shell. */
const manyProcesses = (count: number) => `i=0; while [ $i -lt ${count} ]; do /bin/true; i=$((i + 1)); done`;

const sleep = (milliseconds: number) => new Promise((done) => setTimeout(done, milliseconds));

function start(path: string, ...args: string[]): ChildProcess & { pid: number; over: Promise<unknown> } {
  const child = spawn(path, args, { stdio: ["pipe", "ignore", "ignore"] });
  return Object.assign(child as ChildProcess & { pid: number }, {
    over: new Promise((done) => child.on("close", done)),
  });
}

/** Where `leaf` lies in the memory of the program with fixed addresses. */
function addressOfLeaf(): bigint {
  using elf = ElfFile.open(fixed.path);
  return BigInt(ElfSymbols.readAll(elf, "").find("leaf")!.address) + 4n;
}

describe.skipIf(!canTraceC)("a process whose first thread has ended", () => {
  test("is alive, and its frames have names", async () => {
    const child = start(whole.path, "headless", "3");
    while (processStat(child.pid)?.state !== "Z") await sleep(20);
    expect(isAlive(child.pid)).toBe(true);
    const args = ["-p", String(child.pid)];
    const { stdout, stderr } = await runScript(atCalls("@[ustack(3)] = count();"), args, async () => {
      child.stdin!.end("go\n");
      await child.over;
    });
    expect(stderr).toBe("");
    expect(stacksOf(stdout)).toEqual(new Map([["leaf middle outer", 3]]));
    expect(isAlive(child.pid)).toBe(false);
  });

  test("is not ended while others run, as events tell", async () => {
    using processes = new Processes();
    processes.watch();
    const child = start(whole.path, "headless", "3");
    await sleep(300);
    processes.catchUp();
    expect(processes.get(child.pid).ended).toBe(false);
    child.stdin!.end("go\n");
    await child.over;
    processes.catchUp();
    expect(processes.get(child.pid).ended).toBe(true);
  });
});

describe.skipIf(!canTraceC)("a process of a file with another script's letters", () => {
  test("is found by that name", async () => {
    const folder = mkdtempSync(join(tmpdir(), "tracedeck-Ω "));
    const path = join(folder, "naïve");
    copyFileSync(whole.path, path);
    const child = start(path, "told", "1");
    await sleep(200);
    expect(mappingsOf(child.pid).map((mapping) => mapping.path)).toContain(path);
    child.stdin!.end("go\n");
    await child.over;
    rmSync(folder, { recursive: true });
  });
});

describe.skipIf(!canTraceC)("a process that executes another program", () => {
  test("has that one's names, also when the kernel had no room for the event", async () => {
    using processes = new Processes();
    processes.watch();
    const child = start(alike.path);
    const becomes = start(fixed.path, "becomes", "1", alike.path);
    await sleep(200);
    processes.catchUp();
    const leaf = addressOfLeaf();
    expect(processes.get(child.pid).resolve(leaf)?.name).not.toBe("leaf");
    expect(processes.get(becomes.pid).resolve(leaf)?.name).toBe("leaf");
    // Fills the rings, which nobody reads.
    execFileSync("sh", ["-c", manyProcesses(emulated ? 500 : 1500)]);
    becomes.stdin!.write("go\n");
    await sleep(300);
    execFileSync("/bin/true");
    const begun = processes.lost;
    for (let i = 0; i < 8 && processes.lost === begun; i++) {
      processes.catchUp();
      // A loss is told with the next event of its CPU.
      execFileSync("sh", ["-c", "for i in 1 2 3 4 5 6 7 8; do /bin/true; done"]);
    }
    expect(processes.lost).toBeGreaterThan(0);
    expect(processes.get(becomes.pid).resolve(leaf)?.name).not.toBe("leaf");
    child.kill();
    becomes.kill();
    await Promise.all([child.over, becomes.over]);
  });
});

describe.skipIf(!canTraceC)("a process that was there before", () => {
  test("is known from its first child on, of which there may be many", async () => {
    const shell = start("/bin/sh");
    await sleep(100);
    using processes = new Processes();
    processes.watch();
    processes.catchUp();
    expect(processes.has(shell.pid)).toBe(false);
    shell.stdin!.write("/bin/sleep 1 & wait\n");
    await sleep(200);
    processes.catchUp();
    expect(processes.has(shell.pid)).toBe(true);
    shell.kill("SIGKILL");
    await shell.over;
  });
});

describe.skipIf(!canTraceC || !existsSync("/proc/sys/kernel/ns_last_pid"))(
  "a number that is used again",
  () => {
    /** Another program under the number of one that has ended. */
    async function successor(pid: number): Promise<ReturnType<typeof start>> {
      for (let i = 0; i < 50; i++) {
        writeFileSync("/proc/sys/kernel/ns_last_pid", String(pid - 1));
        const child = start(alike.path);
        if (child.pid === pid) return child;
        child.kill();
        await child.over;
      }
      throw new Error(`no process could be given the number ${pid}`);
    }

    test.each(["watched", "not watched"])("has the names of its new process: %s", async (how) => {
      using processes = new Processes();
      if (how === "watched") processes.watch();
      const first = start(fixed.path, "told", "1");
      await sleep(200);
      processes.catchUp();
      const leaf = addressOfLeaf();
      expect(processes.get(first.pid).resolve(leaf)?.name).toBe("leaf");
      first.kill();
      await first.over;
      processes.catchUp();
      expect(processes.get(first.pid).resolve(leaf)?.name).toBe("leaf");
      const second = await successor(first.pid);
      await sleep(200);
      processes.catchUp();
      expect(processes.get(first.pid).resolve(leaf)?.name).not.toBe("leaf");
      second.kill();
      await second.over;
    });
  },
);

describe.skipIf(!canTraceC)("events of processes", () => {
  test("come in the order in which they happened, from whichever CPU", async () => {
    using events = new TaskEvents("all", 256);
    const seen = new Map<number, TaskEvent["kind"][]>();
    const drain = () =>
      events.drain((event) => {
        const kinds = seen.get(event.pid) ?? [];
        if (kinds.at(-1) !== event.kind) kinds.push(event.kind);
        seen.set(event.pid, kinds);
      });
    const many = emulated ? 50 : 300;
    const over = new Promise((done) => spawn("sh", ["-c", manyProcesses(many)]).on("close", done));
    let running = true;
    void over.then(() => {
      running = false;
    });
    while (running) {
      for (let i = 0; i < 200; i++) drain();
      await new Promise(setImmediate);
    }
    drain();
    const whole = [...seen.values()].filter((kinds) => kinds.includes("fork") && kinds.includes("exec"));
    expect(whole.length).toBeGreaterThanOrEqual(many);
    expect(events.lost).toBe(0);
    for (const kinds of whole) expect(kinds.slice(0, 3)).toEqual(["fork", "exec", "map"]);
  });
});
