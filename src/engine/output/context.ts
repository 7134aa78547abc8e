/** What printing needs to know besides the bytes: names for numbers, and the plan's tables. */
import type { SymbolContext } from "../symbols/context.ts";

/** Which clock a timestamp was read from, as timestamp values carry it. */
export type ClockId = 0 | 1 | 2;

export interface OutputContext extends SymbolContext {
  /** Plan.strings. */
  strings: readonly string[];
  /** Full names, by probe index. */
  probes: readonly string[];
  /** config: appended to strings that were cut. */
  truncationTrailer: string;
  /** Name of a user id, or undefined. */
  username(uid: number): string | undefined;
  /** "unified:/path,cpu:/path": the cgroup's path in every mounted hierarchy whose name matches the filter. */
  cgroupPath(id: bigint, filter: string): string;
  /** Nanoseconds since the epoch for a reading of the clock (0 boot, 1 monotonic, 2 TAI). */
  realtime(nanoseconds: bigint, clock: ClockId): bigint;
}
