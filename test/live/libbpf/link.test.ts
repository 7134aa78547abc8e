// Attaching, with work whose count is known: every kind of link, its cookie, and that it ends.

import { execFileSync, spawn, spawnSync } from "node:child_process";
import { closeSync, existsSync, openSync, readdirSync } from "node:fs";
import {
  archFor,
  attachBreakpoint,
  attachInterval,
  attachIter,
  attachKprobe,
  attachKprobeMulti,
  attachProfile,
  attachRawTracepoint,
  attachSoftware,
  attachTracepoint,
  attachTracing,
  attachUprobe,
  attachUprobeMulti,
  ElfFile,
  ElfSymbols,
  hasFeature,
  Kallsyms,
  listLinks,
  listTracepoints,
  loadVmlinux,
  measureTrap,
  onlineCpus,
  parseUsdtArgs,
  readTracepointFormat,
  SysError,
  UnsupportedError,
  usdtProbes,
} from "libbpf-ts";
import * as asm from "libbpf-ts/asm";
import { addressOf } from "libbpf-ts/sys";
import { describe, expect, test } from "vitest";
import { canCompileUsdt, cProgram } from "../../support/programs.ts";
import { slowness, ticksOf } from "../../support/slowness.ts";
import { Cells, countHere, done, isRoot, load, onlyHere, testWith } from "./support.ts";

/** System calls that nothing else in this process makes: N times umask(2). */
function umask(times: number): void {
  for (let i = 0; i < times; i++) process.umask(0o22);
}

/** Waits for a condition, at most five seconds of a processor. */
const until = (condition: () => boolean) => expect.poll(condition, { timeout: 5000 * slowness }).toBe(true);

/** Adds the attach cookie to the second cell. */
function addCookie(cells: Cells): asm.Insn[] {
  return onlyHere([asm.mov(1, 6), asm.call("get_attach_cookie"), asm.mov(2, 0), ...cells.add(1)]);
}

describe("tracepoints", () => {
  testWith(["tracefs"], "count exactly what happened, and nothing once detached", () => {
    using cells = new Cells();
    using program = load("tracepoint", countHere(cells));
    const link = attachTracepoint(program, { category: "syscalls", name: "sys_enter_umask" });
    umask(25);
    expect(cells.get()).toBe(25);
    if (hasFeature("perf_link")) {
      expect(link.info()).toMatchObject({ type: "perf_event", progId: program.info().id });
    }
    expect(link.fds).toHaveLength(1);
    link.detach();
    umask(5);
    expect(cells.get()).toBe(25);
  });

  testWith(["tracefs", "attach_cookie"], "carry a cookie", () => {
    using cells = new Cells(2);
    using program = load("tracepoint", addCookie(cells));
    using _link = attachTracepoint(
      program,
      { category: "syscalls", name: "sys_enter_umask" },
      { cookie: 1000n },
    );
    umask(3);
    expect(cells.get(1)).toBe(3000);
  });

  testWith(["tracefs"], "fields are where the format says", () => {
    const format = readTracepointFormat("syscalls", "sys_enter_umask");
    const mask = format.fields.find(({ name }) => name === "mask")!;
    using cells = new Cells();
    using program = load("tracepoint", onlyHere([asm.ldx(8, 2, 6, mask.offset), ...cells.add()]));
    using _link = attachTracepoint(program, { category: "syscalls", name: "sys_enter_umask", id: format.id });
    process.umask(0o27);
    process.umask(0o22);
    expect(cells.get()).toBe(0o27 + 0o22);
    expect(listTracepoints("syscalls")).toContain("sys_enter_umask");
  });

  testWith(["tracefs"], "one that does not exist is named", () => {
    using program = load("tracepoint", done);
    expect(() => attachTracepoint(program, { category: "sched", name: "nope" })).toThrow(UnsupportedError);
    expect(listTracepoints("nope")).toEqual([]);
  });
});

const irqWork = { category: "irq_vectors", name: "irq_work_exit" };
describe.skipIf(!existsSync(`/sys/kernel/tracing/events/${irqWork.category}/${irqWork.name}`))(
  "tracepoints that the kernel refuses to events that sample",
  () => {
    testWith(["tracefs"], "attach", () => {
      using cells = new Cells();
      using program = load("tracepoint", countHere(cells));
      using link = attachTracepoint(program, irqWork);
      expect(link.fds).toHaveLength(1);
    });
  },
);

