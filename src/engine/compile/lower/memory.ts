/**
 * Bytes: where they are, and moving them.
 *
 * BPF programs may touch their own memory (stack, map values, ring buffer records) with plain loads and stores;
 * everything else goes through the probe_read helpers, which fill the destination with zeros when they fail.
 */
import { type Block, constant, isConst, type Size, type Value, ZERO } from "../ir/types.ts";
import type { AddressSpace } from "../types.ts";
import type { Cx } from "./context.ts";
import { checkHelper, countTruncated } from "./errors.ts";

/** `direct`: kernel memory that the verifier lets programs load from, by BTF. */
export type Space = "bpf" | "kernel" | "user" | "direct";

export interface Place {
  base: Value;
  offset: number;
  space: Space;
}

export const offsetBy = (place: Place, bytes: number): Place => ({ ...place, offset: place.offset + bytes });

/** The address as a value. */
export const addressOf = (cx: Cx, place: Place): Value => cx.b.add(place.base, place.offset);

/** Where a pointer of the language points. */
export function spaceOf(space: AddressSpace): Space {
  return space === "none" ? "kernel" : space;
}

const READ: Record<"kernel" | "user", string> = { kernel: "probe_read_kernel", user: "probe_read_user" };
const READ_STR: Record<"kernel" | "user", string> = {
  kernel: "probe_read_kernel_str",
  user: "probe_read_user_str",
};

const reader = (space: Space): "kernel" | "user" => (space === "user" ? "user" : "kernel");

/** Copies up to this many bytes with loads and stores; above, one helper call is cheaper. */
const INLINE_BYTES = 64;

/** Bytes from an address that is known to be 8-byte aligned. */
const alignment = ({ base, offset }: Place): number =>
  offset + (base.kind === "slot" || base.kind === "map-value" ? base.offset : 0);

export const isAligned = (place: Place, bytes: number): boolean => alignment(place) % bytes === 0;

/** Biggest access that both offsets are aligned for; stack accesses must be. */
function chunkAt(rest: number, ...offsets: number[]): Size {
  for (const size of [8, 4, 2] as const) {
    if (rest >= size && offsets.every((offset) => offset % size === 0)) return size;
  }
  return 1;
}

/** Calls `visit` with each access that covers `size` bytes. */
function chunks(size: number, offsets: number[], visit: (at: number, size: Size) => void): void {
  for (let at = 0; at < size; ) {
    const step = chunkAt(size - at, ...offsets.map((offset) => offset + at));
    visit(at, step);
    at += step;
  }
}

export function loadScalar(cx: Cx, place: Place, size: Size, signed: boolean): Value {
  if (place.space === "bpf" || place.space === "direct") {
    return cx.b.load(place.base, place.offset, size, signed);
  }
  return cx.scope(() => {
    const slot = cx.b.slot(8, "read");
    const status = cx.b.call(READ[reader(place.space)], slot, constant(size), addressOf(cx, place));
    checkHelper(cx, READ[reader(place.space)], status);
    return cx.b.load(slot, 0, size, signed);
  });
}

export function storeScalar(cx: Cx, place: Place, size: Size, value: Value): void {
  cx.b.store(place.base, place.offset, size, value);
}

/** dst = size bytes of src; dst is the program's own memory. */
export function copyBytes(cx: Cx, dst: Place, src: Place, size: number): void {
  if (size === 0) return;
  const own = src.space === "bpf" || src.space === "direct";
  if (own && size <= INLINE_BYTES) {
    chunks(size, [alignment(dst), alignment(src)], (at, step) => {
      cx.b.store(dst.base, dst.offset + at, step, cx.b.load(src.base, src.offset + at, step));
    });
    return;
  }
  const helper = READ[reader(src.space)];
  const status = cx.b.call(helper, addressOf(cx, dst), constant(size), addressOf(cx, src));
  if (!own) checkHelper(cx, helper, status);
}

export function zeroBytes(cx: Cx, dst: Place, size: number): void {
  if (size === 0) return;
  if (size <= INLINE_BYTES) {
    chunks(size, [alignment(dst)], (at, step) => cx.b.store(dst.base, dst.offset + at, step, ZERO));
    return;
  }
  // A read from address 0 fails at once, and a failed read fills the destination with zeros.
  cx.b.call("probe_read_kernel", addressOf(cx, dst), constant(size), ZERO);
}

