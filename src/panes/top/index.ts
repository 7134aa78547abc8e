/** A map's keys as a table, the largest first. */
import type { Pane } from "../pane.ts";
import { typeInto } from "../prompt/field.ts";
import { keys } from "./keys.ts";
import { init, reduce, type TopState, wants, withFilter } from "./state.ts";
import { cursor, title, view } from "./view.ts";

export type { TopState } from "./state.ts";

export const topPane: Pane<TopState> = {
  kind: "top",
  about: "A map's keys with totals, rates and bars; sorts by column and filters by typing.",
  init,
  title,
  reduce,
  view,
  keys,
  typing: (state) => state.prompt !== undefined,
  onText: (state, key, size) => ({
    state: state.prompt ? withFilter(state, size, typeInto(state.prompt, key.text)) : state,
  }),
  cursor,
  wants,
};
