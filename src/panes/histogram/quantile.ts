/**
 * Percentiles from buckets. Values are integers, so a bucket [4, 8) holds 4 to 7; within a bucket they are taken to be
 * spread evenly. Where a bucket has no end, its known end is all that can be said.
 */
import type { HistogramSnapshot } from "../../engine/protocol.ts";

export interface Estimate {
  value: number;
  /** "below" and "above": the value is in a bucket without an end on that side. */
  bound: "estimate" | "below" | "above";
}

type Bucket = HistogramSnapshot["buckets"][number];

export function totalOf(histogram: HistogramSnapshot): number {
  return histogram.buckets.reduce((sum, bucket) => sum + bucket.count, 0);
}

function within({ low, high }: Bucket, fraction: number): Estimate {
  if (low === Number.NEGATIVE_INFINITY) return { value: high, bound: "below" };
  if (high === Number.POSITIVE_INFINITY) return { value: low, bound: "above" };
  return { value: low + Math.max(0, high - 1 - low) * fraction, bound: "estimate" };
}

/** `fraction` 0.5 is the median. Undefined: nothing was counted. */
export function quantile(histogram: HistogramSnapshot, fraction: number): Estimate | undefined {
  const total = totalOf(histogram);
  if (total <= 0) return undefined;
  const rank = fraction * total;
  let seen = 0;
  let last: Bucket | undefined;
  for (const bucket of histogram.buckets) {
    if (bucket.count <= 0) continue;
    if (seen + bucket.count >= rank) return within(bucket, (rank - seen) / bucket.count);
    seen += bucket.count;
    last = bucket;
  }
  return last && within(last, 1);
}

/** The most that a counted value can be. */
export function maximum(histogram: HistogramSnapshot): Estimate | undefined {
  return quantile(histogram, 1);
}
