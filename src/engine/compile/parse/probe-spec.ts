/** Attach points: `name=provider:part:"quoted part"`, with `$1` standing for positional parameters. */
import type { ProbeSpec } from "../ast.ts";
import type { Span } from "../diagnostic.ts";

export interface ProbeParts {
  label?: string;
  provider: string;
  parts: string[];
  /** Why the positional parameters could not be put in. */
  error?: string;
  /** A quoted part goes on to the end. */
  unclosed?: true;
  /** Positional parameters that were not given. */
  empty: string[];
}

/**
 * Splits an attach point at its colons and removes quotes. With `positional`, `$N` outside quotes is replaced; colons in
 * a parameter separate parts too.
 */
export function splitProbe(text: string, positional?: readonly string[]): ProbeParts {
  const parts: string[] = [];
  let part = "";
  let quoted = false;
  let error: string | undefined;
  const empty: string[] = [];
  for (let at = 0; at < text.length; at++) {
    const c = text[at];
    if (c === '"') quoted = !quoted;
    else if (quoted && c === "\\" && at + 1 < text.length) part += text[++at];
    else if (!quoted && c === ":") {
      parts.push(part);
      part = "";
    } else if (!quoted && c === "$" && positional) {
      const digits = /^[1-9][0-9]*/.exec(text.slice(at + 1, at + 20))?.[0];
      if (digits === undefined) {
        error = `'$${text[at + 1] ?? ""}' is no positional parameter: quote the part if it is meant as written`;
        part += c;
        continue;
      }
      if (positional[Number(digits) - 1] === undefined) empty.push(`$${digits}`);
      const [first, ...more] = (positional[Number(digits) - 1] ?? "").split(":");
      part += first;
      for (const piece of more) {
        parts.push(part);
        part = piece;
      }
      at += digits.length;
    } else part += c;
  }
  parts.push(part);
  let provider = parts.shift()!;
  let label: string | undefined;
  const equals = provider.indexOf("=");
  if (equals > 0 && equals < provider.length - 1) {
    label = provider.slice(0, equals);
    provider = provider.slice(equals + 1);
  }
  const result: ProbeParts = { provider, parts, empty };
  if (label !== undefined) result.label = label;
  if (error !== undefined) result.error = error;
  if (quoted) result.unclosed = true;
  return result;
}

export function probeSpec(text: string, span: Span): ProbeSpec {
  const { label, provider, parts } = splitProbe(text);
  return label === undefined ? { provider, parts, text, span } : { label, provider, parts, text, span };
}
