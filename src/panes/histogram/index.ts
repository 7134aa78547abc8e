/** A map's log2 or linear histogram, one key at a time. */
import type { Pane } from "../pane.ts";
import { keys } from "./keys.ts";
import { type HistogramState, init, reduce, wants } from "./state.ts";
import { title, view } from "./view.ts";

export type { HistogramState } from "./state.ts";

export const histogramPane: Pane<HistogramState> = {
  kind: "histogram",
  about: "The histogram of a map and key with percentiles; what came since the last frame stands out.",
  init,
  title,
  reduce,
  view,
  keys,
  wants,
};
