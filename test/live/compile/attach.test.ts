/** Scripts attached to this machine's kernel, and work whose events are known. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { kernelAtLeast } from "libbpf-ts";
import { describe, expect, test } from "vitest";
import { compile } from "../../../src/engine/compile/compile.ts";
import { liveKernel } from "../../../src/engine/kernel/live.ts";
import { commandPath } from "../../support/cli.ts";
import { slowness, ticksOf } from "../../support/slowness.ts";
import { LoadedPlan } from "./harness.ts";

const kernel = liveKernel();

function traced(source: string, work: () => void, check: (loaded: LoadedPlan) => void): void {
  const { plan, diagnostics } = compile(source, kernel, {});
  expect(diagnostics.filter((d) => d.severity === "error").map((d) => d.message)).toEqual([]);
  using loaded = new LoadedPlan(plan!, source);
  loaded.attach();
  work();
  check(loaded);
}

const READS = 1000;
/** READS reads of 3 bytes and as many writes, by a program named dd, plus what its start takes. */
const dd = () =>
  execFileSync("dd", ["if=/dev/zero", "of=/dev/null", "bs=3", `count=${READS}`], { stdio: "ignore" });

const total = (entries: Map<string, bigint[]>): bigint =>
  [...entries.values()].reduce((sum, words) => sum + words[0], 0n);

const is = (name: string) => `comm == "${name}"`;

/** Runs a command under a name of its own, which nothing else on this machine has. */
function underName(name: string, command: string, args: readonly string[] = [], times = 1): void {
  const folder = mkdtempSync(join(tmpdir(), "tracedeck-name-"));
  const link = join(folder, name);
  symlinkSync(commandPath(command)!, link);
  for (let i = 0; i < times; i++) execFileSync(link, args);
  rmSync(folder, { recursive: true });
}

describe("tracepoints", () => {
  test("one system call through its tracepoint", () => {
    traced(
      `tracepoint:syscalls:sys_enter_read /${is("dd")} && args.count == 3/ { @ = count(); @h = hist(args.count); }`,
      dd,
      (loaded) => {
        expect(loaded.plan.probes[0].via).toBe("tracepoint");
        expect(loaded.words("@")[0]).toBe(BigInt(READS));
        expect(loaded.words("@h")[3]).toBe(BigInt(READS));
      },
    );
  });

  test("several system calls through raw_syscalls, told apart by number", () => {
    traced(
      `tracepoint:syscalls:sys_enter_read,tracepoint:syscalls:sys_enter_write /${is("dd")}/ { @[probe] = count(); }`,
      dd,
      (loaded) => {
        expect(loaded.plan.probes.map((p) => p.via)).toEqual(["raw-syscall", "raw-syscall"]);
        expect(loaded.plan.programs).toHaveLength(1);
        const counts = loaded.entries("@");
        expect(counts.get("00000000")![0]).toBeGreaterThanOrEqual(BigInt(READS));
        expect(counts.get("01000000")![0]).toBeGreaterThanOrEqual(BigInt(READS));
        expect(counts.get("00000000")![0]).toBeLessThan(BigInt(READS + 50));
      },
    );
  });

  test("all system calls through one program and a table", () => {
    traced(
      `tracepoint:syscalls:sys_enter_* /${is("dd")}/ { @[probe] = count(); }
       tracepoint:syscalls:sys_exit_* /${is("dd")} && args.ret == 3/ { @r[probe] = count(); }`,
      dd,
      (loaded) => {
        expect(loaded.plan.programs).toHaveLength(2);
        const named = (map: string, probe: string) => {
          const key = new DataView(new ArrayBuffer(4));
          key.setUint32(
            0,
            loaded.plan.probes.findIndex((p) => p.name === probe),
            true,
          );
          return loaded.entries(map).get(Buffer.from(key.buffer).toString("hex"))?.[0] ?? 0n;
        };
        expect(named("@", "tracepoint:syscalls:sys_enter_read")).toBeGreaterThanOrEqual(BigInt(READS));
        expect(named("@", "tracepoint:syscalls:sys_enter_execve")).toBeGreaterThanOrEqual(0n);
        expect(named("@", "tracepoint:syscalls:sys_enter_getppid")).toBe(0n);
        expect(named("@r", "tracepoint:syscalls:sys_exit_read")).toBe(BigInt(READS));
        expect(named("@r", "tracepoint:syscalls:sys_exit_write")).toBe(BigInt(READS));
      },
    );
  });

  test.each(["raw", "tracepoint"])("arguments and results are the same when attached as %s", (how) => {
    traced(
      `config = { syscall_attach="${how}" }
       tracepoint:syscalls:sys_enter_openat /${is("cat")}/ { @[str(args.filename, 64)] = count(); @f = args.flags; }
       tracepoint:syscalls:sys_exit_openat /${is("cat")} && args.ret == -2/ { @missing = count(); }`,
      () => {
        try {
          execFileSync("cat", ["/proc/version", "/no/such/file"], { stdio: "ignore" });
        } catch {}
      },
      (loaded) => {
        expect(loaded.plan.probes[0].via).toBe(how === "raw" ? "raw-syscall" : "tracepoint");
        const files = [...loaded.entries("@").keys()].map(
          (k) => Buffer.from(k, "hex").toString().split("\0")[0],
        );
        expect(files).toContain("/proc/version");
        expect(files).toContain("/no/such/file");
        expect(loaded.words("@missing")[0]).toBeGreaterThanOrEqual(1n);
      },
    );
  });

  test("a tracepoint's strings, in the record and behind it", () => {
    traced(
      `tracepoint:sched:sched_process_exec { @[comm, str(args.filename, 64)] = count(); }
       tracepoint:sched:sched_process_exit { @gone[args.comm] = count(); }`,
      () => execFileSync("/bin/true"),
      (loaded) => {
        const texts = (map: string) =>
          [...loaded.entries(map).keys()].map((k) =>
            Buffer.from(k, "hex").toString().replace(/\0+/g, " ").trim(),
          );
        expect(texts("@").some((t) => /^true .*\/true$/.test(t))).toBe(true);
        expect(texts("@gone")).toContain("true");
      },
    );
  });

  test("one program for several tracepoints, told apart by cookie", () => {
    traced(
      `tracepoint:sched:sched_process_exec,tracepoint:sched:sched_process_exit /${is("tracedeck-true")}/ { @[probe] = count(); }`,
      () => underName("tracedeck-true", "true", [], 3),
      (loaded) => {
        expect(loaded.plan.programs).toHaveLength(kernelAtLeast("5.15") ? 1 : 2);
        const counts = loaded.entries("@");
        expect(counts.get("00000000")?.[0]).toBe(3n);
        expect(counts.get("01000000")?.[0]).toBe(3n);
      },
    );
  });

  test("latency by a start kept per thread", () => {
    traced(
      `tracepoint:syscalls:sys_enter_clock_nanosleep /${is("tracedeck-nap")}/ { @s[tid] = nsecs; }
       tracepoint:syscalls:sys_exit_clock_nanosleep /@s[tid]/ { @ms = lhist((nsecs - @s[tid]) / 1000000, 0, 200, 50); delete(@s, tid); }`,
      () => underName("tracedeck-nap", "sleep", ["0.07"]),
      (loaded) => {
        const [below, upTo50, from50, ...later] = loaded.words("@ms");
        expect([below, upTo50]).toEqual([0n, 0n]);
        // An emulated processor may wake it late.
        expect(from50 + (slowness > 1 ? later.reduce((sum, n) => sum + n, 0n) : 0n)).toBe(1n);
        expect(loaded.entries("@s").size).toBe(0);
      },
    );
  });
});

