/**
 * Diagnostics as text:
 *
 *     script.bt:2:11-17: ERROR: unknown function 'prinft'
 *       @x = prinft("%d", pid);
 *            ~~~~~~
 *     HINT: did you mean 'printf'?
 *
 * A place is `line:first-last`, or `first line-last line` for what spans several. Columns count code points from 1, `last`
 * being the column after the end. Source and messages may hold anything (they come from files and editors): what a
 * terminal would obey is shown as a mark, and tabs and wide characters keep the underline in place.
 */
import type { Diagnostic, Span } from "./diagnostic.ts";

export interface SourceFile {
  name: string;
  text: string;
}

export interface RenderOptions {
  color: boolean;
  /** Columns of the terminal: longer source lines are cut around the underline. */
  width?: number;
}

const COLORS = { error: "\u001b[31m", warning: "\u001b[33m", bold: "\u001b[1m", reset: "\u001b[0m" };

/** Every diagnostic with its source line. Ends with a newline unless there are none. */
export function renderDiagnostics(
  diagnostics: readonly Diagnostic[],
  files: readonly SourceFile[],
  options: RenderOptions,
): string {
  const lines: string[] = [];
  const indexes = new Map<number, LineIndex>();
  const indexOf = (span: Span) => {
    const file = span.file ?? 0;
    let index = indexes.get(file);
    if (!index) indexes.set(file, (index = new LineIndex(files[file] ?? { name: "?", text: "" })));
    return index;
  };
  const paint = (color: keyof typeof COLORS, text: string) =>
    options.color ? `${COLORS[color]}${text}${COLORS.reset}` : text;
  for (const { severity, span, message, hint, notes } of diagnostics) {
    const index = indexOf(span);
    const label = paint(severity, severity === "error" ? "ERROR: " : "WARNING: ");
    lines.push(`${paint("bold", `${index.place(span)}: `)}${label}${visible(message)}`);
    lines.push(
      ...index.excerpt(span, options.width).map((line, i) => (i % 2 === 1 ? paint(severity, line) : line)),
    );
    for (const note of notes ?? []) {
      if (note.span) {
        const noted = indexOf(note.span);
        lines.push(`${paint("bold", `${noted.place(note.span)}: `)}NOTE: ${visible(note.message)}`);
        lines.push(...noted.excerpt(note.span, options.width));
      } else {
        lines.push(`NOTE: ${visible(note.message)}`);
      }
    }
    if (hint) lines.push(`HINT: ${visible(hint)}`);
  }
  return lines.map((line) => `${line}\n`).join("");
}

/** Text that no terminal can mistake for a command: control characters and lone surrogates become visible. */
export function visible(text: string): string {
  return text.replace(UNSAFE, (c) => {
    const code = c.codePointAt(0)!;
    if (code < 0x20) return String.fromCodePoint(0x2400 + code);
    if (code === 0x7f) return "\u2421";
    return "\ufffd";
  });
}

const UNSAFE =
  /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

const TAB = 4;

/** Terminal columns of one code point. */
export function columns(code: number): number {
  if (code >= 0x300 && /\p{M}/u.test(String.fromCodePoint(code))) return 0;
  const wide =
    (code >= 0x1100 && code <= 0x115f) ||
    (code >= 0x2e80 && code <= 0xa4cf && code !== 0x303f) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xfe30 && code <= 0xfe6f) ||
    (code >= 0xff00 && code <= 0xff60) ||
    (code >= 0xffe0 && code <= 0xffe6) ||
    (code >= 0x1f300 && code <= 0x1faff) ||
    (code >= 0x20000 && code <= 0x3fffd);
  return wide ? 2 : 1;
}

class LineIndex {
  private readonly file: SourceFile;
  /** Offsets where lines start. */
  private readonly starts: number[] = [0];

  constructor(file: SourceFile) {
    this.file = file;
    for (let at = file.text.indexOf("\n"); at >= 0; at = file.text.indexOf("\n", at + 1))
      this.starts.push(at + 1);
  }

  /** Line (from 0) of an offset. */
  private line(offset: number): number {
    let low = 0;
    let high = this.starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.starts[middle] <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  private text(line: number): string {
    const end = this.starts[line + 1] ?? this.file.text.length + 1;
    return this.file.text.slice(this.starts[line], end - 1).replace(/\r$/, "");
  }

  private bounds(span: Span): { first: number; last: number; from: number; to: number } {
    const length = this.file.text.length;
    const start = Math.min(Math.max(span.start, 0), length);
    const end = Math.min(Math.max(span.end, start), length);
    const first = this.line(start);
    // A span that ends with a line break ends on the line that it breaks.
    const last = end > start ? this.line(end - 1) : first;
    return { first, last, from: start - this.starts[first], to: end - this.starts[last] };
  }

  place(span: Span): string {
    const { first, last, from, to } = this.bounds(span);
    const name = visible(this.file.name);
    if (first !== last) return `${name}:${first + 1}-${last + 1}`;
    const text = this.text(first);
    const column = codePoints(text.slice(0, from)) + 1;
    const width = Math.max(1, codePoints(text.slice(from, to)));
    return `${name}:${first + 1}:${column}-${column + width}`;
  }

  /** Source lines, each followed by its underline. Long spans show their first and last line. */
  excerpt(span: Span, width?: number): string[] {
    const { first, last, from, to } = this.bounds(span);
    if (this.file.text.length === 0) return [];
    if (first === last) return underlined(this.text(first), from, to, width);
    const head = this.text(first);
    const tail = this.text(last);
    const lines = underlined(head, from, head.length, width);
    if (last - first > 1) lines.push("…", "");
    return [...lines, ...underlined(tail, tail.length - tail.trimStart().length, to, width)].filter(
      (l) => l !== "",
    );
  }
}

const codePoints = (text: string): number => [...text].length;

/** A line as a terminal shows it, and `~` under the characters from `from` to `to` (UTF-16 offsets). */
function underlined(text: string, from: number, to: number, width = 0): string[] {
  // Lines may be megabytes long: only what surrounds the place is looked at.
  const window = width > 0 ? width : 400;
  const cutStart = from > window ? from - Math.floor(window / 3) : 0;
  const cutEnd = Math.min(text.length, cutStart + window * 2);
  let line = cutStart > 0 ? "…" : "";
  let column = line.length;
  let start = -1;
  let end = -1;
  let offset = cutStart;
  const limit = width > 0 ? width - 1 : Number.POSITIVE_INFINITY;
  for (const character of text.slice(cutStart, cutEnd)) {
    if (start < 0 && offset >= from) start = column;
    if (end < 0 && offset >= to) end = column;
    offset += character.length;
    const shown = character === "\t" ? " ".repeat(TAB - (column % TAB)) : visible(character);
    const takes = character === "\t" ? shown.length : columns(shown.codePointAt(0)!);
    if (column + takes > limit) break;
    line += shown;
    column += takes;
  }
  if (start < 0) start = column;
  if (end < 0) end = column;
  if (offset < text.length) line += "…";
  return [line.trimEnd(), " ".repeat(start) + "~".repeat(Math.max(1, end - start))];
}
