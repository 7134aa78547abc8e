/** The editor's keys. Text itself comes through `onText`. */
import type { Effect, PaneKey, Size, Update } from "../pane.ts";
import { editField, FIELD_CHORDS, fieldOf } from "../prompt/field.ts";
import { sanitize } from "../text/index.ts";
import {
  type EditorState,
  erase,
  findNext,
  insert,
  moveLines,
  moveTo,
  newLine,
  redo,
  reveal,
  selectedText,
  selection,
  sourceOf,
  undo,
} from "./state.ts";
import {
  left,
  lineEnd,
  lineStart,
  type Position,
  right,
  textEnd,
  textStart,
  wordLeft,
  wordRight,
} from "./text.ts";

const prompting = (state: EditorState) => state.prompt !== undefined;
const writing = (state: EditorState) => state.prompt === undefined;

/** What every change to the text ends with: the cursor in sight, and a question to the compiler. */
export function edited(
  before: EditorState,
  after: EditorState,
  size: Size,
  effects: Effect[] = [],
): Update<EditorState> {
  const state = reveal(after, size);
  if (after.lines === before.lines) return { state, effects };
  return { state, effects: [...effects, { type: "check", source: sourceOf(after) }] };
}

type Move = (state: EditorState, size: Size) => Position;

function moveRow(keys: string[], name: string, help: string, to: Move): PaneKey<EditorState>[] {
  const run = (select: boolean) => (state: EditorState, _key: unknown, size: Size) => ({
    state: reveal(moveTo(state, to(state, size), select), size),
  });
  return rowsWithSelection(keys, name, help, run);
}

function lineRow(
  keys: string[],
  name: string,
  help: string,
  lines: (size: Size) => number,
): PaneKey<EditorState>[] {
  const run = (select: boolean) => (state: EditorState, _key: unknown, size: Size) => ({
    state: reveal(moveLines(state, lines(size), select), size),
  });
  return rowsWithSelection(keys, name, help, run);
}

/** The move, and the same with Shift, which selects. */
function rowsWithSelection(
  keys: string[],
  name: string,
  help: string,
  run: (select: boolean) => PaneKey<EditorState>["run"],
): PaneKey<EditorState>[] {
  const shifted = keys.filter((key) => key.length > 1 && /(^|-)[a-z]{2,}$/.test(key)).map(withShift);
  return [
    { keys, command: `editor.${name}`, help, when: writing, run: run(false) },
    {
      keys: shifted,
      command: `editor.select-${name}`,
      help: `select: ${help}`,
      when: writing,
      run: run(true),
    },
  ];
}

function withShift(chord: string): string {
  const cut = chord.lastIndexOf("-") + 1;
  return `${chord.slice(0, cut)}shift-${chord.slice(cut)}`;
}

function editRow(
  keys: string[],
  name: string,
  help: string,
  run: (state: EditorState, size: Size) => EditorState,
  footer?: string,
): PaneKey<EditorState> {
  return {
    keys,
    command: `editor.${name}`,
    help,
    ...(footer === undefined ? {} : { footer }),
    when: writing,
    run: (state, _key, size) => edited(state, run(state, size), size),
  };
}

function killToEnd(state: EditorState): EditorState {
  const from = state.cursor;
  const end = lineEnd(state.lines, from);
  return erase(state, "other", () => (from.column === end.column ? right(state.lines, from) : end));
}

/** The selection, or else the whole line. */
function withLine(state: EditorState): EditorState {
  if (selection(state)) return state;
  const { line } = state.cursor;
  const start = { line, column: 0 };
  if (line + 1 < state.lines.length)
    return { ...state, anchor: start, cursor: { line: line + 1, column: 0 } };
  const from = line > 0 ? lineEnd(state.lines, { line: line - 1, column: 0 }) : start;
  return { ...state, anchor: from, cursor: lineEnd(state.lines, start) };
}