describe("raw tracepoints", () => {
  test("arguments by number and by name, structs behind them", () => {
    traced(
      `rawtracepoint:sched_process_exec { $t = (struct task_struct *)arg0; @[$t.comm] = count(); @p = args.p == $t ? 1 : 0; }`,
      () => execFileSync("/bin/true"),
      (loaded) => {
        const names = [...loaded.entries("@").keys()].map(
          (k) => Buffer.from(k, "hex").toString().split("\0")[0],
        );
        expect(names).toContain("true");
        expect(loaded.words("@p")[0]).toBe(1n);
      },
    );
  });
});

describe("timers and counters", () => {
  test("interval and profile fire", async () => {
    const source =
      "interval:ms:20 { @i = count(); } profile:ms:20 { @p[cpu] = count(); @k[kstack] = count(); }";
    const { plan } = compile(source, kernel, {});
    using loaded = new LoadedPlan(plan!, source);
    const begun = performance.now();
    loaded.attach();
    await new Promise((resolve) => setTimeout(resolve, 300));
    // Nothing is counted between the reads.
    loaded.detach();
    const ticks = Number(loaded.words("@i")[0]);
    expect(ticks).toBeGreaterThanOrEqual(ticksOf(8));
    expect(ticks).toBeLessThanOrEqual((performance.now() - begun) / 20 + 1);
    // A CPU that is idle all the while has no sample.
    expect(loaded.entries("@p").size).toBeGreaterThan(0);
    expect(loaded.entries("@p").size).toBeLessThanOrEqual(kernel.onlineCpus.length);
    expect(total(loaded.entries("@k"))).toBe(total(loaded.entries("@p")));
  });

  test("software events", () => {
    traced(
      `software:page-faults:1 /${is("true")}/ { @ = count(); }`,
      () => execFileSync("/bin/true"),
      (loaded) => expect(loaded.words("@")[0]).toBeGreaterThan(20n),
    );
  });
});

describe("user functions", () => {
  test("arguments, results and both ends told apart", () => {
    const probe = "libc:getenv";
    traced(
      `uprobe:${probe} /${is("dd")}/ { @a[str(uptr((int8*)arg0), 64)] = count(); @in[tid] = arg0; @f[func] = count(); }
       uretprobe:${probe} /@in[tid]/ { @out = count(); @null = sum(retval == 0 ? 1 : 0); }`,
      () => execFileSync("dd", ["if=/dev/null", "of=/dev/null"], { stdio: "ignore", env: {} }),
      (loaded) => {
        const names = [...loaded.entries("@a").keys()].map(
          (k) => Buffer.from(k, "hex").toString().split("\0")[0],
        );
        expect(names.length).toBeGreaterThan(0);
        expect(loaded.words("@out")[0]).toBe(total(loaded.entries("@a")));
        const frame = Buffer.from([...loaded.entries("@f").keys()][0], "hex");
        expect(frame.readUInt32LE(12)).toBe(1);
      },
    );
  });
});

test("programs do nothing while tracing is off", () => {
  const source = "tracepoint:syscalls:sys_enter_read { @ = count(); }";
  const { plan } = compile(source, kernel, {});
  using loaded = new LoadedPlan(plan!, source);
  loaded.disable();
  loaded.attach();
  readFileSync("/proc/version");
  expect(loaded.words("@")[0]).toBe(0n);
});
