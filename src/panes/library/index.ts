/** The bundled scripts: found, explained, run. */
import type { Pane } from "../pane.ts";
import { typeInto } from "../prompt/field.ts";
import { keys } from "./keys.ts";
import { INITIAL, type LibraryState, reduce, withField, withQuery } from "./state.ts";
import { cursor, title, view } from "./view.ts";

export type { LibraryState } from "./state.ts";

export const libraryPane: Pane<LibraryState> = {
  kind: "library",
  about: "The bundled scripts by subject, with what they answer and how to read it.",
  init: () => INITIAL,
  title,
  reduce,
  view,
  keys,
  typing: (state) => state.prompt !== undefined || state.form !== undefined,
  onText(state, key) {
    if (state.form) {
      const field = state.form.fields[state.form.at];
      return { state: field ? withField(state, typeInto(field, key.text)) : state };
    }
    return { state: state.prompt ? withQuery(state, typeInto(state.prompt, key.text)) : state };
  },
  cursor,
};
