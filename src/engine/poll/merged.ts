/** A map's content after its CPUs were merged: what output and panes are made from. */
import type { MapPlan } from "../compile/plan.ts";

export interface MergedMap {
  map: MapPlan;
  /** Number of keys (1 for a scalar that is set, 0 for one that is not). */
  count: number;
  /** count × keySize bytes. Empty for scalars. */
  keys: Uint8Array;
  /**
   * Aggregations: `width` 64-bit words per row: count, sum, min, max: 1 · avg, stats: 2 (count, total) ·
   * hist, lhist: the buckets · tseries: intervals × (epoch, value, count).
   */
  words?: BigInt64Array;
  width: number;
  /** Plain values: count × valueSize bytes. */
  raw?: Uint8Array;
}
