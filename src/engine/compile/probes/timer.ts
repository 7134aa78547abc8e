/** profile and interval: a period in any unit, or a rate. */
import type { Probe } from "../typed.ts";
import { type ProbeRequest, parseInteger, probe, wrongShape } from "./request.ts";

/** Nanoseconds of one. */
const UNITS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
  d: 86_400_000_000_000n,
};

/** Numbers without a unit are nanoseconds: fewer than these are meant otherwise. */
const LEAST_PERIOD = 1000n;

/** "10ms", "1s", or a plain number of nanoseconds. */
function duration(text: string): bigint | undefined {
  const match = /^(.*?)(ns|us|ms|s|m|h|d)$/.exec(text);
  const count = parseInteger(match && !/^0x/i.test(text) ? match[1] : text);
  return count === undefined ? undefined : count * UNITS[match?.[2] ?? "ns"];
}

export function expandTimer(request: ProbeRequest): Probe[] {
  const { type, parts, report, span } = request;
  let period: bigint | undefined;
  if (parts.length === 1) period = duration(parts[0]);
  else if (parts.length === 2) {
    const [unit, text] = parts;
    const count = parseInteger(text);
    if (unit !== "hz" && !(unit in UNITS)) {
      report.error("unknown-unit", span, `${type} knows no unit ${unit}`, {
        hint: "units are hz, s, ms, us, ns",
      });
      return [];
    }
    if (count !== undefined && count > 0n)
      period = unit === "hz" ? 1_000_000_000n / count : count * UNITS[unit];
    else period = count;
  } else return wrongShape(request, `${type}:s:1, ${type}:ms:100, ${type}:hz:99 or ${type}:1s`);
  if (period === undefined) {
    report.error("probe-syntax", span, `${parts.at(-1)} is no number`, { hint: `for example ${type}:s:1` });
    return [];
  }
  if (period <= 0n) {
    report.error("probe-syntax", span, `${type} must have a period greater than 0`);
    return [];
  }
  if (parts.length === 1 && period < LEAST_PERIOD) {
    report.error(
      "probe-syntax",
      span,
      `${parts[0]} is a period of ${period} ns; ${LEAST_PERIOD} ns is the least`,
      {
        hint: `with a unit: ${type}:ms:${parts[0]} or ${type}:${parts[0]}ms`,
      },
    );
    return [];
  }
  return [probe(request, `${type}:${parts.join(":")}`, { kind: type as "profile" | "interval", period })];
}
