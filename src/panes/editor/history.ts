/** Undo and redo. A step is what one undo takes back: a word typed, a run of backspaces, a paste. */
import type { Edit, Position } from "./text.ts";

/** Edits of one kind that follow each other without a move between them share a step. */
export type EditKind = "type" | "erase" | "other";

export interface Change {
  readonly edit: Edit;
  readonly inverse: Edit;
}

export interface Step {
  readonly kind: EditKind;
  readonly changes: readonly Change[];
  /** The cursor before and after. */
  readonly before: Position;
  readonly after: Position;
}

export interface History {
  readonly undo: readonly Step[];
  readonly redo: readonly Step[];
  /** False after a move: the next edit opens a step of its own. */
  readonly open: boolean;
}

export const EMPTY_HISTORY: History = { undo: [], redo: [], open: false };

const LIMIT = 1000;

/** Typing goes on in one step until a new word or a line begins. */
function continues(last: Step, kind: EditKind, change: Change): boolean {
  if (kind !== last.kind || kind === "other") return false;
  if (kind === "erase") return true;
  const before = last.changes[last.changes.length - 1].edit.text;
  const typed = change.edit.text;
  return !typed.includes("\n") && !before.includes("\n") && (/\s$/.test(typed) || !/\s$/.test(before));
}

export function record(
  history: History,
  kind: EditKind,
  change: Change,
  before: Position,
  after: Position,
): History {
  const last = history.undo[history.undo.length - 1];
  if (history.open && last && continues(last, kind, change)) {
    const merged: Step = { ...last, changes: [...last.changes, change], after };
    return { undo: [...history.undo.slice(0, -1), merged], redo: [], open: true };
  }
  const step: Step = { kind, changes: [change], before, after };
  return { undo: [...history.undo.slice(1 - LIMIT), step], redo: [], open: true };
}

export function closeStep(history: History): History {
  return history.open ? { ...history, open: false } : history;
}
