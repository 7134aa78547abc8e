/** What an expander of one probe type gets and gives. */
import type { Diagnostics, Span } from "../diagnostic.ts";
import type { CompileOptions } from "../index.ts";
import type { Kernel } from "../kernel.ts";
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

/** "100", "0x10", "1e6", "1_000"; undefined: no number. */
export function parseInteger(text: string): bigint | undefined {
  const plain = text.replaceAll("_", "").trim();
  if (/^(0x[0-9a-f]+|\d+)$/i.test(plain)) return BigInt(plain);
  const scientific = /^(\d+)e(\d{1,2})$/i.exec(plain);
  return scientific ? BigInt(scientific[1]) * 10n ** BigInt(scientific[2]) : undefined;
}
