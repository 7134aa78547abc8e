import { expect, test } from "vitest";
import { beginsInstruction, canBeProbed, instructionLength } from "./instructions.ts";

const bytes = (hex: string): Uint8Array =>
  Uint8Array.from(hex.split(" "), (byte) => Number.parseInt(byte, 16));

test.each([
  ["55", "push %rbp"],
  ["48 89 e5", "mov %rsp,%rbp"],
  ["f3 0f 1e fa", "endbr64"],
  ["48 8b 04 25 28 00 00 00", "mov 0x28,%rax"],
  ["64 48 8b 04 25 28 00 00 00", "mov %fs:0x28,%rax"],
  ["48 b8 88 77 66 55 44 33 22 11", "movabs $0x1122334455667788,%rax"],
  ["b8 01 00 00 00", "mov $1,%eax"],
  ["66 b8 01 00", "mov $1,%ax"],
  ["48 a1 88 77 66 55 44 33 22 11", "movabs 0x1122334455667788,%rax"],
  ["e8 00 00 00 00", "call"],
  ["0f 84 00 00 00 00", "je"],
  ["c8 10 00 01", "enter $0x10,$1"],
  ["c2 08 00", "ret $8"],
  ["8d 44 24 10", "lea 0x10(%rsp),%eax"],
  ["8d 04 85 00 00 00 00", "lea 0(,%rax,4),%eax"],
  ["8b 05 00 00 00 00", "mov 0(%rip),%eax"],
  ["8b 80 00 01 00 00", "mov 0x100(%rax),%eax"],
  ["f6 c1 01", "test $1,%cl"],
  ["f6 d1", "not %cl"],
  ["f7 c1 01 00 00 00", "test $1,%ecx"],
  ["66 f7 c1 01 00", "test $1,%cx"],
  ["48 f7 d8", "neg %rax"],
  ["66 0f 70 c0 00", "pshufd $0,%xmm0,%xmm0"],
  ["66 0f 38 00 c1", "pshufb %xmm1,%xmm0"],
  ["66 0f 3a 0f c1 08", "palignr $8,%xmm1,%xmm0"],
  ["c5 f8 77", "vzeroupper"],
  ["c5 fd 6f 06", "vmovdqa (%rsi),%ymm0"],
  ["c4 e3 7d 39 c1 01", "vextracti128 $1,%ymm0,%xmm1"],
  ["62 f1 fe 48 6f 06", "vmovdqu64 (%rsi),%zmm0"],
  ["62 f3 7d 48 3f c1 04", "vpcmpb $4,%zmm1,%zmm0,%k0"],
  ["f0 48 0f b1 0a", "lock cmpxchg %rcx,(%rdx)"],
  ["66 2e 0f 1f 84 00 00 00 00 00", "cs nopw 0(%rax,%rax,1)"],
])("%s is %s", (hex) => {
  const code = bytes(hex);
  expect(instructionLength(code, 0)).toBe(code.length);
  // What is cut off is no instruction.
  expect(instructionLength(code.subarray(0, code.length - 1), 0)).not.toBe(code.length);
});

test("what is no instruction in 64-bit code has no length", () => {
  for (const hex of ["06", "60", "ea 00", "d6", "66 66 66 66 66 66 66 66 66 66 66 66 66 66 66 90"])
    expect(instructionLength(bytes(hex), 0)).toBeUndefined();
});

test("instructions begin where the one before ends", () => {
  const code = bytes("55 48 89 e5 b8 01 00 00 00 5d c3");
  const begins = [...code.keys()].filter((offset) => beginsInstruction(code, offset, "x64"));
  expect(begins).toEqual([0, 1, 4, 9, 10]);
  expect(beginsInstruction(bytes("55 06 90"), 2, "x64")).toBeUndefined();
  expect(beginsInstruction(code, 4, "arm64")).toBe(true);
  expect(beginsInstruction(code, 6, "arm64")).toBe(false);
});

test.each([
  ["f3 0f 1e fa", true],
  ["48 89 e5", true],
  ["c5 fd 6f 06", false],
  ["62 f1 fe 48 6f 06", false],
  ["f0 48 0f b1 0a", false],
  ["66 2e 0f 1f 84 00 00 00 00 00", false],
  ["cc", false],
])("%s can be probed: %s", (hex, can) => expect(canBeProbed(bytes(hex))).toBe(can));