describe("raw tracepoints", () => {
  const umaskNumber = process.arch === "arm64" ? 166 : 95;
  const countUmask = (cells: Cells) => {
    const count = [asm.movImm(2, 1), ...cells.add()];
    const skip = count.reduce((sum, insn) => sum + asm.slots(insn), 0);
    return onlyHere([asm.ldx(8, 3, 6, 8), asm.jmpImm("ne", 3, umaskNumber, skip), ...count]);
  };

  testWith(["raw_tracepoint"], "count exactly", () => {
    using cells = new Cells();
    using program = load("raw_tracepoint", countUmask(cells));
    using link = attachRawTracepoint(program, "sys_enter");
    umask(40);
    expect(cells.get()).toBe(40);
    expect(link.info()).toMatchObject({ type: "raw_tracepoint" });
    expect(listLinks()).toContain(link.info()!.id);
  });

  testWith(["raw_tracepoint_cookie"], "carry a cookie", () => {
    using cells = new Cells(2);
    using program = load("raw_tracepoint", addCookie(cells));
    {
      using _link = attachRawTracepoint(program, "sys_enter", { cookie: 7n });
      umask(10);
    }
    expect(cells.get(1)).toBeGreaterThanOrEqual(70);
    expect(cells.get(1) % 7).toBe(0);
  });

  testWith(["raw_tracepoint"], "one that does not exist is named", () => {
    using program = load("raw_tracepoint", done);
    expect(() => attachRawTracepoint(program, "nope")).toThrow("no tracepoint named nope");
  });

  testWith(["tp_btf"], "with types", () => {
    using cells = new Cells();
    const id = loadVmlinux().findByName("btf_trace_sys_enter", "typedef")!;
    using program = load("tracing", countUmask(cells), {
      expectedAttachType: "trace_raw_tp",
      attachBtfId: id,
    });
    using _link = attachTracing(program, "trace_raw_tp");
    umask(12);
    expect(cells.get()).toBe(12);
  });
});

describe("perf events", () => {
  testWith(["perf_event"], "an interval ticks, a profile samples every CPU", async () => {
    using cells = new Cells();
    using cpus = new Cells(64);
    using tick = load("perf_event", [asm.movImm(2, 1), ...cells.add(), ...done]);
    using sample = load("perf_event", [
      asm.call("get_smp_processor_id"),
      asm.aluImm("and", 0, 63),
      asm.aluImm("lsh", 0, 3),
      asm.ldMapValue(1, cpus.map.fd),
      asm.alu("add", 1, 0),
      asm.movImm(2, 1),
      asm.atomic("add", 8, 1, 0, 2),
      ...done,
    ]);
    const begin = performance.now();
    using interval = attachInterval(tick, { periodNs: 10_000_000n });
    using profile = attachProfile(sample, { freq: 99n });
    expect(interval.fds).toHaveLength(1);
    expect(profile.fds).toHaveLength(onlineCpus().length);
    await new Promise((resolve) => setTimeout(resolve, 500));
    const ticks = cells.get();
    const elapsed = performance.now() - begin;
    expect(ticks).toBeGreaterThanOrEqual(ticksOf(25));
    expect(ticks).toBeLessThanOrEqual(elapsed / 10 + 3);
    // An idle CPU has no samples.
    const loops = onlineCpus().map(() => spawn("sh", ["-c", "while :; do :; done"]));
    try {
      await until(() => onlineCpus().every((cpu) => cpus.get(cpu) > 0));
    } finally {
      for (const loop of loops) loop.kill("SIGKILL");
    }
  });

  testWith(["perf_event"], "a software event counts page faults", () => {
    using cells = new Cells();
    using program = load("perf_event", countHere(cells));
    using _link = attachSoftware(program, "page-faults", { period: 1n });
    const before = cells.get();
    const pages = 4000;
    const memory = new Uint8Array(new ArrayBuffer(pages * 4096));
    for (let i = 0; i < memory.length; i += 4096) memory[i] = 1;
    expect(cells.get() - before).toBeGreaterThan(0);
    expect(memory[0]).toBe(1);
  });

  testWith(["perf_event"], "following one process", () => {
    using cells = new Cells();
    using program = load("perf_event", [asm.movImm(2, 1), ...cells.add(), ...done]);
    using link = attachProfile(program, { periodNs: 1_000_000n, pid: process.pid });
    expect(link.fds).toHaveLength(1);
    for (const end = performance.now() + 5000 * slowness; cells.get() <= 10 && performance.now() < end; );
    expect(cells.get()).toBeGreaterThan(10);
  });
});

