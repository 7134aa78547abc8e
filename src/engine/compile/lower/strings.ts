/**
 * Strings are NUL-terminated bytes in a field of known size, filled up with zeros.
 *
 * Comparing with a literal is the common case, and takes a load and a branch for each 8 bytes; two strings of unknown
 * content are compared byte by byte in a loop that the verifier can see the end of.
 */
import { type Block, constant, reg, type Value, ZERO } from "../ir/types.ts";
import { textToBytes } from "../parse/bytes.ts";
import type { TypedExpression } from "../typed.ts";
import { roundUp, sizeOf, type Type } from "../types.ts";
import type { Cx } from "./context.ts";
import { countGlobal } from "./errors.ts";
import { place, pointee, scalar, write } from "./expressions.ts";
import {
  addressOf,
  compareWords,
  copyBytes,
  isAligned,
  loadScalar,
  offsetBy,
  type Place,
  readString,
  writeBytes,
  zeroBytes,
} from "./memory.ts";

/** The literal in a field of `size` bytes, cut so that its NUL fits. */
export function writeString(cx: Cx, to: Place, text: string, size: number): void {
  writeBytes(cx, to, textToBytes(text).subarray(0, Math.max(0, size - 1)), size);
}

/** str(pointer, length): at most type.size - 1 characters. */
export function writeStr(cx: Cx, e: Extract<TypedExpression, { op: "call" }>, to: Place): void {
  const size = sizeOf(e.type);
  const [source, length] = e.arguments;
  const from = source.type.kind === "pointer" ? pointee(cx, source) : sourcePlace(cx, source);
  if (cx.padded) zeroBytes(cx, to, size);
  if (!length) {
    const atLimit = size === cx.unit.typed.config.maxStrlen;
    const read = readString(cx, to, constant(size), from, !atLimit);
    if (atLimit) markCut(cx, to, size, from, read);
    return;
  }
  // The NUL counts. The verifier must see both bounds.
  const limit = cx.b.fresh();
  cx.b.assign(limit, scalar(cx, length));
  cx.b.when("gt", reg(limit), constant(size), () => cx.b.assign(limit, constant(size)));
  if (!cx.padded) cx.b.store(to.base, to.offset, 1, ZERO);
  cx.b.when("ne", reg(limit), ZERO, () => readString(cx, to, reg(limit), from));
}

/**
 * Text that was cut has its next character in place of the NUL: that is how user space tells it from text that fits. So text
 * of just so many characters passes for cut, as in bpftrace.
 */
function markCut(cx: Cx, to: Place, size: number, from: Place, read: Value): void {
  const mark = () => {
    const next = loadScalar(cx, offsetBy(from, size - 1), 1, false);
    cx.b.store(to.base, to.offset + size - 1, 1, next);
    cx.b.when("ne", next, ZERO, () => countGlobal(cx, cx.layout.globals.stringsTruncated));
  };
  cx.b.when("eq", read, constant(size), mark, true);
}

function sourcePlace(cx: Cx, e: TypedExpression): Place {
  // An integer is an address; arrays and strings are read where they are.
  if (e.type.kind === "int") return { base: scalar(cx, e), offset: 0, space: "kernel" };
  return place(cx, e);
}

/** The bytes in the program's own memory, `size` of them. */
function own(cx: Cx, e: TypedExpression, size: number): Place {
  const at = place(cx, e);
  if (at.space === "bpf") return at;
  const copy = cx.temporary(size, "compared");
  copyBytes(cx, copy, at, size);
  return copy;
}

const literalOf = (e: TypedExpression): Uint8Array | undefined =>
  e.op === "string" ? textToBytes(`${e.value}\0`) : e.op === "cast" ? literalOf(e.operand) : undefined;

/** Goes to `yes` when both are the same bytes; strings up to their NUL. */
export function compareBytes(
  cx: Cx,
  left: TypedExpression,
  right: TypedExpression,
  yes: Block,
  no: Block,
): void {
  const literal = literalOf(right) ?? literalOf(left);
  if (left.type.kind === "string" || right.type.kind === "string") {
    if (literal) compareLiteral(cx, literalOf(right) ? left : right, literal, literal.length, yes, no);
    else compareStrings(cx, left, right, Math.max(sizeOf(left.type), sizeOf(right.type)), yes, no);
    return;
  }
  const size = sizeOf(left.type);
  if (size !== sizeOf(right.type)) {
    cx.b.jump(no);
    return;
  }
  const a = own(cx, left, size);
  const b = own(cx, right, size);
  compareWords(cx, a, b, size, no);
  cx.b.jump(yes);
}

