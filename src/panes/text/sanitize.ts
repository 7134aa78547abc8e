/**
 * Traced strings are hostile: a file name may hold an escape sequence that would drive the terminal, or a bidi override
 * that makes a line read as another. Nothing that a terminal interprets passes; it is shown as an escape instead.
 */
import type { Line, Role, Span } from "../pane.ts";
import { isSimple } from "./width.ts";

/**
 * C0, DEL and C1 controls, format characters (bidi, zero-width, tags), line and paragraph separators, interlinear
 * marks, lone surrogates, private use, noncharacters, and letters that show as nothing.
 */
const HOSTILE = /\u034f|[\u115f\u1160\u3164\uffa0]|[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\ufffe\uffff]/gu;

const SHORT: Record<string, string> = { "\n": "\\n", "\t": "\\t", "\r": "\\r", "\0": "\\0" };

function visible(char: string): string {
  const short = SHORT[char];
  if (short) return short;
  const code = char.codePointAt(0)!;
  if (code < 0x100) return `\\x${code.toString(16).padStart(2, "0")}`;
  return code < 0x10000 ? `\\u${code.toString(16).padStart(4, "0")}` : `\\u{${code.toString(16)}}`;
}

/** The text with everything that a terminal would interpret made visible: "\x1b[2J" → "\\x1b[2J". */
export function sanitize(text: string): string {
  return isSimple(text) ? text : text.replace(HOSTILE, visible);
}

/** The same as spans, the escapes in the role "escaped" so that they can't be taken for text. */
export function sanitizeSpans(text: string, role?: Role): Line {
  if (isSimple(text)) return [{ text, role }];
  const spans: Span[] = [];
  let from = 0;
  for (const match of text.matchAll(HOSTILE)) {
    if (match.index > from) spans.push({ text: text.slice(from, match.index), role });
    spans.push({ text: visible(match[0]), role: "escaped" });
    from = match.index + match[0].length;
  }
  if (from < text.length) spans.push({ text: text.slice(from), role });
  return spans;
}

/** Splits at newlines, expands tabs, then sanitizes each line: for stacks and multi-line output. */
export function sanitizeLines(text: string): string[] {
  return text
    .replace(/\n$/, "")
    .split("\n")
    .map((part) => sanitize(part.replace(/\t/g, "    ").replace(/\r$/, "")));
}