function cut(state: EditorState, size: Size): Update<EditorState> {
  const chosen = withLine(state);
  const text = selectedText(chosen);
  if (text === "") return { state };
  const gone = erase({ ...chosen, clip: text }, "other", (at) => at);
  return edited(state, gone, size, [{ type: "copy", text }]);
}

function copy(state: EditorState): Update<EditorState> {
  const text = selectedText(withLine(state));
  if (text === "") return { state };
  const message: Effect = { type: "message", text: "copied", level: "info" };
  return { state: { ...state, clip: text }, effects: [{ type: "copy", text }, message] };
}

function acceptPrompt(state: EditorState, size: Size): Update<EditorState> {
  const prompt = state.prompt!;
  const closed = { ...state, prompt: undefined };
  if (prompt.for === "goto") {
    const [line, column = 1] = prompt.field.text.split(/[:,\s]+/).map(Number);
    if (!(line >= 1)) return { state: reveal(closed, size) };
    return { state: reveal(moveTo(closed, { line: line - 1, column: (column || 1) - 1 }, false), size) };
  }
  const find = prompt.field.text === "" ? state.find : prompt.field.text;
  return search({ ...closed, find }, size);
}

function search(state: EditorState, size: Size): Update<EditorState> {
  const found = findNext(state, state.find);
  if (found) return { state: reveal(found, size) };
  const text = `"${sanitize(state.find)}" is not in the script`;
  return { state, effects: state.find === "" ? [] : [{ type: "message", text, level: "warning" }] };
}

function toProblem(state: EditorState, size: Size): Update<EditorState> {
  const places = state.problems
    .map((problem) => ({ line: problem.line - 1, column: problem.column - 1 }))
    .sort((a, b) => a.line - b.line || a.column - b.column);
  const { line, column } = state.cursor;
  const next = places.find((it) => it.line > line || (it.line === line && it.column > column)) ?? places[0];
  return { state: next ? reveal(moveTo(state, next, false), size) : state };
}