testWith(["perf_event"], "a breakpoint counts writes to one variable", () => {
  const memory = new Uint32Array(new ArrayBuffer(4096));
  using cells = new Cells();
  using program = load("perf_event", [asm.movImm(2, 1), ...cells.add(), ...done]);
  const watched = addressOf(memory);
  using _link = attachBreakpoint(program, { address: watched, length: 4, on: "w", pid: process.pid });
  for (let i = 0; i < 10; i++) memory[0] = i;
  memory[100] = 1;
  expect(memory[0] + memory[100]).toBe(10);
  expect(cells.get()).toBe(10);
});

const traced = `
#include <sys/sdt.h>
#include <stdlib.h>
__attribute__((noinline)) long work(long a, long b) { __asm__ volatile(""); return a * b; }
__attribute__((noinline)) long idle(long a) { __asm__ volatile(""); return a + 1; }
unsigned short traced_probe_semaphore __attribute__((section(".probes")));
#define _SDT_HAS_SEMAPHORES 1
int main(int argc, char **argv) {
  long sum = 0;
  int times = atoi(argv[1]);
  for (long i = 0; i < times; i++) {
    sum += work(i, 3) + idle(i);
    if (traced_probe_semaphore) sum++;
    DTRACE_PROBE2(traced, probe, i, 77);
  }
  return sum == -1;
}
`;
describe("user space", () => {
  if (!isRoot || !canCompileUsdt) {
    test.skip("uprobes (needs root, gcc and sys/sdt.h: apt-get install gcc systemtap-sdt-dev)", () => {});
    return;
  }
  const binary = cProgram(traced, { flags: ["-g"] });
  const semaphores = cProgram(traced.replace("return sum == -1", "return traced_probe_semaphore"), {
    name: "semaphores",
  });
  const arch = archFor();
  const register = (name: string) => arch.registers[name];
  const addRegister = (cells: Cells, name: string, cell: number) => [
    asm.ldx(8, 2, 6, register(name)),
    ...cells.add(cell),
  ];
  const countCall = (cells: Cells) => [asm.mov(6, 1), asm.movImm(2, 1), ...cells.add()];

  /** File offsets of functions. */
  function offsets(path: string, ...names: string[]): bigint[] {
    using elf = ElfFile.open(path);
    const symbols = ElfSymbols.read(elf);
    return names.map((name) => BigInt(elf.fileOffset(symbols.find(name)!.address)!));
  }

  testWith(["uprobes"], "a function's arguments and its result", () => {
    const [work] = offsets(binary.path, "work");
    using cells = new Cells(4);
    const [first, second] = arch.functionArgs;
    using entry = load("kprobe", [
      ...countCall(cells),
      ...addRegister(cells, first, 1),
      ...addRegister(cells, second, 2),
      ...done,
    ]);
    using exit = load("kprobe", [asm.mov(6, 1), ...addRegister(cells, arch.returnRegister, 3), ...done]);
    using _entry = attachUprobe(entry, { path: binary.path, offset: work });
    using _exit = attachUprobe(exit, { path: binary.path, offset: work, ret: true });
    execFileSync(binary.path, ["100"]);
    expect([0, 1, 2, 3].map((i) => cells.get(i))).toEqual([100, 4950, 300, 3 * 4950]);
  });

  testWith(["uprobe_multi", "attach_cookie"], "many places by one link, told apart by cookie", () => {
    using cells = new Cells(2);
    const body = [
      asm.mov(6, 1),
      asm.mov(1, 6),
      asm.call("get_attach_cookie"),
      asm.mov(2, 0),
      ...cells.add(1),
    ];
    using program = load("kprobe", [...body, ...done], { expectedAttachType: "trace_uprobe_multi" });
    const link = attachUprobeMulti(program, {
      path: binary.path,
      offsets: offsets(binary.path, "work", "idle"),
      cookies: [1n, 1000n],
    });
    execFileSync(binary.path, ["50"]);
    expect(cells.get(1)).toBe(50 + 50_000);
    expect(link.info()).toMatchObject({ type: "uprobe_multi" });
    link.detach();
    execFileSync(binary.path, ["50"]);
    expect(cells.get(1)).toBe(50 + 50_000);
  });

  testWith(["uprobe_multi"], "returns of many places", () => {
    using cells = new Cells();
    using program = load("kprobe", [...countCall(cells), ...done], {
      expectedAttachType: "trace_uprobe_multi",
    });
    using _link = attachUprobeMulti(program, {
      path: binary.path,
      offsets: offsets(binary.path, "work", "idle"),
      ret: true,
    });
    execFileSync(binary.path, ["10"]);
    expect(cells.get()).toBe(20);
  });

  testWith(["uprobes"], "USDT: places and arguments from the notes", () => {
    using elf = ElfFile.open(binary.path);
    const probes = usdtProbes(elf);
    expect(probes.map(({ provider, name }) => `${provider}:${name}`)).toEqual(["traced:probe"]);
    const args = parseUsdtArgs(probes[0].args, arch.name);
    expect(args).toHaveLength(2);
    expect(args[0]).toMatchObject({ size: 8, signed: true });
    expect(args[1].operand).toEqual({ kind: "const", value: 77n });
    expect(elf.buildId()).toMatch(/^[0-9a-f]{40}$/);
    const place = args[0].operand;
    if (place.kind !== "register")
      throw new Error(`the compiler put the argument elsewhere: ${args[0].text}`);
    using cells = new Cells(2);
    using program = load("kprobe", [...countCall(cells), ...addRegister(cells, place.register, 1), ...done]);
    using _link = attachUprobe(program, { path: binary.path, offset: BigInt(probes[0].offset) });
    execFileSync(binary.path, ["20"]);
    expect([cells.get(0), cells.get(1)]).toEqual([20, 190]);
  });

  testWith(["usdt_semaphores"], "a semaphore counts while attached", () => {
    using elf = ElfFile.open(semaphores.path);
    const semaphore = ElfSymbols.read(elf).find("traced_probe_semaphore")!;
    using program = load("kprobe", done);
    expect(spawnSync(semaphores.path, ["1"]).status).toBe(0);
    using _link = attachUprobe(program, {
      path: semaphores.path,
      offset: BigInt(usdtProbes(elf)[0].offset),
      refCtrOffset: BigInt(elf.fileOffset(semaphore.address)!),
    });
    expect(spawnSync(semaphores.path, ["1"]).status).toBe(1);
  });

  testWith(["uprobes"], "a file that is not there", () => {
    using program = load("kprobe", done);
    expect(() => attachUprobe(program, { path: "/no/such/file", offset: 0n })).toThrow("ENOENT");
  });

  testWith(["uprobes"], "only in one process", () => {
    using cells = new Cells();
    using program = load("kprobe", [...countCall(cells), ...done]);
    using _link = attachUprobe(program, {
      path: binary.path,
      offset: offsets(binary.path, "work")[0],
      pid: process.pid,
    });
    execFileSync(binary.path, ["10"]);
    expect(cells.get()).toBe(0);
  });
});