/** The first `count` bytes of a string against those of a literal. */
function compareLiteral(
  cx: Cx,
  e: TypedExpression,
  literal: Uint8Array,
  count: number,
  yes: Block,
  no: Block,
): void {
  const { b } = cx;
  if (count > sizeOf(e.type)) {
    b.jump(no);
    return;
  }
  let at: Place;
  if (
    e.op === "call" &&
    e.name === "str" &&
    e.arguments.length === 1 &&
    e.arguments[0].type.kind === "pointer"
  ) {
    // Only as much is read as can decide it; one byte more tells a longer string from this one.
    const size = Math.min(sizeOf(e.type), count + 1);
    at = cx.temporary(roundUp(size, 8), "compared");
    zeroBytes(cx, at, roundUp(size, 8));
    b.call(
      e.arguments[0].type.space === "user" ? "probe_read_user_str" : "probe_read_kernel_str",
      addressOf(cx, at),
      constant(size),
      scalar(cx, e.arguments[0]),
    );
  } else {
    at = own(cx, e, count);
  }
  compareWords(cx, at, literal, count, no);
  b.jump(yes);
}

const LOW_BITS = 0x0101_0101_0101_0101n;
const HIGH_BITS = 0x8080_8080_8080_8080n;
/** Byte k from the top is k. */
const BYTE_NUMBERS = 0x0001_0203_0405_0607n;

/** Zero where no byte of the word is; else its lowest set bit is the highest bit of the first byte that is zero. */
function nulIn(cx: Cx, word: Value): Value {
  const { b } = cx;
  const borrowed = b.alu("sub", word, constant(LOW_BITS));
  const clear = b.alu("and", borrowed, b.alu("xor", word, constant(-1)));
  return b.alu("and", clear, constant(BigInt.asIntN(64, HIGH_BITS)));
}

/** Whether words can be read: the stack must be aligned, which only its own pieces are short enough to be in. */
const ON_STACK = 64;
const readsWords = (size: number, ...places: Place[]): boolean =>
  size >= 8 && (size > ON_STACK || places.every((place) => isAligned(place, 8)));

/**
 * Up to their NUL, or `count` bytes. By words, because the verifier follows every turn of a loop and the stack of what it
 * has to come back to holds 8192 branches.
 */
function compareStrings(
  cx: Cx,
  left: TypedExpression,
  right: TypedExpression,
  count: number,
  yes: Block,
  no: Block,
): void {
  const { b } = cx;
  const n = Math.min(count, sizeOf(left.type), sizeOf(right.type));
  const places = [own(cx, left, sizeOf(left.type)), own(cx, right, sizeOf(right.type))];
  const [x, y] = places.map((place) => addressOf(cx, place));
  const inWords = readsWords(n, ...places) ? n & ~7 : 0;
  const i = b.fresh();
  b.assign(i, ZERO);
  if (inWords > 0) {
    const loop = b.block("compare");
    const last = b.block("last word");
    const whole = b.block("whole word");
    const next = b.block("next");
    const rest = b.block("rest");
    b.startBlock(loop);
    const word = b.load(b.add(x, reg(i)), 0, 8);
    const other = b.load(b.add(y, reg(i)), 0, 8);
    const nul = nulIn(cx, word);
    b.branch("eq", nul, ZERO, whole, last);
    b.startBlock(last);
    const upToNul = b.alu("xor", nul, b.alu("sub", nul, constant(1)));
    b.branch("eq", b.alu("and", b.alu("xor", word, other), upToNul), ZERO, yes, no);
    b.startBlock(whole);
    b.branch("ne", word, other, no, next);
    b.startBlock(next);
    b.assign(i, b.add(reg(i), 8));
    b.branch("lt", reg(i), constant(inWords), loop, inWords < n ? rest : yes);
    if (inWords === n) return;
    b.startBlock(rest);
  }
  const loop = b.block("compare bytes");
  const same = b.block("same");
  const next = b.block("next");
  b.startBlock(loop);
  const c = b.load(b.add(x, reg(i)), 0, 1);
  b.branch("ne", c, b.load(b.add(y, reg(i)), 0, 1), no, same);
  b.startBlock(same);
  b.branch("eq", c, ZERO, yes, next);
  b.startBlock(next);
  b.assign(i, b.add(reg(i), 1));
  b.branch("lt", reg(i), constant(n), loop, yes);
}

