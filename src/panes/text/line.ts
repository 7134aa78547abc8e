/** Styled lines: what panes draw. A line is a list of spans; a span is text of one role. */
import type { Role } from "./role.ts";
import { charWidth, isSimple, textWidth, truncateText } from "./width.ts";

export interface Span {
  text: string;
  role?: Role;
}

export type Line = readonly Span[];

/** Always with both members: objects of one shape are read fastest, and spans are read by the thousand. */
export function span(text: string, role?: Role): Span {
  return { text, role };
}

/** A line of one span. */
export function line(text: string, role?: Role): Line {
  return [span(text, role)];
}

export const EMPTY_LINE: Line = [];

export function lineText(spans: Line): string {
  let text = "";
  for (const { text: part } of spans) text += part;
  return text;
}

export function lineWidth(spans: Line): number {
  let width = 0;
  for (const { text } of spans) width += textWidth(text);
  return width;
}

/** At most `width` cells, cut at the end without a mark. */
export function cutLine(spans: Line, width: number): Line {
  return sliceLine(spans, 0, width);
}

/** The cells [from, to) of a line. A wide character that is cut in half becomes spaces. */
export function sliceLine(spans: Line, from: number, to: number): Line {
  const out: Span[] = [];
  let x = 0;
  for (const part of spans) {
    if (x >= to) break;
    const width = textWidth(part.text);
    if (x >= from && x + width <= to) out.push(part);
    else if (x + width > from) out.push(span(sliceText(part.text, from - x, to - x), part.role));
    x += width;
  }
  return out;
}

/** The cells [from, to) of a text. */
export function sliceText(text: string, from: number, to: number): string {
  if (isSimple(text)) return text.slice(Math.max(0, from), Math.max(0, to));
  let out = "";
  let x = 0;
  for (const char of text) {
    const width = charWidth(char.codePointAt(0)!);
    const end = x + width;
    if (x >= to && width > 0) break;
    if (x >= from && end <= to) out += char;
    else if (end > from && x < to) out += " ".repeat(Math.min(end, to) - Math.max(x, from));
    x = end;
  }
  return out;
}

/** Exactly `width` cells: cut with an ellipsis, or padded with spaces in `role`. */
export function fitLine(spans: Line, width: number, role?: Role, ellipsis = "…"): Line {
  const have = lineWidth(spans);
  if (have === width) return spans;
  if (have < width) return [...spans, span(" ".repeat(width - have), role)];
  const mark = textWidth(ellipsis) <= width ? ellipsis : "";
  const cut = cutLine(spans, width - textWidth(mark));
  const rest = width - lineWidth(cut) - textWidth(mark);
  return [...cut, span(mark + " ".repeat(rest), cut.at(-1)?.role ?? role)];
}

/** Left and right parts at the two ends of a line of `width` cells; the left one gives way. */
export function spreadLine(left: Line, right: Line, width: number, role?: Role): Line {
  const end = cutLine(right, width);
  return [...fitLine(left, width - lineWidth(end), role), ...end];
}

/** The same line with every span in one role: a selected row. */
export function recolor(spans: Line, role: Role): Line {
  return [span(lineText(spans), role)];
}

/** A text in exactly `width` cells. */
export function fitText(
  text: string,
  width: number,
  align: "left" | "right" = "left",
  ellipsis = "…",
): string {
  const have = textWidth(text);
  if (have > width) {
    const cut = truncateText(text, width, ellipsis);
    return cut + " ".repeat(width - textWidth(cut));
  }
  const pad = " ".repeat(width - have);
  return align === "left" ? text + pad : pad + text;
}