describe("kernel functions", () => {
  const openMany = (times: number) => {
    for (let i = 0; i < times; i++) closeSync(openSync("/dev/null", "r"));
  };

  testWith(["kprobes"], "kprobe and kretprobe count calls", () => {
    using entry = new Cells();
    using exit = new Cells();
    using onEntry = load("kprobe", countHere(entry));
    using onExit = load("kprobe", countHere(exit));
    using _entry = attachKprobe(onEntry, { symbol: "vfs_open" });
    using _exit = attachKprobe(onExit, { symbol: "vfs_open", ret: true });
    openMany(30);
    expect(entry.get()).toBeGreaterThanOrEqual(30);
    expect(exit.get()).toBe(entry.get());
    expect(() => attachKprobe(onEntry, { symbol: "no_such_function" })).toThrow(SysError);
  });

  testWith(["kprobe_multi"], "many at once", () => {
    using cells = new Cells();
    using program = load("kprobe", countHere(cells), { expectedAttachType: "trace_kprobe_multi" });
    using _link = attachKprobeMulti(program, { symbols: ["vfs_open", "vfs_read"] });
    openMany(30);
    expect(cells.get()).toBeGreaterThanOrEqual(30);
  });

  testWith(["fentry", "fexit"], "fentry and fexit", () => {
    using cells = new Cells();
    const attachBtfId = loadVmlinux().findByName("vfs_open", "func")!;
    for (const expectedAttachType of ["trace_fentry", "trace_fexit"] as const) {
      using program = load("tracing", countHere(cells), { expectedAttachType, attachBtfId });
      using _link = attachTracing(program, expectedAttachType);
      const before = cells.get();
      openMany(30);
      expect(cells.get() - before).toBeGreaterThanOrEqual(30);
    }
  });

  test.runIf(isRoot && !hasFeature("kprobes"))("without kprobes the reason is said", () => {
    using program = load("kprobe", done);
    expect(() => attachKprobe(program, { symbol: "vfs_open" })).toThrow("CONFIG_KPROBES");
  });

  test.runIf(isRoot)("kallsyms: names and addresses agree", () => {
    const symbols = Kallsyms.load();
    const address = symbols.addressOf("vfs_read")!;
    expect(symbols.symbolAt(address)).toEqual({ name: "vfs_read", offset: 0, module: "" });
    expect(symbols.symbolAt(address + 3n)).toEqual({ name: "vfs_read", offset: 3, module: "" });
    let functions = 0;
    symbols.forEachFunction(() => functions++);
    expect(functions).toBeGreaterThan(10_000);
  });
});

