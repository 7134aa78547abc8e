import { expect, test } from "vitest";
import { foldAlu, foldCondition, foldExtend, strengthReduce } from "./fold.ts";
import { type Alu, type Condition, constant, reg, type Value, type Width } from "./types.ts";

const MIN = -(1n << 63n);

test.each<[Alu, bigint, bigint, Width, bigint]>([
  ["add", 1n, 2n, 64, 3n],
  ["add", (1n << 63n) - 1n, 1n, 64, MIN],
  ["sub", 1n, 2n, 32, 0xffffffffn],
  ["mul", -3n, 5n, 64, -15n],
  ["div", 7n, 2n, 64, 3n],
  ["div", -1n, 2n, 64, (1n << 63n) - 1n],
  ["div", 7n, 0n, 64, 0n],
  ["mod", 7n, 0n, 64, 7n],
  ["sdiv", -7n, 2n, 64, -3n],
  ["smod", -7n, 2n, 64, -1n],
  ["sdiv", MIN, -1n, 64, MIN],
  ["lsh", 1n, 63n, 64, MIN],
  ["lsh", 1n, 65n, 64, 2n],
  ["rsh", -1n, 60n, 64, 15n],
  ["arsh", -16n, 2n, 64, -4n],
  ["rsh", -1n, 4n, 32, 0x0fffffffn],
  ["xor", 6n, 3n, 64, 5n],
])("%s %i %i (%i bits) is %i", (alu, a, b, width, result) => {
  expect(foldAlu(alu, constant(a), constant(b), width)).toEqual(constant(result));
});

test.each<[string, Alu, Value, Value, Value | undefined]>([
  ["x + 0", "add", reg(1), constant(0), reg(1)],
  ["0 + x", "add", constant(0), reg(1), reg(1)],
  ["x * 1", "mul", reg(1), constant(1), reg(1)],
  ["x * 0", "mul", reg(1), constant(0), constant(0)],
  ["x & -1", "and", reg(1), constant(-1), reg(1)],
  ["x - x stays", "sub", reg(1), reg(1), undefined],
  [
    "an address moves",
    "add",
    { kind: "slot", slot: 2, offset: 8 },
    constant(4),
    { kind: "slot", slot: 2, offset: 12 },
  ],
])("%s", (_name, alu, a, b, result) => {
  expect(foldAlu(alu, a, b, 64)).toEqual(result);
});

test.each<[Condition, bigint, bigint, boolean]>([
  ["eq", 1n, 1n, true],
  ["lt", -1n, 1n, false],
  ["slt", -1n, 1n, true],
  ["ge", -1n, 1n, true],
  ["sge", -1n, -1n, true],
  ["set", 6n, 1n, false],
  ["set", 6n, 2n, true],
])("%s %i %i is %s", (condition, a, b, holds) => {
  expect(foldCondition(condition, a, b, 64)).toBe(holds);
});

test("extending", () => {
  expect(foldExtend(200n, 8, true)).toBe(-56n);
  expect(foldExtend(-1n, 16, false)).toBe(65535n);
});

test("powers of two", () => {
  expect(strengthReduce("mul", 8n)).toEqual({ alu: "lsh", right: 3n });
  expect(strengthReduce("div", 1024n)).toEqual({ alu: "rsh", right: 10n });
  expect(strengthReduce("mod", 16n)).toEqual({ alu: "and", right: 15n });
  expect(strengthReduce("div", 10n)).toBeUndefined();
});
