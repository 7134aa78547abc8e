/**
 * What all CPUs counted, as one number per key. A read of a per-CPU map has for each key the values of all possible
 * CPUs in a row; values of aggregations are 64-bit words (compile/types.ts has their layout).
 *
 * Everything is typed arrays: 200,000 keys on two CPUs take a few milliseconds.
 */
import type { MapPlan } from "../compile/plan.ts";
import { type AggregationType, isAggregation, sizeOf } from "../compile/types.ts";
import type { MergedMap } from "./merged.ts";

/** A read of a whole map, as libbpf-ts gives it. */
export interface RawMap {
  keys: Uint8Array;
  values: Uint8Array;
  count: number;
  /** Bytes from key to key, and from CPU to CPU; CPUs per key. */
  valueStride: number;
  cpuStride: number;
  cpus: number;
}

type Merge = (
  into: BigInt64Array,
  at: number,
  words: BigInt64Array,
  from: number,
  cpuWords: number,
  cpus: number,
) => void;

function sumWords(width: number): Merge {
  return (into, at, words, from, cpuWords, cpus) => {
    for (let cpu = 0; cpu < cpus; cpu++) {
      const base = from + cpu * cpuWords;
      for (let i = 0; i < width; i++) into[at + i] += words[base + i];
    }
  };
}

/** [value, set] per CPU → the extreme of those that are set. */
function extreme(signed: boolean, sign: 1 | -1): Merge {
  return (into, at, words, from, cpuWords, cpus) => {
    let found = false;
    let best = 0n;
    for (let cpu = 0; cpu < cpus; cpu++) {
      const base = from + cpu * cpuWords;
      if (words[base + 1] === 0n) continue;
      const value = signed ? words[base] : BigInt.asUintN(64, words[base]);
      if (!found || (sign > 0 ? value > best : value < best)) best = value;
      found = true;
    }
    into[at] = best;
  };
}

/** Slots of [epoch, value, count]: CPUs that are behind in a slot hold an older turn of the ring, which does not count. */
function series(type: Extract<AggregationType, { kind: "tseries" }>): Merge {
  const combine = {
    sum: (a: bigint, b: bigint) => a + b,
    avg: (a: bigint, b: bigint) => a + b,
    last: (_: bigint, b: bigint) => b,
    min: (a: bigint, b: bigint) => (b < a ? b : a),
    max: (a: bigint, b: bigint) => (b > a ? b : a),
  }[type.agg];
  return (into, at, words, from, cpuWords, cpus) => {
    for (let slot = 0; slot < type.intervals * 3; slot += 3) {
      for (let cpu = 0; cpu < cpus; cpu++) {
        const base = from + cpu * cpuWords + slot;
        const [epoch, value, count] = [words[base], words[base + 1], words[base + 2]];
        if (count === 0n || epoch < into[at + slot]) continue;
        const fresh = epoch > into[at + slot] || into[at + slot + 2] === 0n;
        into[at + slot] = epoch;
        into[at + slot + 1] = fresh ? value : combine(into[at + slot + 1], value);
        into[at + slot + 2] = fresh ? count : into[at + slot + 2] + count;
      }
    }
  };
}

/** Words per row after the merge, and how to make them. */
function mergeFor(type: AggregationType): { width: number; merge: Merge } {
  switch (type.kind) {
    case "min":
    case "max":
      return { width: 1, merge: extreme(type.signed, type.kind === "max" ? 1 : -1) };
    case "tseries":
      return { width: type.intervals * 3, merge: series(type) };
    default: {
      const width = sizeOf(type) / 8;
      return { width, merge: sumWords(width) };
    }
  }
}

/** Words of a value; copied only where the bytes do not lie on 8-byte steps. */
function asWords(bytes: Uint8Array): BigInt64Array {
  const length = bytes.byteLength >>> 3;
  return bytes.byteOffset % 8 === 0
    ? new BigInt64Array(bytes.buffer, bytes.byteOffset, length)
    : new BigInt64Array(bytes.slice(0, length * 8).buffer);
}

/** Whether a one-entry array was ever written: by its `present` word, or by anything that is not zero. */
function scalarIsSet(plan: MapPlan, raw: RawMap): boolean {
  const present = plan.script?.present;
  for (let cpu = 0; cpu < raw.cpus; cpu++) {
    const base = cpu * raw.cpuStride;
    const end = present ? base + present.offset + 8 : base + raw.cpuStride;
    for (let i = present ? base + present.offset : base; i < end && i < raw.values.byteLength; i++) {
      if (raw.values[i] !== 0) return true;
    }
  }
  return false;
}

/** The content of a script map with its CPUs merged. Owns its arrays. */
export function mergeMap(plan: MapPlan, raw: RawMap): MergedMap {
  const script = plan.script;
  if (!script) throw new TypeError(`${plan.name} is not a map of the script`);
  const scalar = script.key === undefined;
  const count = scalar ? (scalarIsSet(plan, raw) ? 1 : 0) : raw.count;
  const keys = scalar ? new Uint8Array(0) : raw.keys.slice(0, count * plan.keySize);
  if (!isAggregation(script.value)) {
    const size = sizeOf(script.value);
    const values = new Uint8Array(count * size);
    for (let i = 0; i < count; i++) {
      const from = i * raw.valueStride;
      values.set(raw.values.subarray(from, from + size), i * size);
    }
    return { map: plan, count, keys, width: 0, raw: values };
  }
  const { width, merge } = mergeFor(script.value);
  const words = asWords(raw.values);
  const merged = new BigInt64Array(count * width);
  const step = raw.valueStride >>> 3;
  for (let i = 0; i < count; i++) merge(merged, i * width, words, i * step, raw.cpuStride >>> 3, raw.cpus);
  return { map: plan, count, keys, words: merged, width };
}
