/**
 * One frame of a walk by unwind tables: it is kept, its rule is looked for, and the registers become those of its caller.
 *
 * The searches have no branches: what a step adds is the sign of a difference, shifted. The verifier walks each once (it follows
 * a sign that is spread over a word, as masks are made, both ways), and the processor predicts nothing. Garbage in a stack is no more than a wrong frame: every address goes through probe_read_user.
 */
import { Cfa, FramePointer } from "libbpf-ts/unwind-rules";
import { type Condition, constant, isConst, reg, type Value, ZERO } from "../ir/types.ts";
import { RETURN_PAGE, ROW, RULE, RULES, SEGMENT, SEGMENTS, SHARD_ROWS } from "../unwindMaps.ts";
import type { Cx } from "./context.ts";
import { returnInstance } from "./returnAddress.ts";

/** Words of a walk: u64 each. `back`: 1 when pc is behind a call, as the call itself tells the rule. */
export const STATE = {
  pc: 0,
  sp: 8,
  bp: 16,
  back: 24,
  /** The frame was found by a frame pointer that may be none. */
  guessed: 32,
  segments: 40,
  /** Where addresses go, and how many there are. */
  frames: 48,
  count: 56,
  limit: 64,
  /** Of the functions with uretprobes, see returnAddress.ts. */
  instance: 72,
  size: 80,
} as const;

const MOST_FRAMES = 128;

/** What leaves a frame: for good, or for the next one. */
export interface Ways {
  stop: () => void;
  next: () => void;
}

/** Keeps a frame and makes the registers those of its caller. */
export function unwindFrame(cx: Cx, state: Value, ways: Ways): void {
  const { stop } = ways;
  const { b } = cx;
  cx.scope(() => {
    const count = b.load(state, STATE.count, 8);
    b.when("ge", count, b.load(state, STATE.limit, 8), stop);
    const pc = b.load(state, STATE.pc, 8);
    const at = b.alu("sub", pc, b.load(state, STATE.back, 8));
    const rule = findRule(cx, at, state, ways);
    const i = b.alu("and", count, constant(MOST_FRAMES - 1));
    const frames = b.load(state, STATE.frames, 8);
    b.store(b.add(frames, b.alu("lsh", i, constant(3))), 0, 8, pc);
    b.store(state, STATE.count, 8, b.add(i, 1));
    apply(cx, rule, at, state, stop);
  });
}

/** 1 when a < b, else 0; of signed numbers that are not far apart. */
const isLess = (cx: Cx, a: Value, b: Value): Value => cx.b.alu("rsh", cx.b.alu("sub", a, b), constant(63));

/**
 * The last of 2ⁿ entries, ascending, that `isNotAfter` (1 or 0) holds for, or the first: each step adds half of what is left.
 */
function search(cx: Cx, entries: number, isNotAfter: (index: Value) => Value): Value {
  const { b } = cx;
  let found: Value = ZERO;
  for (let bit = Math.log2(entries) - 1; bit >= 0; bit--) {
    const more = b.alu("lsh", isNotAfter(b.add(found, 2 ** bit)), constant(bit));
    found = isConst(found) ? more : b.add(found, more);
  }
  return found;
}

