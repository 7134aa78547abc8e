/**
 * count() and its kind: one look-up finds the value, and the words in it are changed in place. On per-CPU maps a plain
 * addition does; shared ones take an atomic.
 *
 *   count, sum [n] · avg, stats [count, total] · min, max [value, set] · hist, lhist [bucket…] ·
 *   tseries [epoch, value, count] per interval
 */
import { type Condition, constant, ONE, reg, type Value, ZERO } from "../ir/types.ts";
import type { TypedStatement } from "../typed.ts";
import {
  type AggregationType,
  histBuckets,
  isAggregation,
  lhistBuckets,
  sizeOf,
  type Type,
} from "../types.ts";
import type { Cx } from "./context.ts";
import { scalar } from "./expressions.ts";
import type { ScriptMap } from "./layout.ts";
import { keyAddress, lookup, scalarPlace, withValue } from "./maps.ts";
import { isSigned } from "./shape.ts";

/** The words of one value, in the program's memory. */
interface Cell {
  base: Value;
  offset: number;
  perCpu: boolean;
}

function addWord(cx: Cx, cell: Cell, word: number, by: Value): void {
  const offset = cell.offset + word * 8;
  if (cell.perCpu) cx.b.store(cell.base, offset, 8, cx.b.add(cx.b.load(cell.base, offset, 8), by));
  else cx.b.atomicAdd(cell.base, offset, 8, by);
}

type Apply<T> = (cx: Cx, cell: Cell, type: T, value: Value, valueType: Type) => void;
type Rows = { [K in AggregationType["kind"]]: Apply<Extract<AggregationType, { kind: K }>> };

const average: Rows["avg"] & Rows["stats"] = (cx, cell, _type, value) => {
  addWord(cx, cell, 0, ONE);
  addWord(cx, cell, 1, value);
};

const extreme =
  (signed: Condition, unsigned: Condition): Rows["min"] & Rows["max"] =>
  (cx, cell, type, value) => {
    const { b } = cx;
    const take = b.block("take");
    const compare = b.block("compare");
    const after = b.block("after");
    b.branch("eq", b.load(cell.base, cell.offset + 8, 8), ZERO, take, compare);
    b.startBlock(compare);
    b.branch(type.signed ? signed : unsigned, value, b.load(cell.base, cell.offset, 8), take, after);
    b.startBlock(take);
    b.store(cell.base, cell.offset, 8, value);
    b.store(cell.base, cell.offset + 8, 8, ONE);
    b.startBlock(after);
  };

const APPLY: Rows = {
  count: (cx, cell) => addWord(cx, cell, 0, ONE),
  sum: (cx, cell, _type, value) => addWord(cx, cell, 0, value),
  avg: average,
  stats: average,
  min: extreme("slt", "lt"),
  max: extreme("sgt", "gt"),
  hist: (cx, cell, type, value, valueType) => {
    addBucket(cx, cell, log2Bucket(cx, value, type.bits, isSigned(valueType)), histBuckets(type.bits));
  },
  lhist: (cx, cell, type, value, valueType) => {
    addBucket(cx, cell, linearBucket(cx, value, type, isSigned(valueType)), lhistBuckets(type));
  },
  tseries: (cx, cell, type, value) => addToSeries(cx, cell, type, value),
};

export function aggregate(cx: Cx, s: Extract<TypedStatement, { op: "aggregate" }>): void {
  const { b } = cx;
  const map = cx.layout.script(s.map);
  const value = s.value ? scalar(cx, s.value) : ZERO;
  const apply = APPLY[s.aggregation.kind] as Apply<AggregationType>;
  const onCell = (cell: Cell) => apply(cx, cell, s.aggregation, value, s.value?.type ?? { kind: "void" });
  const present = (cell: Cell) => {
    if (map.present !== undefined) b.store(cell.base, cell.offset + map.present, 8, ONE);
  };
  if (!s.map.key && !map.perCpu) {
    const cell = { ...scalarPlace(map), perCpu: false };
    onCell(cell);
    present(cell);
    return;
  }
  const key = keyAddress(cx, map, s.key);
  const onFound = (found: Value) => {
    const cell = { base: found, offset: 0, perCpu: map.perCpu };
    onCell(cell);
    present(cell);
  };
  if (s.map.key) {
    withValue(cx, map, key, onFound);
  } else {
    const found = lookup(cx, map, key);
    b.when("ne", found, ZERO, () => onFound(found));
  }
}

