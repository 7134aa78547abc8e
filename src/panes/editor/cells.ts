/**
 * Where the graphemes of a line stand on the screen: tabs reach to the next stop, wide characters take two cells, and what
 * a terminal would interpret is drawn as an escape (a script can hide a bidi override as well as a traced string can).
 */
import { type Line, type Role, type Span, sanitize, textWidth } from "../text/index.ts";
import { graphemes } from "./text.ts";

export const TAB = 4;

const PLAIN = /^[\x20-\x7e]*$/;

interface Cell {
  column: number;
  end: number;
  x: number;
  width: number;
  text: string;
  escaped: boolean;
}

function cellsOf(text: string): Cell[] {
  const cells: Cell[] = [];
  let x = 0;
  for (const { index, segment } of graphemes(text)) {
    let shown = segment;
    if (segment === "\t") shown = " ".repeat(TAB - (x % TAB));
    else if (!PLAIN.test(segment)) shown = drawn(segment);
    const width = textWidth(shown);
    const escaped = shown !== segment && segment !== "\t";
    cells.push({ column: index, end: index + segment.length, x, width, text: shown, escaped });
    x += width;
  }
  return cells;
}

function drawn(segment: string): string {
  const safe = sanitize(segment);
  if (safe !== segment || textWidth(segment) > 0) return safe;
  return [...segment].map((char) => `\\u{${char.codePointAt(0)!.toString(16)}}`).join("");
}

/** The cell where the cursor stands when it is at a column. */
export function cellOfColumn(text: string, column: number): number {
  if (PLAIN.test(text)) return Math.min(column, text.length);
  let x = 0;
  for (const cell of cellsOf(text)) {
    if (cell.column >= column) return cell.x;
    x = cell.x + cell.width;
  }
  return x;
}

/** The column whose grapheme covers a cell; the line's end beyond it. */
export function columnOfCell(text: string, x: number): number {
  if (PLAIN.test(text)) return Math.max(0, Math.min(x, text.length));
  for (const cell of cellsOf(text)) if (x < cell.x + Math.max(1, cell.width)) return cell.column;
  return text.length;
}

export interface StyledRange {
  start: number;
  end: number;
  role: Role;
}

/** A whole line as spans. Later ranges win over earlier ones where they overlap. */
export function styledLine(text: string, ranges: readonly StyledRange[]): Line {
  const borders = new Set([0, text.length]);
  for (const { start, end } of ranges)
    borders.add(Math.min(start, text.length)).add(Math.min(end, text.length));
  const sorted = [...borders].sort((a, b) => a - b);
  const cells = PLAIN.test(text) ? undefined : cellsOf(text);
  const spans: Span[] = [];
  for (let i = 0; i + 1 < sorted.length; i++) {
    const [from, to] = [sorted[i], sorted[i + 1]];
    const role = ranges.findLast((range) => range.start <= from && range.end >= to)?.role;
    if (!cells) {
      spans.push({ text: text.slice(from, to), role });
      continue;
    }
    for (const cell of cells) {
      if (cell.column < from || cell.column >= to) continue;
      const own = cell.escaped ? "escaped" : role;
      const last = spans.at(-1);
      if (last && last.role === own) last.text += cell.text;
      else spans.push({ text: cell.text, role: own });
    }
  }
  return spans;
}
