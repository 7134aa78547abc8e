/** What the editor keeps, and every change to it as a pure function. */
import type { ScriptDiagnostic } from "../../engine/protocol.ts";
import type { PaneEvent, Size } from "../pane.ts";
import type { Field } from "../prompt/field.ts";
import { cellOfColumn, columnOfCell } from "./cells.ts";
import { closeStep, type EditKind, EMPTY_HISTORY, type History, record } from "./history.ts";
import { problemLines, problemsOf, shiftProblems } from "./problems.ts";
import {
  applyEdit,
  clampPosition,
  compare,
  type Edit,
  type Lines,
  type Position,
  splitLines,
  textBetween,
  textEnd,
  textStart,
} from "./text.ts";

export interface EditorState {
  lines: Lines;
  /** What was loaded or started last: the title tells whether the text differs. */
  base: Lines;
  name: string | undefined;
  cursor: Position;
  /** The other end of the selection. */
  anchor: Position | undefined;
  /** The cell that up and down aim for. */
  goal: number | undefined;
  history: History;
  /** What was cut or copied last. */
  clip: string;
  problems: readonly ScriptDiagnostic[];
  find: string;
  prompt: { for: "goto" | "find"; field: Field } | undefined;
  /** First line and first cell of the window. */
  top: number;
  left: number;
  size: Size;
}

export function init(): EditorState {
  return {
    lines: [""],
    base: [""],
    name: undefined,
    cursor: textStart(),
    anchor: undefined,
    goal: undefined,
    history: EMPTY_HISTORY,
    clip: "",
    problems: [],
    find: "",
    prompt: undefined,
    top: 0,
    left: 0,
    size: { width: 80, height: 10 },
  };
}

const sources = new WeakMap<Lines, string>();

export function sourceOf({ lines }: Pick<EditorState, "lines">): string {
  let source = sources.get(lines);
  if (source === undefined) {
    source = lines.join("\n");
    sources.set(lines, source);
  }
  return source;
}

export function isModified(state: EditorState): boolean {
  return state.lines !== state.base && sourceOf(state) !== sourceOf({ lines: state.base });
}

export function reduce(state: EditorState, event: PaneEvent): EditorState {
  switch (event.type) {
    case "size":
      return reveal({ ...state, size: event.size }, event.size);
    case "source":
      return load(state, event.source, event.name);
    case "checked":
      if (event.source !== sourceOf(state)) return state;
      return reveal({ ...state, problems: event.diagnostics }, state.size);
    case "state": {
      const base = event.state === "compiling" ? state.lines : state.base;
      if (event.diagnostics.length === 0) return base === state.base ? state : { ...state, base };
      return reveal({ ...state, base, problems: event.diagnostics }, state.size);
    }
    default:
      return state;
  }
}

/** A new text in place of the old one; undo brings the old one back. */
function load(state: EditorState, source: string, name: string | undefined): EditorState {
  if (source === sourceOf(state)) return { ...state, name: name ?? state.name };
  const edit = { from: textStart(), to: textEnd(state.lines), text: source };
  const line = codeStart(splitLines(source));
  const loaded = change(state, "other", edit, { line, column: 0 });
  const shown = {
    ...loaded,
    base: loaded.lines,
    name,
    problems: [],
    top: line,
    left: 0,
    history: closeStep(loaded.history),
  };
  return reveal(shown, state.size);
}