/** Adds one to a bucket whose index is known at run time; the check is for the verifier, and never fails. */
function addBucket(cx: Cx, cell: Cell, index: Value, buckets: number): void {
  const { b } = cx;
  b.when("lt", index, constant(buckets), () => {
    const base = b.add(cell.base, b.alu("lsh", index, constant(3)));
    addWord(cx, { ...cell, base }, 0, ONE);
  });
}

/**
 * Bucket 0: negative. Then v itself below 2^bits, then 2^bits buckets for each power of two. The power is found by
 * halving: six comparisons, all of them well predicted when values are alike.
 */
export function log2Bucket(cx: Cx, value: Value, bits: number, signed: boolean): Value {
  const { b } = cx;
  const index = b.fresh();
  const after = b.block("bucket");
  b.assign(index, ZERO);
  if (signed) {
    const positive = b.block("positive");
    b.branch("slt", value, ZERO, after, positive);
    b.startBlock(positive);
  }
  const small = b.block("small");
  const large = b.block("large");
  b.branch("lt", value, constant(1 << bits), small, large);
  b.startBlock(small);
  b.assign(index, b.add(value, 1));
  b.jump(after);
  b.startBlock(large);
  const rest = b.fresh();
  const power = b.fresh();
  b.assign(rest, value);
  b.assign(power, ZERO);
  for (const step of [32, 16, 8, 4, 2, 1]) {
    const halve = () => {
      b.assign(rest, b.alu("rsh", reg(rest), constant(step)));
      b.assign(power, b.add(reg(power), step));
    };
    b.when("gt", reg(rest), constant((1n << BigInt(step)) - 1n), halve);
  }
  if (bits === 0) {
    b.assign(index, b.add(reg(power), 2));
  } else {
    const shift = b.alu("sub", reg(power), constant(bits));
    const within = b.alu("sub", b.alu("rsh", value, shift), constant(1 << bits));
    const start = b.add(b.alu("lsh", shift, constant(bits)), 1 + (1 << bits));
    b.assign(index, b.add(start, within));
  }
  b.startBlock(after);
  return reg(index);
}

function linearBucket(
  cx: Cx,
  value: Value,
  { min, max, step }: { min: bigint; max: bigint; step: bigint },
  signed: boolean,
): Value {
  const { b } = cx;
  const index = b.fresh();
  const after = b.block("bucket");
  const high = b.block("not below");
  const inside = b.block("inside");
  b.assign(index, ZERO);
  if (signed || min >= 0n) b.branch(signed ? "slt" : "lt", value, constant(min), after, high);
  b.startBlock(high);
  b.assign(index, constant(lhistBuckets({ min, max, step }) - 1));
  b.branch(signed ? "sge" : "ge", value, constant(max), after, inside);
  b.startBlock(inside);
  b.assign(index, b.add(b.alu("div", b.alu("sub", value, constant(min)), constant(step)), 1));
  b.startBlock(after);
  return reg(index);
}