export const keys: PaneKey<EditorState>[] = [
  {
    keys: ["enter"],
    command: "editor.accept",
    help: "go to the line, or find the text",
    footer: "go",
    when: prompting,
    run: (state, _key, size) => acceptPrompt(state, size),
  },
  {
    keys: ["escape"],
    command: "editor.cancel",
    help: "leave the prompt",
    footer: "cancel",
    when: prompting,
    run: (state) => ({ state: { ...state, prompt: undefined } }),
  },
  {
    keys: [...FIELD_CHORDS],
    command: "editor.edit-prompt",
    help: "edit what is being typed",
    when: prompting,
    run: (state, key) => ({
      state: { ...state, prompt: { ...state.prompt!, field: editField(state.prompt!.field, key) } },
    }),
  },
  {
    keys: ["escape"],
    command: "editor.unselect",
    help: "drop the selection",
    when: (state) => writing(state) && selection(state) !== undefined,
    run: (state) => ({ state: { ...state, anchor: undefined } }),
  },
  {
    keys: ["alt-enter", "ctrl-enter"],
    command: "editor.run",
    help: "run the script",
    when: writing,
    run: (state) => ({
      state,
      effects: [
        {
          type: "run",
          source: sourceOf(state),
          ...(state.name === undefined ? {} : { name: state.name }),
        },
      ],
    }),
  },
  editRow(["enter"], "new-line", "start a new line, indented", newLine),
  editRow(["backspace", "ctrl-h"], "backspace", "delete the character before", (state) =>
    erase(state, "erase", (at) => left(state.lines, at)),
  ),
  editRow(["delete", "ctrl-d"], "delete", "delete the character at the cursor", (state) =>
    erase(state, "erase", (at) => right(state.lines, at)),
  ),
  editRow(["ctrl-w", "alt-backspace", "ctrl-backspace"], "delete-word", "delete the word before", (state) =>
    erase(state, "other", (at) => wordLeft(state.lines, at)),
  ),
  editRow(["alt-d", "ctrl-delete"], "delete-word-right", "delete the word after", (state) =>
    erase(state, "other", (at) => wordRight(state.lines, at)),
  ),
  editRow(["ctrl-k"], "delete-to-end", "delete to the end of the line", killToEnd),
  editRow(["ctrl-u"], "delete-to-start", "delete to the start of the line", (state) =>
    erase(state, "other", ({ line }) => ({ line, column: 0 })),
  ),
  editRow(["ctrl-z", "ctrl-_"], "undo", "undo", undo, "undo"),
  editRow(["ctrl-y"], "redo", "redo", redo),
  ...moveRow(["left"], "left", "one character to the left", ({ lines, cursor }) => left(lines, cursor)),
  ...moveRow(["right"], "right", "one character to the right", ({ lines, cursor }) => right(lines, cursor)),
  ...lineRow(["up"], "up", "one line up", () => -1),
  ...lineRow(["down"], "down", "one line down", () => 1),
  ...moveRow(["ctrl-left", "alt-left", "alt-b"], "word-left", "one word to the left", ({ lines, cursor }) =>
    wordLeft(lines, cursor),
  ),
  ...moveRow(
    ["ctrl-right", "alt-right", "alt-f"],
    "word-right",
    "one word to the right",
    ({ lines, cursor }) => wordRight(lines, cursor),
  ),
  ...moveRow(["home", "ctrl-a"], "line-start", "to the start of the line", ({ lines, cursor }) =>
    lineStart(lines, cursor),
  ),
  ...moveRow(["end", "ctrl-e"], "line-end", "to the end of the line", ({ lines, cursor }) =>
    lineEnd(lines, cursor),
  ),
  ...lineRow(["pageup"], "page-up", "one page up", ({ height }) => 1 - Math.max(2, height)),
  ...lineRow(["pagedown"], "page-down", "one page down", ({ height }) => Math.max(2, height) - 1),
  ...moveRow(["ctrl-home", "alt-<"], "text-start", "to the start of the script", () => textStart()),
  ...moveRow(["ctrl-end", "alt->"], "text-end", "to the end of the script", ({ lines }) => textEnd(lines)),
  {
    keys: ["alt-a"],
    command: "editor.select-all",
    help: "select the whole script",
    when: writing,
    run: (state) => ({ state: { ...state, anchor: textStart(), cursor: textEnd(state.lines) } }),
  },
  {
    keys: ["ctrl-x"],
    command: "editor.cut",
    help: "cut the selection, or the line",
    when: writing,
    run: (state, _key, size) => cut(state, size),
  },
  {
    keys: ["alt-c", "alt-w"],
    command: "editor.copy",
    help: "copy the selection, or the line",
    when: writing,
    run: copy,
  },
  editRow(["ctrl-v"], "paste", "put in what was cut or copied", (state) =>
    insert(state, "other", state.clip),
  ),
  {
    keys: ["ctrl-g"],
    command: "editor.goto",
    help: "go to a line",
    when: writing,
    run: (state, _key, size) => ({
      state: reveal({ ...state, prompt: { for: "goto", field: fieldOf("") } }, size),
    }),
  },
  {
    keys: ["ctrl-f"],
    command: "editor.find",
    help: "find a text",
    footer: "find",
    when: writing,
    run: (state, _key, size) => ({
      state: reveal({ ...state, prompt: { for: "find", field: fieldOf("") } }, size),
    }),
  },
  {
    keys: ["f3", "alt-n"],
    command: "editor.find-next",
    help: "find the next place",
    when: (state) => writing(state) && state.find !== "",
    run: (state, _key, size) => search(state, size),
  },
  {
    keys: ["ctrl-n", "f8"],
    command: "editor.next-problem",
    help: "go to the next error or warning",
    footer: "next error",
    when: (state) => writing(state) && state.problems.length > 0,
    run: (state, _key, size) => toProblem(state, size),
  },
];
