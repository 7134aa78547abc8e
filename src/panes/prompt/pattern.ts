/** Searching as people type it: plain text, and case matters only when the pattern has capitals. */
import { type Line, type Role, type Span, span } from "../text/index.ts";

export function matches(text: string, pattern: string): boolean {
  return indexOf(text, pattern, 0) >= 0;
}

function indexOf(text: string, pattern: string, from: number): number {
  return pattern === pattern.toLowerCase()
    ? text.toLowerCase().indexOf(pattern, from)
    : text.indexOf(pattern, from);
}

/** The spans with every match in the role "match". */
export function markMatches(spans: Line, pattern: string): Line {
  if (pattern === "") return spans;
  const text = spans.map((part) => part.text).join("");
  // Lower case can change the length of a text ("İ"); then marks would shift, so none are drawn.
  if (text.toLowerCase().length !== text.length || !matches(text, pattern)) return spans;
  const out: Span[] = [];
  let at = indexOf(text, pattern, 0);
  let offset = 0;
  const push = (part: string, role: Role | undefined) => {
    if (part !== "") out.push(span(part, role));
  };
  for (const part of spans) {
    let done = 0;
    while (at >= 0 && at < offset + part.text.length) {
      const from = Math.max(0, at - offset);
      const to = Math.min(part.text.length, at + pattern.length - offset);
      push(part.text.slice(done, from), part.role);
      push(part.text.slice(from, to), "match");
      done = to;
      if (at + pattern.length > offset + part.text.length) break;
      at = indexOf(text, pattern, at + pattern.length);
    }
    push(part.text.slice(done), part.role);
    offset += part.text.length;
  }
  return out;
}