/** Bytes known at compile time, then zeros up to `size`. */
export function writeBytes(cx: Cx, dst: Place, bytes: Uint8Array, size: number): void {
  const padded = new Uint8Array(size);
  padded.set(bytes.subarray(0, size));
  const view = new DataView(padded.buffer);
  const inlineSize = Math.min(size, Math.max(INLINE_BYTES, (bytes.length + 7) & ~7));
  chunks(inlineSize, [alignment(dst)], (at, step) => {
    cx.b.store(dst.base, dst.offset + at, step, constant(wordAt(view, at, step)));
  });
  zeroBytes(cx, offsetBy(dst, inlineSize), size - inlineSize);
}

export function wordAt(view: DataView, at: number, size: Size): bigint {
  switch (size) {
    case 8:
      return view.getBigInt64(at, true);
    case 4:
      return BigInt(view.getUint32(at, true));
    case 2:
      return BigInt(view.getUint16(at, true));
    case 1:
      return BigInt(view.getUint8(at));
  }
}

/**
 * Reads a NUL-terminated string of at most size - 1 characters; the number of bytes with the NUL, or an error. One that
 * fills its room counts as cut, unless `count` says that the caller knows better.
 */
export function readString(cx: Cx, dst: Place, size: Value, src: Place, count = true): Value {
  const helper = READ_STR[reader(src.space)];
  const length = cx.b.call(helper, addressOf(cx, dst), size, addressOf(cx, src));
  if (count && isConst(size)) countTruncated(cx, length, Number(size.value));
  checkHelper(cx, helper, length);
  return length;
}

const LOW_BITS = constant(0x0101010101010101n);
const HIGH_BITS = constant(-0x7f7f7f7f7f7f7f80n);

/** Whether `clearBehindText` takes it; a call is better for much text, and for text in odd places. */
export const canClearBehindText = (to: Place, size: number): boolean =>
  size % 8 === 0 && size <= INLINE_BYTES && isAligned(to, 8);

/**
 * Zeros what lies behind the first NUL of text, eight bytes at a time: left over from longer texts, it would tell equal keys
 * apart. Names of tasks are so before Linux 5.17.
 */
export function clearBehindText(cx: Cx, text: Place, size: number): void {
  const { b } = cx;
  /** All ones until a word had a NUL, then 0. */
  let before: Value | undefined;
  for (let at = 0; at < size; at += 8) {
    const word = b.load(text.base, text.offset + at, 8);
    // The lowest of these bits is that of the first zero byte (Mycroft).
    const zeros = b.alu(
      "and",
      b.alu("and", b.alu("sub", word, LOW_BITS), b.alu("xor", word, constant(-1))),
      HIGH_BITS,
    );
    const lowest = b.alu("and", zeros, b.negate(zeros));
    const kept = b.alu("and", word, b.alu("sub", b.alu("rsh", lowest, constant(7)), constant(1)));
    b.store(text.base, text.offset + at, 8, before ? b.alu("and", kept, before) : kept);
    if (at + 8 >= size) break;
    const none = b.alu("xor", b.alu("arsh", b.alu("or", zeros, b.negate(zeros)), constant(63)), constant(-1));
    before = before ? b.alu("and", before, none) : none;
  }
}

/** Goes to `no` at the first difference; falls through when all bytes are equal. */
export function compareWords(cx: Cx, a: Place, b: Place | Uint8Array, size: number, no: Block): void {
  const known = b instanceof Uint8Array ? new DataView(b.buffer, b.byteOffset, b.byteLength) : undefined;
  const offsets = known ? [alignment(a)] : [alignment(a), alignment(b as Place)];
  chunks(size, offsets, (at, step) => {
    const left = cx.b.load(a.base, a.offset + at, step);
    const right = known
      ? constant(wordAt(known, at, step))
      : cx.b.load((b as Place).base, (b as Place).offset + at, step);
    const next = cx.b.block("next");
    cx.b.branch("ne", left, right, no, next);
    cx.b.startBlock(next);
  });
}
