/** What the library pane keeps: which scripts are listed, which is chosen, and the options that are being filled in. */
import type { Effect, LibraryScript, PaneEvent, Size, Update } from "../pane.ts";
import { type Field, fieldOf } from "../prompt/field.ts";
import { search } from "./search.ts";

export interface Form {
  script: LibraryScript;
  /** One per option of the script. */
  fields: readonly Field[];
  at: number;
}

export interface LibraryState {
  scripts: readonly LibraryScript[];
  query: string;
  prompt: Field | undefined;
  /** Index into the scripts that the query leaves. */
  cursor: number;
  /** First row of the list in the window. */
  top: number;
  /** Lines of the description scrolled away. */
  scroll: number;
  /** Narrow panes show the list or the description. */
  reading: boolean;
  form: Form | undefined;
  size: Size;
}

export const INITIAL: LibraryState = {
  scripts: [],
  query: "",
  prompt: undefined,
  cursor: 0,
  top: 0,
  scroll: 0,
  reading: false,
  form: undefined,
  size: { width: 80, height: 10 },
};

export function reduce(state: LibraryState, event: PaneEvent): LibraryState {
  switch (event.type) {
    case "library":
      return inWindow({ ...state, scripts: event.scripts, cursor: 0, top: 0, scroll: 0 });
    case "size":
      return inWindow({ ...state, size: event.size });
    default:
      return state;
  }
}

export function listed(state: LibraryState): readonly LibraryScript[] {
  return search(state.scripts, state.query);
}

export type ListRow = { subject: string } | { script: LibraryScript; index: number };

/** Scripts below the subjects they belong to; by merit alone while searching. */
export function listRows(state: LibraryState): ListRow[] {
  const rows: ListRow[] = [];
  let subject = "";
  listed(state).forEach((script, index) => {
    if (state.query === "" && script.subject !== subject) {
      subject = script.subject;
      rows.push({ subject });
    }
    rows.push({ script, index });
  });
  return rows;
}

export function chosen(state: LibraryState): LibraryScript | undefined {
  return listed(state)[state.cursor];
}

export function bodyHeight(state: LibraryState): number {
  return Math.max(1, state.size.height - (state.prompt ? 1 : 0));
}

/** The cursor on a script that there is, its row in the window, and its subject above it where there is room. */
export function inWindow(state: LibraryState): LibraryState {
  const count = listed(state).length;
  const cursor = Math.max(0, Math.min(state.cursor, count - 1));
  const rows = listRows(state);
  const height = bodyHeight(state);
  const row = rows.findIndex((it) => "index" in it && it.index === cursor);
  let top = Math.max(0, Math.min(state.top, rows.length - height));
  if (row >= 0) {
    const first = row > 0 && "subject" in rows[row - 1] && height > 1 ? row - 1 : row;
    if (first < top) top = first;
    if (row >= top + height) top = row - height + 1;
  }
  return { ...state, cursor, top };
}

export function move(state: LibraryState, scripts: number): LibraryState {
  const cursor = Math.max(0, state.cursor + scripts);
  return inWindow({ ...state, cursor, scroll: 0 });
}

export function withQuery(state: LibraryState, prompt: Field | undefined): LibraryState {
  return inWindow({ ...state, prompt, query: prompt?.text ?? "", cursor: 0, top: 0, scroll: 0 });
}

export function openForm(state: LibraryState, script: LibraryScript): LibraryState {
  const fields = script.options.map((option) => fieldOf(option.default));
  const at = Math.max(
    0,
    script.options.findIndex((option) => option.default === ""),
  );
  return { ...state, form: { script, fields, at } };
}

export function withField(state: LibraryState, field: Field): LibraryState {
  const { form } = state;
  if (!form) return state;
  return { ...state, form: { ...form, fields: form.fields.map((it, i) => (i === form.at ? field : it)) } };
}

/** Starts a script. The app shows in the editor what runs, so that it can be changed and run again. */
function start(
  state: LibraryState,
  script: LibraryScript,
  named: Record<string, string>,
): Update<LibraryState> {
  const { source, name } = script;
  const effects: Effect[] = [{ type: "run", source, name, options: { named } }];
  const done = { ...state, prompt: undefined, query: "", form: undefined };
  const cursor = state.scripts.indexOf(script);
  return { state: inWindow({ ...done, cursor }), effects };
}

/** Enter: runs the chosen script, or asks for what it needs first. */
export function run(state: LibraryState): Update<LibraryState> {
  const script = chosen(state);
  if (!script) return { state };
  if (script.options.some((option) => option.default === "")) return { state: openForm(state, script) };
  return start(state, script, {});
}

/** Only what differs from the defaults is handed over. */
export function submit(state: LibraryState): Update<LibraryState> {
  const { form } = state;
  if (!form) return { state };
  const named: Record<string, string> = {};
  for (const [i, option] of form.script.options.entries()) {
    const text = form.fields[i].text.trim();
    if (text === "" && option.default === "") {
      return {
        state: { ...state, form: { ...form, at: i } },
        effects: [
          { type: "message", text: `${option.name} is needed: ${option.description}`, level: "warning" },
        ],
      };
    }
    if (text !== "" && text !== option.default) named[option.name] = text;
  }
  return start(state, form.script, named);
}
