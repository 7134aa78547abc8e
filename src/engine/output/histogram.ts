/**
 * Buckets of hist() and lhist() with their bounds and labels, from the first to the last that counted anything.
 *
 *   hist:  (..., 0)  [0]  [1]  [2, 4)  …  [1K, 2K)      2^bits buckets per power of two
 *   lhist: (..., min)  [min, min + step)  …  [max, ...)
 */
import type { AggregationType } from "../compile/types.ts";

export type HistogramType = Extract<AggregationType, { kind: "hist" | "lhist" }>;

export interface Bound {
  value: bigint;
  /** The value, or with a binary suffix: "16K". */
  label: string;
}

/** Low is inclusive, high exclusive; absent at the open ends. */
export interface Bucket {
  low?: Bound;
  high?: Bound;
  count: bigint;
}

const plain = (value: bigint): Bound => ({ value, label: String(value) });

/** The value at which log2 bucket `index + 1` begins. */
function log2Bound(index: number, bits: number): Bound {
  const perPower = 1 << bits;
  if (index <= 2 * perPower) return plain(BigInt(index));
  const mantissa = BigInt(perPower + (index & (perPower - 1)));
  const power = (index >> bits) - 1;
  const thousands = Math.floor(power / 10);
  return {
    value: mantissa << BigInt(power),
    label: `${mantissa << BigInt(power % 10)}${["", "K", "M", "G", "T", "P", "E"][thousands]}`,
  };
}

const KILO = 1024n;
const MEGA = 1024n * 1024n;

function linearBound(value: bigint, step: bigint): Bound {
  if (step % KILO !== 0n || value === 0n || value % KILO !== 0n) return plain(value);
  return { value, label: value % MEGA === 0n ? `${value / MEGA}M` : `${value / KILO}K` };
}

/** Bounds of bucket `i`, and how many buckets there are in print: what lies beyond is counted in the last. */
function boundsOf(
  type: HistogramType,
  words: number,
): { last: number; bound: (i: number) => Bound | undefined } {
  if (type.kind === "hist") {
    return { last: words - 1, bound: (i) => (i < words - 1 ? log2Bound(i, type.bits) : undefined) };
  }
  const steps = Number((type.max - type.min) / type.step);
  return {
    last: steps + 1,
    bound: (i) => (i <= steps ? linearBound(type.min + BigInt(i) * type.step, type.step) : undefined),
  };
}

/** The buckets of one histogram: `words` are its counts. Empty when nothing was counted. */
export function histogramBuckets(type: HistogramType, words: BigInt64Array, div = 1n): Bucket[] {
  const { last, bound } = boundsOf(type, words.length);
  const counts: bigint[] = [];
  words.forEach((word, i) => {
    const at = Math.min(i, last);
    counts[at] = (counts[at] ?? 0n) + BigInt.asUintN(64, word);
  });
  const first = counts.findIndex((count) => count > 0n);
  if (first < 0) return [];
  const end = counts.findLastIndex((count) => count > 0n);
  const divisor = type.kind === "hist" ? div : 1n;
  const buckets: Bucket[] = [];
  for (let i = first; i <= end; i++) {
    buckets.push({
      low: i > 0 ? bound(i - 1) : undefined,
      high: bound(i),
      count: (counts[i] ?? 0n) / divisor,
    });
  }
  return buckets;
}

/** "[4, 8)", "[5]", "(..., 0)", "[100, ...)" */
export function bucketLabel({ low, high }: Bucket): string {
  if (!low) return `(..., ${high!.label})`;
  if (!high) return `[${low.label}, ...)`;
  const numbers = low.label === String(low.value) && high.label === String(high.value);
  if (numbers && low.value + 1n === high.value) return `[${low.label}]`;
  return `[${low.label}, ${high.label})`;
}

const BAR = 52;

/** One line per bucket, each ended by a newline. Bars are single precision, as bpftrace computes them. */
export function histogramText(buckets: readonly Bucket[]): string {
  let max = 0n;
  for (const { count } of buckets) if (count > max) max = count;
  return buckets
    .map((bucket) => {
      const share = max > 0n ? Math.fround(Math.fround(Number(bucket.count)) / Math.fround(Number(max))) : 0;
      const bar = "@".repeat(Math.trunc(Math.fround(share * BAR))).padEnd(BAR);
      return `${bucketLabel(bucket).padEnd(16)}${String(bucket.count).padStart(8)} |${bar}|\n`;
    })
    .join("");
}