testWith(["iter"], "an iterator walks every task", () => {
  const attachBtfId = loadVmlinux().findByName("bpf_iter_task", "func")!;
  const btf = loadVmlinux();
  const context = btf.findByName("bpf_iter__task", "struct")!;
  const at = (name: string) => btf.findMember(context, name)!.bitOffset / 8;
  const seq = btf.findMember(btf.findByName("bpf_iter_meta", "struct")!, "seq")!.bitOffset / 8;
  const pid = btf.findMember(btf.findByName("task_struct", "struct")!, "pid")!.bitOffset / 8;
  using program = load(
    "tracing",
    [
      asm.ldx(8, 2, 1, at("task")),
      asm.jmpImm("eq", 2, 0, 8),
      asm.ldx(4, 3, 2, pid),
      asm.stx(4, 10, -8, 3),
      asm.ldx(8, 1, 1, at("meta")),
      asm.ldx(8, 1, 1, seq),
      asm.mov(2, 10),
      asm.aluImm("add", 2, -8),
      asm.movImm(3, 4),
      asm.call("seq_write"),
      ...done,
    ],
    { expectedAttachType: "trace_iter", attachBtfId },
  );
  using link = attachIter(program, { name: "task" });
  const output = link.read();
  const pids = Array.from({ length: output.length / 4 }, (_, i) => output.readUInt32LE(i * 4));
  expect(pids).toEqual(expect.arrayContaining(readdirSync("/proc/self/task").map(Number)));
  expect(link.read().length).toBeGreaterThan(0);
});

test.runIf(isRoot)("links end with their descriptors", () => {
  using program = load("raw_tracepoint", done);
  const links = ["sys_enter", "sys_exit", "sched_switch"].map((name) => attachRawTracepoint(program, name));
  const ids = links.map((link) => link.info()!.id);
  expect(new Set(ids).size).toBe(3);
  expect(listLinks()).toEqual(expect.arrayContaining(ids));
  for (const link of links) link.detach();
  expect(listLinks().filter((id) => ids.includes(id))).toEqual([]);
});

test.runIf(isRoot)("a uprobe's trap takes what a traced process pays for it, and none stays", async () => {
  const before = new Set(listLinks());
  const nanoseconds = measureTrap();
  // No processor gets into the kernel and back in 50 ns; 100 µs would be a broken one, or an emulator.
  expect(nanoseconds).toBeGreaterThan(50);
  expect(nanoseconds).toBeLessThan(100_000 * slowness);
  const others = () => listLinks().filter((id) => !before.has(id));
  await expect.poll(others, { timeout: 5000 * slowness }).toEqual([]);
});