/** Below the comment that a script begins with. */
function codeStart(lines: Lines): number {
  return Math.max(
    0,
    lines.findIndex((text) => !/^\s*($|\/\/|#!)/.test(text)),
  );
}

/** One edit; the cursor goes behind the new text, or to `cursor`. */
export function change(state: EditorState, kind: EditKind, edit: Edit, cursor?: Position): EditorState {
  const { lines, end, inverse } = applyEdit(state.lines, edit);
  const after = cursor ? clampPosition(lines, cursor) : end;
  return {
    ...state,
    lines,
    cursor: after,
    anchor: undefined,
    goal: undefined,
    history: record(state.history, kind, { edit, inverse }, state.cursor, after),
    problems: shiftProblems(state.problems, edit),
  };
}

export function selection(state: EditorState): { from: Position; to: Position } | undefined {
  const { anchor, cursor } = state;
  if (!anchor || compare(anchor, cursor) === 0) return undefined;
  return compare(anchor, cursor) < 0 ? { from: anchor, to: cursor } : { from: cursor, to: anchor };
}

export function selectedText(state: EditorState): string {
  const range = selection(state);
  return range ? textBetween(state.lines, range.from, range.to) : "";
}

/** Text in place of the selection or at the cursor. */
export function insert(state: EditorState, kind: EditKind, text: string): EditorState {
  const { from, to } = selection(state) ?? { from: state.cursor, to: state.cursor };
  return change(state, kind, { from, to, text });
}

/** What is selected goes, or else what lies between the cursor and another place. */
export function erase(state: EditorState, kind: EditKind, to: (from: Position) => Position): EditorState {
  const range = selection(state);
  if (range) return change(state, "other", { ...range, text: "" });
  const other = to(state.cursor);
  const order = compare(state.cursor, other);
  if (order === 0) return state;
  const [from, end] = order < 0 ? [state.cursor, other] : [other, state.cursor];
  return change(state, kind, { from, to: end, text: "" });
}

function indentOf(text: string): string {
  return /^[ \t]*/.exec(text)![0];
}

/** One level: a tab where the script uses tabs, else the smallest indent that it uses. */
export function indentUnit(lines: Lines): string {
  let least = 0;
  for (const text of lines) {
    if (text.startsWith("\t")) return "\t";
    const width = text.startsWith(" ") ? indentOf(text).length : 0;
    if (width > 1 && width < text.length && (least === 0 || width < least)) least = width;
  }
  return " ".repeat(least === 0 || least > 8 ? 2 : least);
}

/** A new line, indented like this one; one level more behind an open brace; a brace that closes gets its own line. */
export function newLine(state: EditorState): EditorState {
  const { from, to } = selection(state) ?? { from: state.cursor, to: state.cursor };
  const before = state.lines[from.line].slice(0, from.column);
  const after = state.lines[to.line].slice(to.column);
  const indent = indentOf(before);
  if (!/[{(]\s*$/.test(before)) return change(state, "other", { from, to, text: `\n${indent}` });
  const inner = `\n${indent}${indentUnit(state.lines)}`;
  const closes = /^\s*[})]/.test(after);
  const text = closes ? `${inner}\n${indent}` : inner;
  return change(state, "other", { from, to, text }, { line: from.line + 1, column: inner.length - 1 });
}

/** Typed text; a closing brace on an empty line goes back to the level of the one that it closes. */
export function typeText(state: EditorState, text: string): EditorState {
  const { line, column } = state.cursor;
  const before = state.lines[line].slice(0, column);
  if (text === "}" && !selection(state) && before !== "" && /^[ \t]+$/.test(before)) {
    const indent = closingIndent(state.lines, line);
    if (indent !== undefined && indent.length < before.length) {
      return change(state, "type", { from: { line, column: 0 }, to: state.cursor, text: `${indent}}` });
    }
  }
  return insert(state, "type", text);
}

/** The indent of the line with the brace that a brace on `line` would close. */
function closingIndent(lines: Lines, line: number): string | undefined {
  let depth = 0;
  for (let at = line - 1; at >= 0 && at > line - 500; at--) {
    for (let i = lines[at].length - 1; i >= 0; i--) {
      if (lines[at][i] === "}") depth++;
      else if (lines[at][i] === "{" && depth-- === 0) return indentOf(lines[at]);
    }
  }
  return undefined;
}

export function paste(state: EditorState, text: string): EditorState {
  const pasted = insert(state, "other", splitLines(text).join("\n"));
  return { ...pasted, history: closeStep(pasted.history) };
}

/** The cursor somewhere else; `select` keeps the other end where it was. */
export function moveTo(state: EditorState, position: Position, select: boolean, goal?: number): EditorState {
  return {
    ...state,
    cursor: clampPosition(state.lines, position),
    anchor: select ? (state.anchor ?? state.cursor) : undefined,
    goal,
    history: closeStep(state.history),
  };
}

/** Up or down by lines, keeping to the cell where the move began. */
export function moveLines(state: EditorState, lines: number, select: boolean): EditorState {
  const { cursor } = state;
  const goal = state.goal ?? cellOfColumn(state.lines[cursor.line], cursor.column);
  const line = Math.max(0, Math.min(state.lines.length - 1, cursor.line + lines));
  if (line === cursor.line) {
    const column = lines < 0 ? 0 : state.lines[line].length;
    return moveTo(state, { line, column }, select, goal);
  }
  return moveTo(state, { line, column: columnOfCell(state.lines[line], goal) }, select, goal);
}

function replay(state: EditorState, edits: readonly Edit[], cursor: Position, history: History): EditorState {
  let { lines, problems } = state;
  for (const edit of edits) {
    lines = applyEdit(lines, edit).lines;
    problems = shiftProblems(problems, edit);
  }
  return { ...state, lines, problems, cursor, anchor: undefined, goal: undefined, history };
}

export function undo(state: EditorState): EditorState {
  const { history } = state;
  const step = history.undo[history.undo.length - 1];
  if (!step) return state;
  const edits = step.changes.map((it) => it.inverse).reverse();
  const next = { undo: history.undo.slice(0, -1), redo: [...history.redo, step], open: false };
  return replay(state, edits, step.before, next);
}

export function redo(state: EditorState): EditorState {
  const { history } = state;
  const step = history.redo[history.redo.length - 1];
  if (!step) return state;
  const edits = step.changes.map((it) => it.edit);
  const next = { undo: [...history.undo, step], redo: history.redo.slice(0, -1), open: false };
  return replay(state, edits, step.after, next);
}

/** The next place that holds a text, around the end; case matters only when the text has capitals. */
export function findNext(state: EditorState, text: string): EditorState | undefined {
  if (text === "") return undefined;
  const exact = text !== text.toLowerCase();
  const { lines, cursor } = state;
  for (let step = 0; step <= lines.length; step++) {
    const line = (cursor.line + step) % lines.length;
    const hay = exact ? lines[line] : lines[line].toLowerCase();
    const from = step === 0 ? cursor.column : 0;
    const column = hay.indexOf(text, from);
    if (column < 0) continue;
    const start = moveTo(state, { line, column }, false);
    return {
      ...start,
      anchor: start.cursor,
      cursor: clampPosition(lines, { line, column: column + text.length }),
    };
  }
  return undefined;
}

export function gutterWidth(state: EditorState, size: Size): number {
  const digits = Math.max(2, String(state.lines.length).length);
  return size.width < 24 ? 0 : digits + 1;
}

export function textHeight(state: EditorState, size: Size): number {
  return Math.max(1, size.height - (state.prompt ? 1 : 0));
}

export function textWidthOf(state: EditorState, size: Size): number {
  return Math.max(1, size.width - gutterWidth(state, size));
}

/** Rows of problems below a line. */
export function problemRows(state: EditorState, line: number, width: number): number {
  let rows = 0;
  for (const problem of problemsOf(state.problems, line, state.lines.length)) {
    rows += problemLines(problem, state.lines, state.left, width).length;
  }
  return rows;
}

const MARGIN = 4;

/** The window moved so far that the cursor is inside it, and the problems of its line where they fit. */
export function reveal(state: EditorState, size: Size): EditorState {
  const { cursor, lines } = state;
  const width = textWidthOf(state, size);
  const height = textHeight(state, size);
  const x = cellOfColumn(lines[cursor.line], cursor.column);
  const margin = Math.min(MARGIN, (width - 1) >> 2);
  let left = state.left;
  if (x < left + margin) left = Math.max(0, x - margin);
  if (x > left + width - 1 - margin) left = x - width + 1 + margin;
  const here = { ...state, left };
  let top = Math.max(0, Math.min(state.top, cursor.line, lines.length - height));
  let room = height - 1 - Math.min(height - 1, problemRows(here, cursor.line, width));
  let least = cursor.line;
  while (least > top) {
    const rows = 1 + problemRows(here, least - 1, width);
    if (rows > room) break;
    room -= rows;
    least--;
  }
  top = Math.max(top, least);
  return top === state.top && left === state.left ? state : { ...here, top };
}