/** Address of the rule for an address of the process. */
function findRule(cx: Cx, at: Value, state: Value, { stop, next }: Ways): Value {
  const { b } = cx;
  const behind = b.add(at, 1);
  const segments = b.load(state, STATE.segments, 8);
  const entry = (index: Value) => b.add(segments, b.alu("lsh", index, constant(Math.log2(SEGMENT.size))));
  const found = search(cx, SEGMENTS, (i) => isLess(cx, b.load(entry(i), SEGMENT.start, 8), behind));
  const segment = entry(found);
  const distance = b.alu("sub", at, b.load(segment, SEGMENT.start, 8));
  const rule = b.fresh();
  b.assign(rule, ZERO);
  const within = b.block("in a mapping");
  const nowhere = b.block("in no mapping", true);
  const ready = b.block("rule");
  b.branch("lt", distance, b.load(segment, SEGMENT.bytes, 4), within, nowhere);
  b.startBlock(nowhere);
  // A guess that leads out of all code was wrong.
  b.when("ne", b.load(state, STATE.guessed, 8), ZERO, stop);
  b.jump(ready);
  b.startBlock(within);
  const count = b.load(segment, SEGMENT.rows, 4);
  const map = b.load(segment, SEGMENT.map, 4);
  b.when("eq", map, constant(RETURN_PAGE), () => {
    const instance = b.load(state, STATE.instance, 8);
    b.when("eq", instance, ZERO, stop);
    const found = returnInstance(cx, instance, b.load(state, STATE.sp, 8));
    if (!found) return stop();
    b.store(state, STATE.instance, 8, found.next);
    b.when("ne", found.caller, ZERO, () => b.store(state, STATE.pc, 8, found.caller));
    next();
  });
  b.when("ne", count, ZERO, () => {
    const key = b.slot(8, "key");
    const lookup = (map: Value, index: Value): Value => {
      b.store(key, 0, 8, index);
      const value = b.call("map_lookup_elem", map, key);
      const there = b.block("there");
      b.branch("eq", value, ZERO, ready, there);
      b.startBlock(there);
      return value;
    };
    const first = b.load(segment, SEGMENT.row, 4);
    const address = b.add(distance, b.load(segment, SEGMENT.from, 4));
    const shardIndex = b.load(segment, SEGMENT.shard, 4);
    const outer: Value = { kind: "map", map: cx.layout.unwindMap("unwind_rows") };
    const shard = lookup(lookup(outer, map), shardIndex);
    b.assign(rule, searchRows(cx, shard, { first, count, address }));
  });
  b.startBlock(ready);
  const index = b.alu("and", reg(rule), constant(RULES - 1));
  const rules: Value = { kind: "map-value", map: cx.layout.unwindMap("unwind_rules"), offset: 0 };
  return b.add(rules, b.alu("lsh", index, constant(Math.log2(RULE.size))));
}

/** The rule of the last row of `count` from `first` on that begins at the address or before. */
function searchRows(
  cx: Cx,
  shard: Value,
  { first, count, address }: { first: Value; count: Value; address: Value },
): Value {
  const { b } = cx;
  const behind = b.add(address, 1);
  const row = (index: Value) => {
    const place = b.alu("and", b.add(index, first), constant(SHARD_ROWS - 1));
    return b.add(shard, b.alu("lsh", place, constant(Math.log2(ROW.size))));
  };
  const found = search(cx, SHARD_ROWS, (i) =>
    b.alu("and", isLess(cx, i, count), isLess(cx, b.load(row(i), ROW.address, 4), behind)),
  );
  return b.load(row(found), ROW.rule, 4);
}

/** Reads words of user memory into a slot; stops where there are none. */
function readWords(cx: Cx, to: Value, bytes: number, address: Value, stop: () => void): void {
  const status = cx.b.call("probe_read_user", to, constant(bytes), address);
  cx.b.when("ne", status, ZERO, stop, true);
}

function apply(cx: Cx, rule: Value, at: Value, state: Value, stop: () => void): void {
  const { b } = cx;
  const sp = b.load(state, STATE.sp, 8);
  const bp = b.load(state, STATE.bp, 8);
  const kind = b.load(rule, RULE.cfa, 1);
  const offset = b.load(rule, RULE.offset, 4, true);
  const word = b.slot(8, "word");
  const cfa = b.fresh();
  const when = (condition: Condition, value: number, body: () => void) =>
    b.when(condition, kind, constant(value), body);
  b.assign(cfa, b.add(sp, offset));
  when("ne", Cfa.stackPointer, () => {
    when("eq", Cfa.end, stop);
    when("eq", Cfa.unknown, stop);
    b.assign(cfa, b.add(bp, offset));
    when("eq", Cfa.guess, () => {
      b.when("lt", bp, sp, stop);
      b.when("set", bp, constant(7), stop);
    });
    when("eq", Cfa.plt, () => {
      // 8 more when the low bits of the address are not below the offset.
      const low = b.alu("and", at, constant(15));
      const pushed = b.alu("lsh", b.alu("xor", isLess(cx, low, offset), constant(1)), constant(3));
      b.assign(cfa, b.add(b.add(sp, pushed), 8));
    });
    when("ge", Cfa.atStackPointer, () => {
      const base = b.fresh();
      b.assign(base, sp);
      when("eq", Cfa.atFramePointer, () => b.assign(base, bp));
      readWords(cx, word, 8, b.add(reg(base), b.load(rule, RULE.at, 4, true)), stop);
      b.assign(cfa, b.add(b.load(word, 0, 8), offset));
    });
  });
  callerOf(cx, { rule, sp, bp, cfa: reg(cfa), state, word }, stop);
}

