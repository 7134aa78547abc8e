/** The library's keys. */
import type { PaneKey, Size, Update } from "../pane.ts";
import { editField, FIELD_CHORDS, fieldOf } from "../prompt/field.ts";
import {
  chosen,
  type LibraryState,
  listed,
  move,
  openForm,
  run,
  submit,
  withField,
  withQuery,
} from "./state.ts";
import { description, isWide, listWidth } from "./view.ts";

const filling = (state: LibraryState) => state.form !== undefined;
const typing = (state: LibraryState) => state.prompt !== undefined && !filling(state);
const choosing = (state: LibraryState) => !filling(state);
const browsing = (state: LibraryState) => !filling(state) && state.prompt === undefined;
const narrow = (state: LibraryState) => browsing(state) && !isWide(state.size);

function edit(state: LibraryState): Update<LibraryState> {
  const script = chosen(state);
  if (!script) return { state };
  return { state, effects: [{ type: "edit", source: script.source, name: script.name }] };
}

function options(state: LibraryState): Update<LibraryState> {
  const script = chosen(state);
  return { state: script ? openForm({ ...state, prompt: undefined }, script) : state };
}

function nextField(state: LibraryState, step: -1 | 1): LibraryState {
  const form = state.form!;
  const count = form.fields.length;
  return { ...state, form: { ...form, at: (form.at + step + count) % count } };
}

function scrolled(state: LibraryState, size: Size, lines: number): LibraryState {
  const script = chosen(state);
  if (!script) return state;
  const width = isWide(size) ? size.width - listWidth(size) - 3 : size.width;
  const last = Math.max(0, description(script, width).length - size.height);
  return { ...state, scroll: Math.max(0, Math.min(last, state.scroll + lines)) };
}

export const keys: PaneKey<LibraryState>[] = [
  {
    keys: ["enter"],
    command: "library.submit",
    help: "run the script with these options",
    footer: "run",
    when: filling,
    run: submit,
  },
  {
    keys: ["escape"],
    command: "library.leave-options",
    help: "back to the list",
    footer: "back",
    when: filling,
    run: (state) => ({ state: { ...state, form: undefined } }),
  },
  {
    keys: ["down"],
    command: "library.next-option",
    help: "go to the next option",
    when: filling,
    run: (state) => ({ state: nextField(state, 1) }),
  },
  {
    keys: ["up"],
    command: "library.previous-option",
    help: "go to the option before",
    when: filling,
    run: (state) => ({ state: nextField(state, -1) }),
  },
  {
    keys: [...FIELD_CHORDS],
    command: "library.edit-option",
    help: "edit the option's value",
    when: filling,
    run: (state, key) => {
      const { fields, at } = state.form!;
      return { state: withField(state, editField(fields[at], key)) };
    },
  },
  {
    keys: ["enter"],
    command: "library.run",
    help: "run the script; asks first when it needs an option",
    footer: "run",
    when: (state) => choosing(state) && chosen(state) !== undefined,
    run,
  },
  {
    keys: ["e", "ctrl-o"],
    command: "library.edit",
    help: "open the script in the editor",
    footer: "edit",
    when: (state) => choosing(state) && chosen(state) !== undefined,
    run: edit,
  },
  {
    keys: ["o"],
    command: "library.options",
    help: "fill in the script's options, then run it",
    footer: "options",
    when: (state) => browsing(state) && (chosen(state)?.options.length ?? 0) > 0,
    run: options,
  },
  {
    keys: ["/"],
    command: "library.search",
    help: "search by a few letters of title, subject or question",
    footer: "search",
    when: browsing,
    run: (state) => ({ state: withQuery(state, fieldOf(state.query)) }),
  },
  {
    keys: ["escape"],
    command: "library.clear-search",
    help: "show all scripts again",
    when: (state) => choosing(state) && (typing(state) || state.query !== ""),
    run: (state) => ({ state: withQuery(state, undefined) }),
  },
  {
    keys: ["escape", "left"],
    command: "library.list",
    help: "back to the list (narrow panes)",
    when: (state) => narrow(state) && state.reading,
    run: (state) => ({ state: { ...state, reading: false, scroll: 0 } }),
  },
  {
    keys: ["right"],
    command: "library.read",
    help: "read what the script is about (narrow panes)",
    footer: "read",
    when: (state) => narrow(state) && !state.reading,
    run: (state) => ({ state: { ...state, reading: true, scroll: 0 } }),
  },
  {
    keys: ["down", "j"],
    command: "library.down",
    help: "next script",
    when: choosing,
    run: (state) => ({ state: move(state, 1) }),
  },
  {
    keys: ["up", "k"],
    command: "library.up",
    help: "script before",
    when: choosing,
    run: (state) => ({ state: move(state, -1) }),
  },
  {
    keys: ["home", "g"],
    command: "library.first",
    help: "first script",
    when: browsing,
    run: (state) => ({ state: move(state, Number.NEGATIVE_INFINITY) }),
  },
  {
    keys: ["end", "G"],
    command: "library.last",
    help: "last script",
    when: browsing,
    run: (state) => ({ state: move(state, listed(state).length) }),
  },
  {
    keys: ["pagedown"],
    command: "library.scroll-down",
    help: "scroll the description",
    when: choosing,
    run: (state, _key, size) => ({ state: scrolled(state, size, Math.max(1, size.height - 2)) }),
  },
  {
    keys: ["pageup"],
    command: "library.scroll-up",
    help: "scroll the description back",
    when: choosing,
    run: (state, _key, size) => ({ state: scrolled(state, size, -Math.max(1, size.height - 2)) }),
  },
  {
    keys: FIELD_CHORDS.filter((chord) => !["home", "end"].includes(chord)),
    command: "library.edit-search",
    help: "edit the search",
    when: typing,
    run: (state, key) => ({ state: withQuery(state, editField(state.prompt!, key)) }),
  },
];
