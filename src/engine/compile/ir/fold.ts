/** Arithmetic at compile time, exactly as BPF would do it at run time. */
import { type Alu, type Bits, type Condition, constant, isConst, type Value, type Width } from "./types.ts";

const unsigned = (value: bigint, width: Width): bigint => BigInt.asUintN(width, value);
const signed = (value: bigint, width: Width): bigint => BigInt.asIntN(width, value);

const CONDITIONS: Record<Condition, (a: bigint, b: bigint, width: Width) => boolean> = {
  eq: (a, b, w) => unsigned(a, w) === unsigned(b, w),
  ne: (a, b, w) => unsigned(a, w) !== unsigned(b, w),
  gt: (a, b, w) => unsigned(a, w) > unsigned(b, w),
  ge: (a, b, w) => unsigned(a, w) >= unsigned(b, w),
  lt: (a, b, w) => unsigned(a, w) < unsigned(b, w),
  le: (a, b, w) => unsigned(a, w) <= unsigned(b, w),
  sgt: (a, b, w) => signed(a, w) > signed(b, w),
  sge: (a, b, w) => signed(a, w) >= signed(b, w),
  slt: (a, b, w) => signed(a, w) < signed(b, w),
  sle: (a, b, w) => signed(a, w) <= signed(b, w),
  set: (a, b, w) => unsigned(a & b, w) !== 0n,
};

export function foldCondition(condition: Condition, a: bigint, b: bigint, width: Width): boolean {
  return CONDITIONS[condition](a, b, width);
}

const ALU: Record<Alu, (a: bigint, b: bigint, width: Width) => bigint> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b, w) => (unsigned(b, w) === 0n ? 0n : unsigned(a, w) / unsigned(b, w)),
  mod: (a, b, w) => (unsigned(b, w) === 0n ? a : unsigned(a, w) % unsigned(b, w)),
  sdiv: (a, b, w) => (signed(b, w) === 0n ? 0n : signed(a, w) / signed(b, w)),
  smod: (a, b, w) => (signed(b, w) === 0n ? a : signed(a, w) % signed(b, w)),
  or: (a, b) => a | b,
  and: (a, b) => a & b,
  xor: (a, b) => a ^ b,
  lsh: (a, b, w) => a << (b & BigInt(w - 1)),
  rsh: (a, b, w) => unsigned(a, w) >> (b & BigInt(w - 1)),
  arsh: (a, b, w) => signed(a, w) >> (b & BigInt(w - 1)),
};

const isPowerOfTwo = (value: bigint): boolean => value > 0n && (value & (value - 1n)) === 0n;
const log2 = (value: bigint): number => value.toString(2).length - 1;

/** The result when it is known, or an address moved by a constant. */
export function foldAlu(alu: Alu, left: Value, right: Value, width: Width): Value | undefined {
  if (isConst(left) && isConst(right)) {
    const result = ALU[alu](left.value, right.value, width);
    return constant(width === 32 ? unsigned(result, 32) : result);
  }
  if (width !== 64) return undefined;
  if (isConst(right)) {
    if ((left.kind === "slot" || left.kind === "map-value") && (alu === "add" || alu === "sub")) {
      const by = Number(right.value);
      return { ...left, offset: left.offset + (alu === "add" ? by : -by) };
    }
    if (right.value === 0n) {
      if (["add", "sub", "or", "xor", "lsh", "rsh", "arsh"].includes(alu)) return left;
      if (alu === "mul" || alu === "and") return constant(0);
    }
    if (right.value === 1n && (alu === "mul" || alu === "div" || alu === "sdiv")) return left;
    if (right.value === -1n && alu === "and") return left;
  }
  if (isConst(left) && left.value === 0n && (alu === "add" || alu === "or" || alu === "xor")) return right;
  return undefined;
}

/** A cheaper operation of the same result: multiplication, division and modulo by powers of two. */
export function strengthReduce(alu: Alu, right: bigint): { alu: Alu; right: bigint } | undefined {
  if (!isPowerOfTwo(right)) return undefined;
  if (alu === "mul") return { alu: "lsh", right: BigInt(log2(right)) };
  if (alu === "div") return { alu: "rsh", right: BigInt(log2(right)) };
  if (alu === "mod") return { alu: "and", right: right - 1n };
  return undefined;
}

export function foldExtend(value: bigint, bits: Bits, isSigned: boolean): bigint {
  return isSigned ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value);
}
