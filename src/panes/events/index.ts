/** The tail of what a script prints. */
import type { Pane } from "../pane.ts";
import { typeInto } from "../prompt/field.ts";
import { keys } from "./keys.ts";
import { type EventsState, INITIAL, reduce, withField } from "./state.ts";
import { cursor, title, view } from "./view.ts";

export type { EventsState } from "./state.ts";

export const eventsPane: Pane<EventsState> = {
  kind: "events",
  about: "The tail of printf and print output: follows, scrolls back, searches and filters.",
  init: () => INITIAL,
  title,
  reduce,
  view,
  keys,
  typing: (state) => state.prompt !== undefined,
  onText: (state, key) => ({
    state: state.prompt ? withField(state, typeInto(state.prompt.field, key.text)) : state,
  }),
  cursor,
};
