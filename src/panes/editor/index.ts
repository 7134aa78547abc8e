/** The script, edited in place. */
import type { Pane } from "../pane.ts";
import { typeInto } from "../prompt/field.ts";
import { edited, keys } from "./keys.ts";
import { type EditorState, init, paste, reduce, typeText } from "./state.ts";
import { cursor, title, view } from "./view.ts";

export { type EditorState, isModified, sourceOf } from "./state.ts";

export const editorPane: Pane<EditorState> = {
  kind: "editor",
  about: "Edits the script in colours; what the compiler says stands below the line that it means.",
  init,
  title,
  reduce,
  view,
  keys,
  typing: () => true,
  onText(state, key, size) {
    if (state.prompt) {
      return {
        state: { ...state, prompt: { ...state.prompt, field: typeInto(state.prompt.field, key.text) } },
      };
    }
    return edited(state, key.name === "paste" ? paste(state, key.text) : typeText(state, key.text), size);
  },
  cursor,
};
