/** A value, or how fast it grows, over the last minutes. */
import type { Pane } from "../pane.ts";
import { keys } from "./keys.ts";
import { type ChartState, init, reduce, wants } from "./state.ts";
import { title, view } from "./view.ts";

export type { ChartState } from "./state.ts";

export const chartPane: Pane<ChartState> = {
  kind: "chart",
  about: "A map's value or rate over the last 1, 5 or 15 minutes.",
  init,
  title,
  reduce,
  view,
  keys,
  wants,
};
