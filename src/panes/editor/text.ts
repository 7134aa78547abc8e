/** A script as lines, and what moves and edits do to it. Columns are UTF-16 offsets at the borders of graphemes. */

export type Lines = readonly string[];

export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Replaces the text between two positions. */
export interface Edit {
  readonly from: Position;
  readonly to: Position;
  readonly text: string;
}

export function splitLines(source: string): string[] {
  return source.split(/\r\n|\r|\n/);
}

export function compare(a: Position, b: Position): number {
  return a.line - b.line || a.column - b.column;
}

export function textBetween(lines: Lines, from: Position, to: Position): string {
  if (from.line === to.line) return lines[from.line].slice(from.column, to.column);
  return [
    lines[from.line].slice(from.column),
    ...lines.slice(from.line + 1, to.line),
    lines[to.line].slice(0, to.column),
  ].join("\n");
}

/** The text after the edit, where the new text ends, and the edit that takes it back. */
export function applyEdit(lines: Lines, edit: Edit): { lines: Lines; end: Position; inverse: Edit } {
  const { from, to } = edit;
  const inserted = splitLines(edit.text);
  const last = inserted.length - 1;
  const end = {
    line: from.line + last,
    column: (last === 0 ? from.column : 0) + inserted[last].length,
  };
  const inverse = { from, to: end, text: textBetween(lines, from, to) };
  inserted[0] = lines[from.line].slice(0, from.column) + inserted[0];
  inserted[last] += lines[to.line].slice(to.column);
  return { lines: lines.slice(0, from.line).concat(inserted, lines.slice(to.line + 1)), end, inverse };
}

/** A position inside the text, at the border of a grapheme. */
export function clampPosition(lines: Lines, { line, column }: Position): Position {
  const at = Math.max(0, Math.min(line, lines.length - 1));
  const text = lines[at];
  const inside = Math.max(0, Math.min(column, text.length));
  return { line: at, column: inside === 0 ? 0 : graphemeStart(text, inside) };
}

let segmenter: Intl.Segmenter | undefined;

/** Made when a script first needs it: that takes as long as a fifth of the deck's start. */
function segments(text: string): Intl.Segments {
  segmenter ??= new Intl.Segmenter("en", { granularity: "grapheme" });
  return segmenter.segment(text);
}

const ASCII = /^[\x00-\x7f]*$/;

/** Neither character takes part in a larger grapheme. */
function simple(text: string, column: number): boolean {
  return text.charCodeAt(column) < 0x300 && !(text.charCodeAt(column + 1) >= 0x300);
}

function graphemeStart(text: string, column: number): number {
  if (column >= text.length || (text.charCodeAt(column) < 0x300 && text.charCodeAt(column - 1) < 0x300)) {
    return Math.min(column, text.length);
  }
  return segments(text).containing(column)?.index ?? column;
}

export function graphemeAfter(text: string, column: number): number {
  if (column >= text.length) return text.length;
  if (simple(text, column)) return column + 1;
  const found = segments(text).containing(column);
  return found ? found.index + found.segment.length : column + 1;
}

export function graphemeBefore(text: string, column: number): number {
  if (column <= 0) return 0;
  if (text.charCodeAt(column - 1) < 0x300) return column - 1;
  return segments(text).containing(column - 1)?.index ?? column - 1;
}

/** The graphemes of a line, with the column of each. */
export function graphemes(text: string): Iterable<{ index: number; segment: string }> {
  return ASCII.test(text) ? Array.from(text, (segment, index) => ({ index, segment })) : segments(text);
}

export function left(lines: Lines, { line, column }: Position): Position {
  if (column > 0) return { line, column: graphemeBefore(lines[line], column) };
  return line > 0 ? { line: line - 1, column: lines[line - 1].length } : { line, column };
}

export function right(lines: Lines, { line, column }: Position): Position {
  if (column < lines[line].length) return { line, column: graphemeAfter(lines[line], column) };
  return line + 1 < lines.length ? { line: line + 1, column: 0 } : { line, column };
}

const WORD = /[\p{L}\p{N}\p{M}_]/u;

function isWord(text: string, column: number): boolean {
  return column < text.length && WORD.test(String.fromCodePoint(text.codePointAt(column)!));
}

export function wordLeft(lines: Lines, from: Position): Position {
  let { line, column } = from;
  if (column === 0) return left(lines, from);
  const text = lines[line];
  while (column > 0 && !isWord(text, graphemeBefore(text, column))) column = graphemeBefore(text, column);
  while (column > 0 && isWord(text, graphemeBefore(text, column))) column = graphemeBefore(text, column);
  return { line, column };
}

export function wordRight(lines: Lines, from: Position): Position {
  let { line, column } = from;
  const text = lines[line];
  if (column >= text.length) return right(lines, from);
  while (column < text.length && !isWord(text, column)) column = graphemeAfter(text, column);
  while (column < text.length && isWord(text, column)) column = graphemeAfter(text, column);
  return { line, column };
}

/** Home: the first character that is no space, or the line's start when already there. */
export function lineStart(lines: Lines, { line, column }: Position): Position {
  const indent = lines[line].search(/\S|$/);
  return { line, column: column === indent ? 0 : indent };
}

export function lineEnd(lines: Lines, { line }: Position): Position {
  return { line, column: lines[line].length };
}

export function textStart(): Position {
  return { line: 0, column: 0 };
}

export function textEnd(lines: Lines): Position {
  return { line: lines.length - 1, column: lines[lines.length - 1].length };
}
