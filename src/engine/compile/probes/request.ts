/** What an expander of one probe type gets and gives. */
import type { Diagnostics, Span } from "../diagnostic.ts";
import type { CompileOptions } from "../index.ts";
import type { Kernel } from "../kernel.ts";
import { parseNumber } from "../parse/literals.ts";
import type { Attach, Config, Probe } from "../typed.ts";

export interface ProbeRequest {
  /** The type's full name: "tracepoint" for "t:…". */
  type: string;
  /** Colon-separated parts after it, positional parameters put in. */
  parts: string[];
  span: Span;
  kernel: Kernel;
  options: CompileOptions;
  config: Config;
  report: Diagnostics;
  /** Reports a probe that does not exist, as the missing_probes setting wants. */
  missing: (code: string, message: string, hint?: string) => void;
}

/** The code of what `missing` reports for a wildcard. */
export const NO_MATCH = "no-match";

export type Expand = (request: ProbeRequest) => Probe[];

export const probe = (request: ProbeRequest, name: string, attach: Attach): Probe => ({
  name,
  attach,
  span: request.span,
});

/** Reports a spec that has too few or too many parts. */
export function wrongShape(request: ProbeRequest, expected: string): Probe[] {
  const article = /^[aeiou]/.test(request.type) && !request.type.startsWith("u") ? "an" : "a";
  request.report.error(
    "probe-syntax",
    request.span,
    `${article} ${request.type} probe is written ${expected}`,
  );
  return [];
}

/** Numbers as the language writes them, "100", "0x10", "1e6", "1_000", within 64 bits; undefined: no number. */
export function parseInteger(text: string): bigint | undefined {
  const result = parseNumber(text.trim());
  return "value" in result ? result.value : undefined;
}
