/** profile and interval: a period in any unit, or a rate. */
import type { Probe } from "../typed.ts";
import { type ProbeRequest, parseInteger, probe, wrongShape } from "./request.ts";

/** Nanoseconds of one. */
const UNITS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
};

/** Numbers without a unit are nanoseconds: fewer than these are meant otherwise. */
const LEAST_PERIOD = 1000n;
/** The kernel's timers count nanoseconds in 63 bits. */
const LONGEST_PERIOD = (1n << 63n) - 1n;
const MOST_A_SECOND = 1_000_000_000n;

const OWN_UNIT = /^[\d_]+(?:[num]?s|[mhd])$/;

type Period = { period: bigint } | { error: string; hint?: string };

const example = (type: string): string => `for example ${type}:s:1, ${type}:hz:99 or ${type}:100ms`;

function noCount(text: string, type: string): Period {
  return {
    error: text === "" ? `${type} lacks its number` : `${text} is no whole number above 0`,
    hint: example(type),
  };
}

/** "10ms", "1s", or a plain number of nanoseconds. */
function ofDuration(text: string, type: string): Period {
  const period = parseInteger(text);
  if (period === undefined) {
    return text in UNITS || text === "hz"
      ? {
          error: `${type}:${text} lacks its number`,
          hint: `for example ${type}:${text}:${text === "hz" ? 99 : 1}`,
        }
      : noCount(text, type);
  }
  if (period >= LEAST_PERIOD) return { period };
  return {
    error: `${text} is a period of ${period} ns; ${LEAST_PERIOD} ns is the least`,
    hint:
      /^\d+$/.test(text) && period > 0n
        ? `with a unit: ${type}:ms:${text} or ${type}:${text}ms`
        : example(type),
  };
}

function ofRate(text: string, type: string): Period {
  const rate = parseInteger(text);
  if (rate === undefined) return noCount(text, type);
  if (rate === 0n)
    return { error: "a rate is at least 1 a second", hint: `less often by a period: ${type}:s:10` };
  if (rate > MOST_A_SECOND)
    return { error: `${text} times a second is more than once in a nanosecond`, hint: example(type) };
  return { period: MOST_A_SECOND / rate };
}

function ofUnit(unit: string, text: string, type: string): Period {
  const count = parseInteger(text);
  if (count === undefined) return noCount(text, type);
  if (count === 0n) return { error: "a period is greater than 0", hint: example(type) };
  return { period: count * UNITS[unit] };
}

export function expandTimer(request: ProbeRequest): Probe[] {
  const { type, parts, report, span } = request;
  const [unit, count] = parts;
  if (parts.length !== 1 && parts.length !== 2)
    return wrongShape(request, `${type}:s:1, ${type}:ms:100, ${type}:hz:99 or ${type}:1s`);
  if (parts.length === 2 && unit !== "hz" && !(unit in UNITS)) {
    report.error("unknown-unit", span, `${type} knows no unit ${unit || "(empty)"}`, {
      hint: `units are hz, s, ms, us, ns; ${example(type)}`,
    });
    return [];
  }
  const result: Period =
    parts.length === 1
      ? ofDuration(unit, type)
      : OWN_UNIT.test(count)
        ? { error: `${count} has a unit of its own`, hint: `write ${type}:${count}` }
        : unit === "hz"
          ? ofRate(count, type)
          : ofUnit(unit, count, type);
  if ("error" in result) {
    report.error("probe-syntax", span, result.error, result.hint ? { hint: result.hint } : {});
    return [];
  }
  if (result.period > LONGEST_PERIOD) {
    report.error(
      "probe-syntax",
      span,
      `${parts.join(":")} is longer than the kernel's timers run: 292 years`,
    );
    return [];
  }
  return [
    probe(request, `${type}:${parts.join(":")}`, {
      kind: type as "profile" | "interval",
      period: result.period,
    }),
  ];
}