/** strncmp: 0 when the first `length` bytes are equal, 1 otherwise. */
export function strncmp(cx: Cx, left: TypedExpression, right: TypedExpression, length: number): Value {
  const { b } = cx;
  const result = b.fresh();
  const yes = b.block("equal");
  const no = b.block("different");
  const after = b.block("after");
  const literal = literalOf(right) ?? literalOf(left);
  if (length <= 0) b.jump(yes);
  else if (literal) {
    const other = literalOf(right) ? left : right;
    compareLiteral(cx, other, literal, Math.min(length, literal.length), yes, no);
  } else compareStrings(cx, left, right, length, yes, no);
  b.startBlock(yes);
  b.assign(result, ZERO);
  b.jump(after);
  b.startBlock(no);
  b.assign(result, constant(1));
  b.startBlock(after);
  return reg(result);
}

/** Characters before the NUL. */
export function strlen(cx: Cx, e: TypedExpression): Value {
  const size = sizeOf(e.type);
  return lengthOf(cx, own(cx, e, size), size);
}

/** Bytes of a string before its NUL, at most `size`. */
function lengthOf(cx: Cx, place: Place, size: number): Value {
  const { b } = cx;
  const at = addressOf(cx, place);
  const inWords = readsWords(size, place) ? size & ~7 : 0;
  const i = b.fresh();
  const after = b.block("after");
  b.assign(i, ZERO);
  if (inWords > 0) {
    const loop = b.block("strlen");
    const last = b.block("last word");
    const next = b.block("next");
    const rest = b.block("rest");
    b.startBlock(loop);
    const nul = nulIn(cx, b.load(b.add(at, reg(i)), 0, 8));
    b.branch("ne", nul, ZERO, last, next);
    b.startBlock(last);
    const bit = b.alu("rsh", b.alu("and", nul, b.negate(nul)), constant(7));
    const byte = b.alu("rsh", b.alu("mul", bit, constant(BYTE_NUMBERS)), constant(56));
    b.assign(i, b.add(reg(i), byte));
    b.jump(after);
    b.startBlock(next);
    b.assign(i, b.add(reg(i), 8));
    b.branch("lt", reg(i), constant(inWords), loop, inWords < size ? rest : after);
    if (inWords < size) b.startBlock(rest);
  }
  if (inWords < size) {
    const loop = b.block("strlen bytes");
    const next = b.block("next");
    b.startBlock(loop);
    b.branch("eq", b.load(b.add(at, reg(i)), 0, 1), ZERO, after, next);
    b.startBlock(next);
    b.assign(i, b.add(reg(i), 1));
    b.branch("lt", reg(i), constant(size), loop, after);
  }
  b.startBlock(after);
  return reg(i);
}

/** The first string, and the second from its NUL on. */
export function writeConcatenated(cx: Cx, e: Extract<TypedExpression, { op: "call" }>, to: Place): void {
  const { b } = cx;
  const [left, right] = e.arguments;
  const [first, second] = [sizeOf(left.type), sizeOf(right.type)];
  const from = own(cx, right, second);
  zeroBytes(cx, to, sizeOf(e.type));
  write(cx, left, to);
  b.store(to.base, to.offset + first - 1, 1, ZERO);
  const at = b.fresh();
  b.assign(at, lengthOf(cx, to, first));
  b.when("ge", reg(at), constant(first), () => b.assign(at, constant(first - 1)));
  b.call("probe_read_kernel_str", b.add(addressOf(cx, to), reg(at)), constant(second), addressOf(cx, from));
}

/** buf(data, length): u32 length, then the bytes. */
export function writeBuffer(cx: Cx, e: Extract<TypedExpression, { op: "call" }>, to: Place): void {
  const { b } = cx;
  const size = (e.type as Extract<Type, { kind: "buffer" }>).size;
  const [source, length] = e.arguments;
  const from = source.type.kind === "pointer" ? pointee(cx, source) : sourcePlace(cx, source);
  const data = offsetBy(to, 4);
  if (!length) {
    b.store(to.base, to.offset, 4, constant(size));
    copyBytes(cx, data, from, size);
    zeroBytes(cx, offsetBy(data, size), sizeOf(e.type) - 4 - size);
    return;
  }
  const count = b.fresh();
  b.assign(count, scalar(cx, length));
  b.when("gt", reg(count), constant(size), () => b.assign(count, constant(size)));
  b.store(to.base, to.offset, 4, reg(count));
  if (cx.padded) zeroBytes(cx, data, sizeOf(e.type) - 4);
  b.when("ne", reg(count), ZERO, () => {
    b.call(
      from.space === "user" ? "probe_read_user" : "probe_read_kernel",
      addressOf(cx, data),
      reg(count),
      addressOf(cx, from),
    );
  });
}
