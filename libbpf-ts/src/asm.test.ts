import { describe, expect, test } from "vitest";
import * as asm from "./asm.ts";

/** Instruction → its bytes → how the kernel's verifier prints it. */
const rows: [asm.Insn, hex: string, text: string][] = [
  [asm.mov(1, 2), "bf21000000000000", "(bf) r1 = r2"],
  [asm.movImm(0, -1), "b7000000ffffffff", "(b7) r0 = -1"],
  [asm.alu32Imm("mov", 3, 7), "b403000007000000", "(b4) w3 = 7"],
  [asm.alu("add", 9, 10), "0fa9000000000000", "(0f) r9 += r10"],
  [asm.alu32("sub", 1, 2), "1c21000000000000", "(1c) w1 -= w2"],
  [asm.aluImm("and", 4, 255), "57040000ff000000", "(57) r4 &= 255"],
  [asm.aluImm("arsh", 4, 32), "c704000020000000", "(c7) r4 s>>= 32"],
  [asm.aluImm("sdiv", 1, 3), "3701010003000000", "(37) r1 s/= 3"],
  [asm.alu("smod", 1, 2), "9f21010000000000", "(9f) r1 s%= r2"],
  [asm.neg(5), "8705000000000000", "(87) r5 = -r5"],
  [asm.neg32(5), "8405000000000000", "(84) w5 = -w5"],
  [asm.movsx(1, 2, 8), "bf21080000000000", "(bf) r1 = (s8)r2"],
  [asm.toEndian("be", 3, 16), "dc03000010000000", "(dc) r3 = be16 r3"],
  [asm.bswap(3, 64), "d703000040000000", "(d7) r3 = bswap64 r3"],
  [asm.jmp("gt", 1, 2, 5), "2d21050000000000", "(2d) if r1 > r2 goto pc+5"],
  [asm.jmpImm("ne", 0, 0, -3), "5500fdff00000000", "(55) if r0 != 0x0 goto pc-3"],
  [asm.jmp32Imm("slt", 1, -1, 2), "c6010200ffffffff", "(c6) if w1 s< 0xffffffff goto pc+2"],
  [asm.jmp32("set", 1, 2, 1), "4e21010000000000", "(4e) if w1 & w2 goto pc+1"],
  [asm.ja(4), "0500040000000000", "(05) goto pc+4"],
  [asm.jal(70000), "0600000070110100", "(06) gotol pc+70000"],
  [asm.exit(), "9500000000000000", "(95) exit"],
  [asm.call("map_lookup_elem"), "8500000001000000", "(85) call bpf_map_lookup_elem#1"],
  [asm.call(211), "85000000d3000000", "(85) call bpf_cgrp_storage_delete#211"],
  [asm.callSubprog(6), "8510000006000000", "(85) call pc+6"],
  [asm.callKfunc(1234), "85200000d2040000", "(85) call kernel-function#1234"],
  [asm.ldx(8, 1, 10, -8), "79a1f8ff00000000", "(79) r1 = *(u64 *)(r10 -8)"],
  [asm.ldx(1, 1, 2, 3), "7121030000000000", "(71) r1 = *(u8 *)(r2 +3)"],
  [asm.ldxs(2, 1, 2, 0), "8921000000000000", "(89) r1 = *(s16 *)(r2 +0)"],
  [asm.stx(4, 10, -16, 3), "633af0ff00000000", "(63) *(u32 *)(r10 -16) = r3"],
  [asm.st(8, 10, -8, -2), "7a0af8fffeffffff", "(7a) *(u64 *)(r10 -8) = -2"],
  [asm.atomic("add", 8, 1, 0, 2), "db21000000000000", "(db) lock *(u64 *)(r1 +0) += r2"],
  [asm.atomic("fetch_add", 4, 1, 8, 2), "c321080001000000", "(c3) r2 = atomic_fetch_add((u32 *)(r1 +8), r2)"],
  [asm.atomic("xchg", 8, 1, 0, 2), "db210000e1000000", "(db) r2 = atomic64_xchg((u64 *)(r1 +0), r2)"],
  [
    asm.atomic("cmpxchg", 8, 1, 0, 2),
    "db210000f1000000",
    "(db) r0 = atomic64_cmpxchg((u64 *)(r1 +0), r0, r2)",
  ],
  [asm.ldImm64(1, 0x1122334455667788n), "18010000887766550000000044332211", "(18) r1 = 0x1122334455667788"],
  [asm.ldImm64(1, -1), "18010000ffffffff00000000ffffffff", "(18) r1 = 0xffffffffffffffff"],
  [asm.ldMapFd(1, 5), "18110000050000000000000000000000", "(18) r1 = map[fd:5]"],
  [asm.ldMapValue(2, 5, 16), "18220000050000000000000010000000", "(18) r2 = map[fd:5][0]+16"],
  [asm.ldFunc(2, 9), "18420000090000000000000000000000", "(18) r2 = subprog[+9]"],
];

describe("instructions", () => {
  test.each(rows)("%#: %o", (instruction, hex, text) => {
    const bytes = asm.encode([instruction]);
    expect(Buffer.from(bytes).toString("hex")).toBe(hex);
    expect(asm.decode(bytes)).toEqual([instruction]);
    expect(asm.formatInsn(instruction)).toBe(text);
  });

  test("a listing counts slots", () => {
    const program = asm.encode([asm.ldImm64(1, 1), asm.movImm(0, 0), asm.exit()]);
    expect(asm.disassemble(program)).toBe("   0: (18) r1 = 0x1\n   2: (b7) r0 = 0\n   3: (95) exit");
  });

  test("half an instruction is refused", () => {
    expect(() => asm.decode(new Uint8Array(7))).toThrow(RangeError);
    expect(() => asm.decode(asm.encode([asm.ldImm64(1, 1)]).subarray(0, 8))).toThrow("second slot");
  });

  test("every condition but `set` has its opposite", () => {
    for (const op of Object.keys(asm.jmpOps) as asm.JmpOp[]) {
      if (op === "set") expect(asm.negatedJmp[op]).toBeUndefined();
      else expect(asm.negatedJmp[asm.negatedJmp[op]!]).toBe(op);
    }
  });
});

test("helpers go by their numbers", () => {
  expect(asm.helperNames).toHaveLength(212);
  const known: [string, number][] = [
    ["bpf_map_lookup_elem", 1],
    ["ktime_get_ns", 5],
    ["probe_read_kernel", 113],
    ["ringbuf_output", 130],
    ["for_each_map_elem", 164],
    ["get_attach_cookie", 174],
    ["loop", 181],
  ];
  for (const [name, id] of known) expect(asm.helperId(name)).toBe(id);
  expect(() => asm.helperId("nope")).toThrow("no BPF helper named nope");
});