/** The interval of now takes over the oldest one's place in the ring of intervals. */
function addToSeries(
  cx: Cx,
  cell: Cell,
  type: Extract<AggregationType, { kind: "tseries" }>,
  value: Value,
): void {
  const { b } = cx;
  const now = b.call(cx.target.can("bootTime") ? "ktime_get_boot_ns" : "ktime_get_ns");
  const epoch = b.alu("div", now, constant(type.interval));
  const index = b.alu("mod", epoch, constant(type.intervals));
  b.when("lt", index, constant(type.intervals), () => {
    const base = b.add(cell.base, b.alu("mul", index, constant(24)));
    b.when("ne", b.load(base, 0, 8), epoch, () => {
      b.store(base, 0, 8, epoch);
      b.store(base, 8, 8, ZERO);
      b.store(base, 16, 8, ZERO);
    });
    const count = b.load(base, 16, 8);
    const old = b.load(base, 8, 8);
    const put = (v: Value) => b.store(base, 8, 8, v);
    switch (type.agg) {
      case "last":
        put(value);
        break;
      case "avg":
      case "sum":
        put(b.add(old, value));
        break;
      default: {
        const less: Condition = type.signed ? "slt" : "lt";
        const more: Condition = type.signed ? "sgt" : "gt";
        const take = b.block("take");
        const compare = b.block("compare");
        const after = b.block("after");
        b.branch("eq", count, ZERO, take, compare);
        b.startBlock(compare);
        b.branch(type.agg === "min" ? less : more, value, old, take, after);
        b.startBlock(take);
        put(value);
        b.startBlock(after);
      }
    }
    b.store(base, 16, 8, b.add(count, 1));
  });
}

/** What all CPUs have together, as an integer. Missing keys are zero. */
export function readAggregation(cx: Cx, map: ScriptMap, key: Value, type: Type): Value {
  const { b } = cx;
  const aggregation = map.info.value as AggregationType;
  const [first, second] = [b.fresh(), b.fresh()];
  b.assign(first, ZERO);
  b.assign(second, ZERO);
  const merge = (base: Value) => mergeWords(cx, aggregation, base, first, second);
  if (!map.perCpu) {
    if (!map.info.key) merge(scalarPlace(map).base);
    else {
      const found = lookup(cx, map, key);
      b.when("ne", found, ZERO, () => merge(found));
    }
  } else {
    const cpu = b.fresh();
    const loop = b.block("cpu");
    const after = b.block("merged");
    b.assign(cpu, ZERO);
    b.startBlock(loop);
    const found = b.call("map_lookup_percpu_elem", { kind: "map", map: map.index }, key, reg(cpu));
    b.when("ne", found, ZERO, () => merge(found));
    b.assign(cpu, b.add(reg(cpu), 1));
    b.branch("lt", reg(cpu), constant(cx.target.kernel.possibleCpus), loop, after);
    b.startBlock(after);
  }
  if (aggregation.kind !== "avg" && aggregation.kind !== "stats") return reg(first);
  return divideByCount(
    cx,
    reg(second),
    reg(first),
    isAggregation(type) ? aggregation.signed : isSigned(type),
  );
}

/** total / count by magnitude; 0 when nothing was counted. */
function divideByCount(cx: Cx, total: Value, count: Value, signed: boolean): Value {
  const { b } = cx;
  if (!signed) return b.alu("div", total, count);
  const sign = b.alu("arsh", total, constant(63));
  const magnitude = b.alu("sub", b.alu("xor", total, sign), sign);
  return b.alu("sub", b.alu("xor", b.alu("div", magnitude, count), sign), sign);
}

/** Adds one CPU's words to what the CPUs before it had. */
function mergeWords(cx: Cx, type: AggregationType, base: Value, first: number, second: number): void {
  const { b } = cx;
  const word = (i: number) => b.load(base, i * 8, 8);
  switch (type.kind) {
    case "avg":
    case "stats":
      b.assign(second, b.add(reg(second), word(1)));
      b.assign(first, b.add(reg(first), word(0)));
      return;
    case "min":
    case "max": {
      const more: Condition = type.kind === "min" ? (type.signed ? "slt" : "lt") : type.signed ? "sgt" : "gt";
      b.when("ne", word(1), ZERO, () => {
        const value = word(0);
        const take = b.block("take");
        const compare = b.block("compare");
        const after = b.block("after");
        b.branch("eq", reg(second), ZERO, take, compare);
        b.startBlock(compare);
        b.branch(more, value, reg(first), take, after);
        b.startBlock(take);
        b.assign(first, value);
        b.assign(second, ONE);
        b.startBlock(after);
      });
      return;
    }
    case "hist":
    case "lhist":
      for (let i = 0; i < Math.min(sizeOf(type) / 8, 4096); i++) b.assign(first, b.add(reg(first), word(i)));
      return;
    default:
      b.assign(first, b.add(reg(first), word(0)));
  }
}
