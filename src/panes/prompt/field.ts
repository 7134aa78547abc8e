/** A line of typed text inside a pane: a filter, a search, a value of an option. */
import { chordOf, type Key } from "../key.ts";
import { cutLine, type Line, sanitize, span, textWidth } from "../text/index.ts";

export interface Field {
  readonly text: string;
  /** UTF-16 offset, always between characters. */
  readonly cursor: number;
}

export function fieldOf(text: string): Field {
  return { text, cursor: text.length };
}

/** A pasted text stays on the field's one line. */
export function typeInto(field: Field, text: string): Field {
  const typed = text.replace(/\s*[\r\n]+\s*/g, " ").replace(/\p{Cc}/gu, "");
  return splice(field, field.cursor, field.cursor, typed);
}

function splice({ text }: Field, from: number, to: number, inserted: string): Field {
  return { text: text.slice(0, from) + inserted + text.slice(to), cursor: from + inserted.length };
}

function before({ text, cursor }: Field): number {
  const low = /[\udc00-\udfff]$/.test(text.slice(0, cursor)) ? 2 : 1;
  return Math.max(0, cursor - low);
}

function after({ text, cursor }: Field): number {
  return Math.min(text.length, cursor + ((text.codePointAt(cursor) ?? 0) > 0xffff ? 2 : 1));
}

function wordBefore({ text, cursor }: Field): number {
  return text.slice(0, cursor).search(/\S*\s*$/);
}

const EDITS: Record<string, (field: Field) => Field> = {
  backspace: (field) => splice(field, before(field), field.cursor, ""),
  delete: (field) => splice(field, field.cursor, after(field), ""),
  "ctrl-w": (field) => splice(field, wordBefore(field), field.cursor, ""),
  "alt-backspace": (field) => splice(field, wordBefore(field), field.cursor, ""),
  "ctrl-u": (field) => splice(field, 0, field.cursor, ""),
  "ctrl-k": (field) => splice(field, field.cursor, field.text.length, ""),
  left: (field) => ({ ...field, cursor: before(field) }),
  right: (field) => ({ ...field, cursor: after(field) }),
  home: (field) => ({ ...field, cursor: 0 }),
  end: (field) => ({ ...field, cursor: field.text.length }),
  "ctrl-a": (field) => ({ ...field, cursor: 0 }),
  "ctrl-e": (field) => ({ ...field, cursor: field.text.length }),
};

/** The chords that edit a field, for a row of a pane's key table. */
export const FIELD_CHORDS: readonly string[] = Object.keys(EDITS);

export function editField(field: Field, key: Key): Field {
  return EDITS[chordOf(key)]?.(field) ?? field;
}

/** `label` and the text, scrolled so that the cursor is inside `width`; and the cell where the cursor stands. */
export function fieldLine(label: string, field: Field, width: number): { line: Line; cursor: number } {
  const room = Math.max(1, width - textWidth(label) - 1);
  const chars = [...field.text];
  const at = [...field.text.slice(0, field.cursor)].length;
  let first = 0;
  while (textWidth(sanitize(chars.slice(first, at).join(""))) > room) first++;
  return {
    line: cutLine([span(label, "accent"), span(sanitize(chars.slice(first).join("")), "text")], width),
    cursor: Math.min(
      Math.max(0, width - 1),
      textWidth(label) + textWidth(sanitize(chars.slice(first, at).join(""))),
    ),
  };
}
