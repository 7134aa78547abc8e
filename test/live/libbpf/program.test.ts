// Loading programs: the verifier's log, test runs, BTF in programs, statistics, and that nothing is left behind.

import {
  BpfProgram,
  BtfObject,
  enableStats,
  hasFeature,
  listPrograms,
  loadVmlinux,
  SysError,
  VerifierError,
} from "libbpf-ts";
import * as asm from "libbpf-ts/asm";
import { BtfWriter, encodeFuncInfo, encodeLineInfo } from "libbpf-ts/btf-writer";
import { describe, expect, test } from "vitest";
import { Cells, done, isRoot, load, missing, mustHave, onlyHere, someoneHas, testWith } from "./support.ts";

describe.skipIf(!isRoot)("programs", () => {
  test("run without a probe and return their value", () => {
    using program = load("raw_tracepoint", [asm.movImm(0, 42), asm.exit()]);
    expect(program.testRun()).toBe(42);
  });

  test("see the context they are run with", () => {
    using cells = new Cells();
    using program = load("raw_tracepoint", [asm.ldx(8, 2, 1, 8), ...cells.add(), ...done]);
    program.testRun({ context: new Uint8Array(BigUint64Array.of(7n, 1234n).buffer) });
    expect(cells.get()).toBe(1234);
  });

  test("a refusal keeps the whole log and shows its end", () => {
    try {
      load("raw_tracepoint", [asm.mov(0, 5), asm.exit()]);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(VerifierError);
      const { log, message, code } = error as VerifierError;
      expect(code).toBe("EACCES");
      expect(log).toContain("R5 !read_ok");
      expect(message).toContain("R5 !read_ok");
      expect(message).not.toContain("root was refused");
    }
  });

  test("a log beyond 64 KB arrives whole", () => {
    const body = Array.from({ length: 3000 }, () => asm.aluImm("add", 0, 1));
    try {
      load("raw_tracepoint", [asm.movImm(0, 0), ...body, asm.mov(0, 5), asm.exit()], { logLevel: 2 });
      expect.unreachable();
    } catch (error) {
      const { log } = error as VerifierError;
      expect(log.length).toBeGreaterThan(65536);
      expect(log).toContain("0: (b7) r0 = 0");
      expect(log).toContain("R5 !read_ok");
    }
  });

  test("instructions that never reach the verifier are a SysError", () => {
    expect(() => BpfProgram.load({ type: "raw_tracepoint", instructions: new Uint8Array(0) })).toThrow(
      SysError,
    );
  });

  test("the kernel prints instructions as `disassemble` does", () => {
    const program: asm.Insn[] = [
      asm.movImm(6, 5),
      asm.aluImm("lsh", 6, 3),
      asm.alu32Imm("add", 6, -1),
      asm.alu("xor", 6, 6),
      asm.neg(6),
      asm.neg32(6),
      asm.toEndian("be", 6, 32),
      asm.st(8, 10, -8, 3),
      asm.stx(4, 10, -16, 6),
      asm.ldx(2, 3, 10, -8),
      asm.movImm(2, 1),
      asm.atomic("add", 8, 10, -8, 2),
      ...(hasFeature("atomic_fetch") ? [asm.atomic("fetch_add", 8, 10, -8, 2)] : []),
      asm.call("get_smp_processor_id"),
      asm.mov(7, 0),
      asm.jmpImm("sgt", 7, 5, 1),
      asm.jmp32("lt", 7, 6, 0),
      asm.ja(0),
      asm.ldImm64(8, 0x123456789an),
      asm.call("ktime_get_ns"),
      ...done,
    ];
    using loaded = load("raw_tracepoint", program, { logLevel: 2 });
    const printed = new Map<number, string>();
    for (const [, slot, text] of loaded.verifierLog.matchAll(
      /^(?:.*: )?(\d+): (\([0-9a-f]{2}\) .*?)\s*(?:;.*)?$/gm,
    )) {
      printed.set(Number(slot), text);
    }
    const listing = asm.disassemble(asm.encode(program)).split("\n");
    for (const line of listing) {
      const [, slot, text] = /^\s*(\d+): (.*)$/.exec(line)!;
      expect(printed.get(Number(slot)), `slot ${slot}`).toBe(text);
    }
    expect(printed.size).toBe(listing.length);
    // What the verifier found to be dead is gone.
    expect(asm.decode(loaded.xlated()).length).toBeGreaterThan(listing.length - 3);
  });

  testWith(["func_info"], "functions and lines: the log quotes the source", () => {
    const w = new BtfWriter();
    const int = w.int("int", 4, { signed: true });
    const main = w.func("main", w.funcProto(int, []), "global");
    const sub = w.func("sub", w.funcProto(int, [{ name: "x", type: w.int("unsigned long", 8) }]), "static");
    const [file, first, second] = [
      w.string("script.bt"),
      w.string("@[pid] = count()"),
      w.string("return r5;"),
    ];
    using btf = BtfObject.load(w.build());
    const funcInfo = encodeFuncInfo([
      { insnOff: 0, typeId: main },
      { insnOff: 3, typeId: sub },
    ]);
    const lineInfo = encodeLineInfo([
      { insnOff: 0, fileNameOff: file, lineOff: first, line: 1, column: 1 },
      { insnOff: 3, fileNameOff: file, lineOff: second, line: 2, column: 1 },
    ]);
    const program = (register: number) => [
      asm.movImm(1, 1),
      asm.callSubprog(1),
      asm.exit(),
      asm.mov(0, register),
      asm.exit(),
    ];
    const more = { btfFd: btf.fd, funcInfo, lineInfo };
    using good = load("raw_tracepoint", program(1), more);
    expect(good.testRun()).toBe(1);
    expect(good.info().btfId).toBe(btf.info().id);
    try {
      load("raw_tracepoint", program(5), more);
      expect.unreachable();
    } catch (error) {
      expect((error as VerifierError).log).toMatch(/; return r5;/);
    }
  });

  test("BTF the kernel refuses comes with its words", () => {
    const w = new BtfWriter();
    w.ptr(99);
    expect(() => BtfObject.load(w.build())).toThrow(VerifierError);
  });

  testWith(["func_info", "for_each_map_elem", "bpf_loop"], "a function passed to bpf_loop", () => {
    using cells = new Cells();
    const w = new BtfWriter();
    const long = w.int("long", 8, { signed: true });
    const u32Type = w.int("unsigned int", 4);
    const main = w.func("main", w.funcProto(long, []), "static");
    const proto = w.funcProto(long, [
      { name: "index", type: u32Type },
      { name: "ctx", type: w.ptr(0) },
    ]);
    const callback = w.func("step", proto, "static");
    using btf = BtfObject.load(w.build());
    const body = [
      asm.movImm(1, 1000),
      asm.ldFunc(2, 5),
      asm.movImm(3, 0),
      asm.movImm(4, 0),
      asm.call("loop"),
      ...done,
    ];
    const start = body.reduce((sum, insn) => sum + asm.slots(insn), 0);
    body[1] = asm.ldFunc(2, start - 2);
    using program = load("raw_tracepoint", [...body, asm.movImm(2, 1), ...cells.add(), ...done], {
      btfFd: btf.fd,
      funcInfo: encodeFuncInfo([
        { insnOff: 0, typeId: main },
        { insnOff: start, typeId: callback },
      ]),
    });
    program.testRun();
    expect(cells.get()).toBe(1000);
  });

  testWith(["stats"], "cost is measured while statistics are on", async () => {
    using program = load("raw_tracepoint", done);
    {
      using _stats = enableStats();
      for (let i = 0; i < 5; i++) program.testRun();
    }
    expect(program.info().runCnt).toBe(5n);
    expect(program.info().runTimeNs).toBeGreaterThan(0n);
    // As long as another process has them on, they are on for all.
    const countsAsItMust = () => {
      const before = program.info().runCnt;
      program.testRun();
      return program.info().runCnt - before === (someoneHas("anon_inode:bpf-stats") ? 1n : 0n);
    };
    await expect.poll(countsAsItMust).toBe(true);
  });

  test("nothing is left behind", () => {
    let id = 0;
    {
      using program = load("raw_tracepoint", done);
      id = program.info().id;
      expect(listPrograms()).toContain(id);
    }
    expect(listPrograms()).not.toContain(id);
  });

  testWith(["btf", "probe_read_kernel"], "offsets from the kernel's types lead to the right member", () => {
    const btf = loadVmlinux();
    const task = btf.findByName("task_struct", "struct")!;
    const offset = btf.findMember(task, "tgid")!.bitOffset / 8;
    using cells = new Cells();
    using program = load(
      "raw_tracepoint",
      onlyHere([
        asm.call("get_current_task"),
        asm.mov(3, 0),
        asm.aluImm("add", 3, offset),
        asm.movImm(2, 4),
        asm.mov(1, 10),
        asm.aluImm("add", 1, -8),
        asm.st(8, 10, -8, 0),
        asm.call("probe_read_kernel"),
        asm.ldx(4, 2, 10, -8),
        ...cells.add(),
      ]),
    );
    program.testRun();
    expect(cells.get()).toBe(process.pid);
    expect(btf.sizeOf(btf.findByName("int", "int")!)).toBe(4);
    expect(btf.findEnumValue("BPF_MAP_TYPE_RINGBUF")?.value).toBe(27n);
  });
});

test.runIf(mustHave("6.10"))("a kernel this new has what it should have", () => {
  // Left to the build or to policy: kprobes, kprobe_multi, fentry, hardware events, error injection, writing to user memory.
  const expected = [
    "bpf",
    "raw_tracepoint",
    "perf_event",
    "tracefs",
    "func_info",
    "perf_link",
    "attach_cookie",
    "ringbuf",
    "globals",
    "raw_tracepoint_cookie",
    "percpu_hash",
    "lru_hash",
    "stack_trace",
    "mmapable_array",
    "batch",
    "percpu_array_batch",
    "stats",
    "bounded_loops",
    "jmp32",
    "atomic_fetch",
    "signed_loads",
    "probe_read_kernel",
    "ktime_get_boot_ns",
    "ktime_get_tai_ns",
    "for_each_map_elem",
    "bpf_loop",
    "strncmp",
    "get_stack",
    "map_lookup_percpu_elem",
    "memcg_accounting",
  ];
  expect(expected.map((name) => missing(name)).filter((reason) => reason !== undefined)).toEqual([]);
});
