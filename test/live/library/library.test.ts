/**
 * Every bundled script is compiled, loaded and attached on this kernel; a process of ours does known work meanwhile, and
 * the maps must say so.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadLibrary } from "../../../src/library/index.ts";
import { isRoot } from "../../support/cli.ts";
import { runScript } from "../../support/script.ts";
import { ticksOf } from "../../support/slowness.ts";
import { Victim } from "./victim.ts";

/** On a disk where there is one: /tmp is often memory. */
const folder = mkdtempSync("/var/tmp/tracedeck-library-");
const path = (name: string) => join(folder, name);
const SLEEP = "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 40);";
/**
 * The time runs from before the call, so that what the kernel sees of a sleep is shorter where the thread was kept from
 * running in between. That is rare: of these, most are whole.
 */
const SLEEPS = SLEEP.repeat(4);
/** A bucket of such sleeps; a longer one where the machine is busy. */
const slept = (name: string) =>
  new RegExp(`${name}:\\n(?:\\[.*\\n)*\\[(?:32K, 64K|64K, 128K|128K, 256K|256K, 512K|512K, 1M)\\) +[1-9]`);
/** Computes for some milliseconds of CPU time, however busy the machine is. */
const compute = (ms: number) =>
  `for (const start = process.cpuUsage().user; process.cpuUsage().user - start < ${ms * 1000}; );`;

const CONNECT = `
  const server = net.createServer((socket) => socket.end());
  await new Promise((done) => server.listen(PORT, "127.0.0.1", done));
  for (let i = 0; i < 3; i++) {
    const socket = net.connect(PORT, "127.0.0.1");
    socket.resume();
    await new Promise((done) => socket.on("close", done));
  }
  await new Promise((done) => server.close(done));`;

const REFUSED = `
  for (let i = 0; i < 3; i++) {
    const socket = net.connect(9, "127.0.0.1");
    await new Promise((done) => socket.on("error", done));
  }`;

interface Row {
  /** Options of the script. */
  options?: (victim: Victim) => string[];
  work: string;
  /** What the output must hold; of the numbers that are captured one must be at least `least`. */
  shows: (string | RegExp)[];
  least?: number;
}

const pidOption = (victim: Victim) => [`--pid=${victim.pid}`];

