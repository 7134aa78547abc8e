/** Scripts attached to this machine's kernel, and work whose events are known. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { kernelAtLeast } from "libbpf-ts";
import { afterAll, describe, expect, test } from "vitest";
import { compile } from "../../../src/engine/compile/compile.ts";
import { liveKernel } from "../../../src/engine/kernel/live.ts";
import { commandPath } from "../../support/cli.ts";
import { ticksOf } from "../../support/slowness.ts";
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
const folder = mkdtempSync(join(tmpdir(), "tracedeck-attach-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A program by a name that nobody else runs it by. */
function own(command: string): { path: string; is: string } {
  const name = `${command}-${process.pid}`;
  const path = join(folder, name);
  if (!existsSync(path)) symlinkSync(commandPath(command)!, path);
  return { path, is: `comm == "${name}"` };
}

const dd = own("dd");
/** READS reads of 3 bytes and as many writes, plus what its start takes. */
const runDd = () =>
  execFileSync(dd.path, ["if=/dev/zero", "of=/dev/null", "bs=3", `count=${READS}`], { stdio: "ignore" });
const cat = own("cat");
const brief = own("true");
const nap = own("sleep");

const total = (entries: Map<string, bigint[]>): bigint =>
  [...entries.values()].reduce((sum, words) => sum + words[0], 0n);

describe("tracepoints", () => {
  test("one system call through its tracepoint", () => {
    traced(
      `tracepoint:syscalls:sys_enter_read /${dd.is} && args.count == 3/ { @ = count(); @h = hist(args.count); }`,
      runDd,
      (loaded) => {
        expect(loaded.plan.probes[0].via).toBe("tracepoint");
        expect(loaded.words("@")[0]).toBe(BigInt(READS));
        expect(loaded.words("@h")[3]).toBe(BigInt(READS));
      },
    );
  });

  test("several system calls through raw_syscalls, told apart by number", () => {
    traced(
      `tracepoint:syscalls:sys_enter_read,tracepoint:syscalls:sys_enter_write /${dd.is}/ { @[probe] = count(); }`,
      runDd,
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
      `tracepoint:syscalls:sys_enter_* /${dd.is}/ { @[probe] = count(); }
       tracepoint:syscalls:sys_exit_* /${dd.is} && args.ret == 3/ { @r[probe] = count(); }`,
      runDd,
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
       tracepoint:syscalls:sys_enter_openat /${cat.is}/ { @[str(args.filename, 64)] = count(); @f = args.flags; }
       tracepoint:syscalls:sys_exit_openat /${cat.is} && args.ret == -2/ { @missing = count(); }`,
      () => {
        try {
          execFileSync(cat.path, ["/proc/version", "/no/such/file"], { stdio: "ignore" });
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
      () => execFileSync(brief.path),
      (loaded) => {
        const texts = (map: string) =>
          [...loaded.entries(map).keys()].map((k) =>
            Buffer.from(k, "hex").toString().replace(/\0+/g, " ").trim(),
          );
        const name = basename(brief.path);
        expect(texts("@")).toContain(`${name} ${brief.path}`);
        expect(texts("@gone")).toContain(name);
      },
    );
  });

  test("one program for several tracepoints, told apart by cookie", () => {
    traced(
      `tracepoint:sched:sched_process_exec,tracepoint:sched:sched_process_exit /${brief.is}/ { @[probe] = count(); }`,
      () => {
        for (let i = 0; i < 3; i++) execFileSync(brief.path);
      },
      (loaded) => {
        expect(loaded.plan.programs).toHaveLength(kernelAtLeast("5.15") ? 1 : 2);
        const counts = loaded.entries("@");
        expect(counts.get("00000000")?.[0]).toBe(3n);
        expect(counts.get("01000000")?.[0]).toBe(3n);
      },
    );
  });

  test("latency by a start kept per thread", () => {
    let wall = 0;
    traced(
      `tracepoint:syscalls:sys_enter_clock_nanosleep /${nap.is}/ { @s[tid] = nsecs; }
       tracepoint:syscalls:sys_exit_clock_nanosleep /@s[tid]/ { @ms = lhist((nsecs - @s[tid]) / 1000000, 0, 10000, 10); @n = count(); delete(@s, tid); }`,
      () => {
        const begun = performance.now();
        execFileSync(nap.path, ["0.07"]);
        wall = performance.now() - begun;
      },
      (loaded) => {
        expect(loaded.words("@n")[0]).toBe(1n);
        // One bucket below 0, then one for each 10 ms.
        const bucket = loaded.words("@ms").indexOf(1n) - 1;
        expect(bucket).toBeGreaterThanOrEqual(7);
        expect(bucket).toBeLessThanOrEqual(wall / 10);
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
  test("interval and profile fire", () => {
    const source =
      "interval:ms:20 { @i = count(); } profile:ms:20 { @p[cpu] = count(); @k[kstack] = count(); }";
    const { plan } = compile(source, kernel, {});
    using loaded = new LoadedPlan(plan!, source);
    const begun = performance.now();
    loaded.attach();
    // This CPU is not idle: one that is all the while has no sample.
    while (performance.now() - begun < 300);
    // Nothing is counted between the reads.
    loaded.detach();
    const ticks = Number(loaded.words("@i")[0]);
    expect(ticks).toBeGreaterThanOrEqual(ticksOf(8));
    expect(ticks).toBeLessThanOrEqual((performance.now() - begun) / 20 + 1);
    expect(loaded.entries("@p").size).toBeGreaterThan(0);
    expect(loaded.entries("@p").size).toBeLessThanOrEqual(kernel.onlineCpus.length);
    expect(total(loaded.entries("@k"))).toBe(total(loaded.entries("@p")));
  });

  test("software events", () => {
    traced(
      `software:page-faults:1 /${brief.is}/ { @ = count(); }`,
      () => execFileSync(brief.path),
      (loaded) => expect(loaded.words("@")[0]).toBeGreaterThan(20n),
    );
  });
});

describe("user functions", () => {
  test("arguments, results and both ends told apart", () => {
    const probe = "libc:getenv";
    traced(
      `uprobe:${probe} /${dd.is}/ { @a[str(uptr((int8*)arg0), 64)] = count(); @in[tid] = arg0; @f[func] = count(); }
       uretprobe:${probe} /@in[tid]/ { @out = count(); @null = sum(retval == 0 ? 1 : 0); }`,
      () => execFileSync(dd.path, ["if=/dev/null", "of=/dev/null"], { stdio: "ignore", env: {} }),
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