interface Frame {
  rule: Value;
  sp: Value;
  bp: Value;
  cfa: Value;
  state: Value;
  word: Value;
}

/** The registers of the caller, by the CFA. */
function callerOf(cx: Cx, { rule, sp, bp, cfa, state, word }: Frame, stop: () => void): void {
  const { b } = cx;
  const signal = b.load(rule, RULE.signal, 1);
  const caller = b.fresh();
  const framePointer = b.fresh();
  const words = b.slot(16, "below CFA");
  const plain = b.block("called");
  const interrupted = b.block("interrupted", true);
  const found = b.block("caller");
  b.assign(framePointer, bp);
  b.branch("ne", signal, ZERO, interrupted, plain);
  b.startBlock(interrupted);
  readWords(cx, word, 8, b.add(sp, b.load(rule, RULE.returnAt, 4, true)), stop);
  b.assign(caller, b.load(word, 0, 8));
  saved(cx, { rule, sp, bp, cfa, state, word }, framePointer, stop);
  b.jump(found);
  b.startBlock(plain);
  // Stacks grow downwards: callers' frames are above.
  b.when("le", cfa, sp, stop);
  readWords(cx, words, 16, b.add(cfa, -16), stop);
  b.assign(caller, b.load(words, 8, 8));
  const kind = b.load(rule, RULE.framePointer, 1);
  b.when("ne", kind, constant(FramePointer.same), () => {
    const nextToIt = b.block("next to the return address");
    const elsewhere = b.block("elsewhere");
    const done = b.block("frame pointer");
    // A byte and a number that only this place has together.
    const place = b.alu("or", b.alu("lsh", kind, constant(32)), b.load(rule, RULE.fp, 4));
    const usual = (BigInt(FramePointer.atCfa) << 32n) | BigInt.asUintN(32, -16n);
    b.branch("eq", place, constant(usual), nextToIt, elsewhere);
    b.startBlock(nextToIt);
    b.assign(framePointer, b.load(words, 0, 8));
    b.jump(done);
    b.startBlock(elsewhere);
    saved(cx, { rule, sp, bp, cfa, state, word }, framePointer, stop);
    b.startBlock(done);
  });
  b.startBlock(found);
  b.when("eq", reg(caller), ZERO, stop);
  b.store(state, STATE.pc, 8, reg(caller));
  b.store(state, STATE.sp, 8, cfa);
  b.store(state, STATE.bp, 8, reg(framePointer));
  b.store(state, STATE.back, 8, b.alu("xor", signal, constant(1)));
  b.store(state, STATE.guessed, 8, b.load(rule, RULE.guess, 1));
}

/** The caller's frame pointer from where the rule says that it was saved. */
function saved(cx: Cx, { rule, sp, bp, cfa, word }: Frame, framePointer: number, stop: () => void): void {
  const { b } = cx;
  const kind = b.load(rule, RULE.framePointer, 1);
  b.when("ne", kind, constant(FramePointer.same), () => {
    const base = b.fresh();
    b.assign(base, cfa);
    b.when("eq", kind, constant(FramePointer.atStackPointer), () => b.assign(base, sp));
    b.when("eq", kind, constant(FramePointer.atFramePointer), () => b.assign(base, bp));
    readWords(cx, word, 8, b.add(reg(base), b.load(rule, RULE.fp, 4, true)), stop);
    b.assign(framePointer, b.load(word, 0, 8));
  });
}
