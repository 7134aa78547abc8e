import { describe, expect, test } from "vitest";
import { parseUsdtArgs, resolveUsdtSymbols, splitUsdtArgs, type UsdtMachine } from "./usdtArgs.ts";

const reg = (register: string, width = 8, shift = 0) => ({ register, width, shift });
const inRegister = (...of: Parameters<typeof reg>) => ({ operand: { kind: "register", ...reg(...of) } });
const constant = (value: bigint) => ({ operand: { kind: "const", value } });
const memory = (operand: object) => ({ operand: { kind: "memory", ...operand } });

describe("USDT arguments", () => {
  const rows: [UsdtMachine, string, object][] = [
    ["x64", "-4@$-42", { size: 4, signed: true, ...constant(-42n) }],
    ["x64", "8@$0xff", { size: 8, signed: false, ...constant(255n) }],
    ["x64", "8@$-9223372036854775808", constant(-(2n ** 63n))],
    ["x64", "8@%rdi", { size: 8, signed: false, ...inRegister("di") }],
    ["x64", "4@%eax", inRegister("ax", 4)],
    ["x64", "-2@%dx", { size: 2, signed: true, ...inRegister("dx", 2) }],
    ["x64", "1@%cl", inRegister("cx", 1)],
    ["x64", "1@%ah", inRegister("ax", 1, 8)],
    ["x64", "1@%bh", inRegister("bx", 1, 8)],
    ["x64", "1@%sil", inRegister("si", 1)],
    ["x64", "4@%ebp", inRegister("bp", 4)],
    ["x64", "2@%sp", inRegister("sp", 2)],
    ["x64", "8@%r8", inRegister("r8")],
    ["x64", "4@%r15d", inRegister("r15", 4)],
    ["x64", "2@%r9w", inRegister("r9", 2)],
    ["x64", "-1@%r10b", inRegister("r10", 1)],
    ["x64", "4@-8(%rbp)", memory({ base: "bp", offset: -8 })],
    ["x64", "4@(%rax)", memory({ base: "ax", offset: 0 })],
    ["x64", "4@0x10(%rax)", memory({ base: "ax", offset: 16 })],
    ["x64", "8@16(%rax,%rbx,8)", memory({ base: "ax", offset: 16, index: { register: "bx", scale: 8 } })],
    ["x64", "8@(%rax,%rbx)", memory({ base: "ax", index: { register: "bx", scale: 1 } })],
    ["x64", "8@4(,%r9,4)", memory({ offset: 4, index: { register: "r9", scale: 4 } })],
    ["x64", "4@counter(%rip)", memory({ base: "ip", offset: 0, symbol: "counter" })],
    ["x64", "4@4+table.2(%rip)", memory({ base: "ip", offset: 4, symbol: "table.2" })],
    ["x64", "4@table-4(%rip)", memory({ base: "ip", offset: -4, symbol: "table" })],
    ["x64", "4@table(,%rax,4)", memory({ symbol: "table", index: { register: "ax", scale: 4 } })],
    ["x64", "8@$table+8", { operand: { kind: "const", value: 8n, symbol: "table" } }],
    ["x64", "8@4202496", memory({ offset: 4202496 })],
    ["x64", "8f@-16(%rbp)", { float: true, size: 8, ...memory({ base: "bp", offset: -16 }) }],
    ["arm64", "-4@12", { signed: true, ...constant(12n) }],
    ["arm64", "-8@-12", constant(-12n)],
    ["arm64", "4@wzr", constant(0n)],
    ["arm64", "8@xzr", constant(0n)],
    ["arm64", "8@x19", inRegister("x19")],
    ["arm64", "4@w3", inRegister("x3", 4)],
    ["arm64", "8@sp", inRegister("sp")],
    ["arm64", "8@[sp]", memory({ base: "sp", offset: 0 })],
    ["arm64", "4@[sp, 96]", memory({ base: "sp", offset: 96 })],
    ["arm64", "-2@[x29, -20]", { size: 2, signed: true, ...memory({ base: "x29", offset: -20 }) }],
    ["arm64", "4@[x1,#8]", memory({ base: "x1", offset: 8 })],
    ["arm64", "4@[x1, x2]", memory({ base: "x1", index: { register: "x2", scale: 1, signed: false } })],
    ["arm64", "8@[x1, x2, lsl 3]", memory({ base: "x1", index: { register: "x2", scale: 8 } })],
    [
      "arm64",
      "4@[x1, w2, sxtw 2]",
      memory({ base: "x1", index: { register: "x2", width: 4, scale: 4, signed: true } }),
    ],
    ["arm64", "1@[x1, w2, uxtw]", memory({ index: { register: "x2", width: 4, scale: 1, signed: false } })],
  ];
  test.each(rows)("%s %s", (machine, text, expected) => {
    expect(parseUsdtArgs(text, machine)).toMatchObject([{ text, ...expected }]);
  });

  test.each<[string, UsdtMachine, string[]]>([
    ["8@[sp, 96] -4@x1 4@5", "arm64", ["8@[sp, 96]", "-4@x1", "4@5"]],
    ["8@-16(%rbp) 4@%eax", "x64", ["8@-16(%rbp)", "4@%eax"]],
    ["8@8(%rax, %rbx, 4) -1@%r10b 8@$-1", "x64", ["8@8(%rax, %rbx, 4)", "-1@%r10b", "8@$-1"]],
    ["", "x64", []],
  ])("several: %s", (text, machine, parts) => {
    expect(splitUsdtArgs(text)).toEqual(parts);
    expect(parseUsdtArgs(text, machine).map((arg) => arg.text)).toEqual(parts);
  });

  test.each<[UsdtMachine, string]>([
    ["x64", "8f@%xmm0"],
    ["x64", "16@%rax"],
    ["x64", "4@%fs:12"],
    ["x64", "8@(%rax,%rbx,3)"],
    ["arm64", "8f@d0"],
    ["arm64", "8@x31"],
    ["arm64", "8@[x0, :lo12:counter]"],
  ])("a form not known is said so: %s %s", (machine, text) => {
    expect(() => parseUsdtArgs(text, machine)).toThrow(`"${text}"`);
  });

  test.each([
    ["4@counter(%rip)", "4@12288(%rip)"],
    ["4@4+counter(%rip) -8@%rdi", "4@12292(%rip) -8@%rdi"],
    ["4@table-4(,%rax,4)", "4@24572(,%rax,4)"],
    ["8@$table+8", "8@$24584"],
    ["4@unknown(%rip)", "4@unknown(%rip)"],
    ["8@%rdi -4@8(%rsp)", "8@%rdi -4@8(%rsp)"],
    ["8@[x0, x1, lsl 3]", "8@[x0, x1, lsl 3]"],
  ])("symbols as numbers: %s", (text, expected) => {
    const symbols: Record<string, number> = { counter: 0x4000, table: 0x6000 };
    expect(resolveUsdtSymbols(text, 0x1000, (name) => symbols[name])).toBe(expected);
  });
});