const ROWS: Record<string, Row> = {
  "syscalls/by-process": {
    options: pidOption,
    work: "for (let i = 0; i < 50; i++) process.kill(process.pid, 0);",
    shows: ["@by_call[kill]: 50", /@calls\[[^,]+, PID\]: (\d+)/],
    least: 50,
  },
  "syscalls/failed": {
    options: pidOption,
    work: `for (let i = 0; i < 7; i++) try { fs.openSync("/nonexistent/file"); } catch {}`,
    shows: ["@by_call[openat, ENOENT]: 7", /@errors\[[^,]+, PID, ENOENT, 2\]: 7/],
  },
  "syscalls/latency": {
    options: pidOption,
    work: SLEEPS,
    shows: [slept("@us\\[futex\\]"), /@worst_us\[[^,]+, PID\]: (\d+)/],
    least: 39_000,
  },
  "files/opened": {
    options: pidOption,
    work:
      `for (let i = 0; i < 5; i++) fs.closeSync(fs.openSync(${JSON.stringify(path("opened"))}, "w"));` +
      `for (let i = 0; i < 3; i++) try { fs.openSync("/nonexistent/file"); } catch {}`,
    shows: [`, ${path("opened")}]: 5`, ", /nonexistent/file, 2]: 3"],
  },
  "files/read-write-sizes": {
    options: pidOption,
    work:
      `const file = fs.openSync(${JSON.stringify(path("sizes"))}, "w+");` +
      "for (let i = 0; i < 20; i++) fs.writeSync(file, Buffer.alloc(1000), 0, 1000, 0);" +
      "for (let i = 0; i < 30; i++) fs.readSync(file, Buffer.alloc(1000), 0, 1000, 0);",
    shows: [
      /@write_bytes\[[^\]]+\]:\n(?:\[.*\n)*\[512, 1K\) +20/,
      /@read_bytes\[[^\]]+\]:\n(?:\[.*\n)*\[512, 1K\) +30/,
    ],
  },
  "files/sync": {
    work:
      `const file = fs.openSync(${JSON.stringify(path("sync"))}, "w");` +
      'for (let i = 0; i < 3; i++) { fs.writeSync(file, "x"); fs.fsyncSync(file); }',
    shows: [/@calls\[[^,]+, PID, tracepoint:syscalls:sys_exit_fsync\]: 3/],
  },
  "processes/new": {
    // By a name of its own: others start it, too.
    work:
      `fs.symlinkSync("/bin/true", ${JSON.stringify(path("brief"))});` +
      `for (let i = 0; i < 4; i++) childProcess.execFileSync(${JSON.stringify(path("brief"))});`,
    shows: [`, ${path("brief")}]: 4`, /@lived_ms\[brief\]:/, new RegExp(` > \\d+ +${path("brief")}\\n`)],
  },
  "processes/signals": {
    work:
      'process.on("SIGUSR2", () => {});' +
      'for (let i = 0; i < 3; i++) { process.kill(process.pid, "SIGUSR2"); await new Promise((done) => setTimeout(done, 20)); }',
    shows: [/@sent\[[^,]+, SIGUSR2, [^,]+\]: 3/, / PID +SIGUSR2 +12 > /],
  },
  "processes/one": {
    options: pidOption,
    work:
      `for (let i = 0; i < 6; i++) fs.closeSync(fs.openSync(${JSON.stringify(path("one"))}, "w"));${SLEEPS}` +
      compute(300),
    shows: [
      `@opened[${path("one")}]: 6`,
      "@by_call[futex]:",
      slept("@off_cpu_us"),
      /@on_cpu\[[^,]+, PID\]: (\d+)/,
    ],
    least: ticksOf(8),
  },
  "processes/locks": {
    options: pidOption,
    work: SLEEPS,
    shows: [slept("@us\\[[^\\]]+\\]"), /@waited_us\[[^,]+, PID\]: (\d+)/],
    least: 2 * 39_000,
  },
  "cpu/run-queue": { work: SLEEP.repeat(5), shows: [/@us:/, /@waited_us\[/] },
  "cpu/switches": {
    work: SLEEP.repeat(12),
    shows: [/@switches: \d+/, /@gave_up\[[^,]+, PID\]: (\d+)/],
    least: 10,
  },
  "cpu/profile": {
    options: pidOption,
    work: compute(400),
    shows: [/@user\[/, /@samples\[[^,]+, PID\]: (\d+)/],
    least: ticksOf(10),
  },
  "cpu/off-cpu": {
    options: pidOption,
    work: SLEEPS,
    shows: [slept("@us\\[[^\\]]+\\]"), /futex_/, /@waited_us\[[^,]+, PID\]: (\d+)/],
    least: 2 * 33_000,
  },
  "cpu/softirqs": { work: SLEEP.repeat(5), shows: [/@us\[(TIMER|SCHED|RCU|HRTIMER)\]:/, /@total_ns\[/] },
  "memory/page-faults": {
    options: pidOption,
    work: "Buffer.alloc(64 << 20, 1);",
    shows: [/@faults\[[^,]+, PID\]: (\d+)/],
    least: 20,
  },
  "memory/allocations": {
    options: pidOption,
    // More at a time than Node takes for itself.
    work: "for (let i = 0; i < 7; i++) Buffer.allocUnsafeSlow(48 << 20);",
    shows: [/@bytes\[[^\]]+\]:\n(?:\[.*\n)*\[32M, 64M\) +7/, /@total_bytes\[[^,]+, PID\]: (\d+)/],
    least: 7 * (48 << 20),
  },
  "network/tcp-connections": {
    options: ({ port }) => [`--port=${port}`],
    work: CONNECT,
    shows: [
      "@changes[SYN_SENT, ESTABLISHED]: 3",
      "@changes[SYN_RECV, ESTABLISHED]: 3",
      /@peers\[127.0.0.1, PORT\]: 3/,
      /@connect_us:/,
      /@lived_ms:/,
    ],
  },
  "network/packets": { work: CONNECT, shows: [/@sent_bytes\[lo\]: \d+/, /@received_size\[lo\]:/] },
  "network/drops": { work: REFUSED, shows: [/@where\[\w+\]: (\d+)/], least: 1 },
};

/** Whether this machine's disks did anything while `work` ran: containers and memory file systems have none. */
function diskRequests(): number {
  return readFileSync("/proc/diskstats", "utf8")
    .split("\n")
    .reduce((sum, line) => sum + Number(line.trim().split(/\s+/)[7] ?? 0), 0);
}

const scripts = loadLibrary();

describe.skipIf(!isRoot)("the bundled scripts on this kernel", () => {
  let victim: Victim;
  beforeAll(async () => {
    victim = new Victim();
    await victim.open();
  });
  afterAll(() => {
    victim?.[Symbol.dispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  const ready = (text: string | RegExp) =>
    typeof text === "string"
      ? text
      : new RegExp(text.source.replaceAll("PID", String(victim.pid)).replaceAll("PORT", String(victim.port)));

  test.each(scripts.filter(({ name }) => ROWS[name]).map((it) => [it.name, it.source]))(
    "%s answers its question",
    async (name, source) => {
      const { options, work, shows, least } = ROWS[name];
      const args = options ? ["--", ...options(victim)] : [];
      const { stdout, stderr, status } = await runScript(source, args, () =>
        victim.does(work.replaceAll("PORT", String(victim.port))),
      );
      expect({ stderr, status }).toEqual({ stderr: "", status: 0 });
      for (const text of shows) {
        const pattern = ready(text);
        if (typeof pattern === "string") expect(stdout).toContain(pattern);
        else expect(stdout).toMatch(pattern);
        if (least === undefined || typeof pattern === "string") continue;
        const numbers = [...stdout.matchAll(new RegExp(pattern, "g"))].flatMap(([, number]) => number ?? []);
        if (numbers.length > 0) expect(Math.max(...numbers.map(Number))).toBeGreaterThanOrEqual(least);
      }
    },
  );

  test.each(scripts.filter(({ name }) => name.startsWith("disk/")).map((it) => [it.name, it.source]))(
    "%s sees what goes to the disk",
    async (_, source) => {
      const before = diskRequests();
      const { stdout, stderr, status } = await runScript(source, [], () =>
        victim.does(
          `const file = fs.openSync(${JSON.stringify(path("disk"))}, "w");` +
            "for (let i = 0; i < 10; i++) { fs.writeSync(file, Buffer.alloc(1 << 16)); fs.fsyncSync(file); }",
        ),
      );
      expect({ stderr, status }).toEqual({ stderr: "", status: 0 });
      if (diskRequests() > before + 10) expect(stdout).toMatch(/@bytes\[.*\bF?W.*\]/);
    },
  );

  test.each(
    scripts.filter(({ name }) => !ROWS[name] && !name.startsWith("disk/")).map((it) => [it.name, it.source]),
  )("%s loads and attaches", async (_, source) => {
    const { stderr, status } = await runScript(source, [], () => victim.does(SLEEP));
    expect({ stderr, status }).toEqual({ stderr: "", status: 0 });
  });

  test("processes/one says what it needs", async () => {
    const { source } = scripts.find(({ name }) => name === "processes/one")!;
    const { stdout, status } = await runScript(source);
    expect(stdout).toContain("Say which process: --pid=NUMBER");
    expect(status).toBe(1);
  });

  test("nothing is left out", () => {
    const names = scripts.map(({ name }) => name);
    for (const name of Object.keys(ROWS)) expect(names).toContain(name);
  });
});
