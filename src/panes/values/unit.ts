/**
 * What a map's numbers measure. The language has no units; scripts say it in the map's name (`@read_us`, `@bytes`), by
 * a habit as old as the language, so panes read it there.
 */
import { groupedNumber, shortBytes, shortDuration, shortNumber } from "../text/index.ts";

export type Unit = "ns" | "us" | "ms" | "s" | "bytes" | "kib" | "none";

const NAMES: [Unit, RegExp][] = [
  ["ns", /^(ns|nsecs?|nanoseconds?)$/],
  ["us", /^(us|usecs?|microseconds?)$/],
  ["ms", /^(ms|msecs?|milliseconds?)$/],
  ["s", /^(secs?|seconds?)$/],
  ["bytes", /^(bytes?|size|sizes)$/],
  ["kib", /^(kb|kib|kbytes)$/],
];

const known = new Map<string, Unit>();

/** From the last word of the name that is a unit: "@read_us" → "us"; "@per_second" counts. */
export function unitOf(mapName: string): Unit {
  let unit = known.get(mapName);
  if (unit === undefined) {
    unit = unitIn(mapName);
    known.set(mapName, unit);
  }
  return unit;
}

function unitIn(mapName: string): Unit {
  const name = mapName.replace(/^@/, "").toLowerCase();
  if (/(^|_)per_/.test(name)) return "none";
  const words = name.split("_").reverse();
  for (const word of words) {
    const found = NAMES.find(([, pattern]) => pattern.test(word));
    if (found) return found[0];
  }
  return "none";
}

const NANOSECONDS: Partial<Record<Unit, number>> = { ns: 1, us: 1e3, ms: 1e6, s: 1e9 };
const BYTES: Partial<Record<Unit, number>> = { bytes: 1, kib: 1024 };

/** At most 7 cells. */
export function shortValue(value: number, unit: Unit, unicode = true): string {
  if (!Number.isFinite(value)) return shortNumber(value);
  const nanoseconds = NANOSECONDS[unit];
  if (nanoseconds !== undefined) return value === 0 ? "0" : shortDuration(value * nanoseconds, unicode);
  const bytes = BYTES[unit];
  if (bytes !== undefined) return value === 0 ? "0" : shortBytes(value * bytes);
  return shortNumber(value);
}

/** All digits where there is no unit: people compare and copy counts. */
export function fullValue(value: number, unit: Unit, unicode = true): string {
  if (unit !== "none" || !Number.isInteger(value)) return shortValue(value, unit, unicode);
  return groupedNumber(value);
}
