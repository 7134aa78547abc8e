/** The histogram pane's keys. */
import type { PaneKey } from "../pane.ts";
import { type HistogramState, nextKey, nextMap, shownRow } from "./state.ts";

const several = (state: HistogramState) => state.maps.length > 1;
const keyed = (state: HistogramState) => (state.snapshot?.rows.length ?? 0) > 1;

function scrolled(state: HistogramState, buckets: number): HistogramState {
  const limit = shownRow(state)?.histogram.buckets.length ?? 0;
  return { ...state, scroll: Math.max(-limit, Math.min(limit, state.scroll + buckets)) };
}

export const keys: PaneKey<HistogramState>[] = [
  {
    keys: ["right"],
    command: "histogram.next-key",
    help: "show the next key's histogram",
    footer: "key",
    when: keyed,
    run: (state) => ({ state: nextKey(state, 1) }),
  },
  {
    keys: ["left"],
    command: "histogram.previous-key",
    help: "show the histogram of the key before",
    when: keyed,
    run: (state) => ({ state: nextKey(state, -1) }),
  },
  {
    keys: ["down", "m"],
    command: "histogram.next-map",
    help: "show the next histogram map",
    footer: "map",
    when: several,
    run: (state) => ({ state: nextMap(state, 1) }),
  },
  {
    keys: ["up", "M"],
    command: "histogram.previous-map",
    help: "show the histogram map before",
    when: several,
    run: (state) => ({ state: nextMap(state, -1) }),
  },
  {
    keys: ["pagedown", "j"],
    command: "histogram.scroll-down",
    help: "scroll to larger buckets",
    run: (state, key) => ({ state: scrolled(state, key.name === "pagedown" ? 5 : 1) }),
  },
  {
    keys: ["pageup", "k"],
    command: "histogram.scroll-up",
    help: "scroll to smaller buckets",
    run: (state, key) => ({ state: scrolled(state, key.name === "pageup" ? -5 : -1) }),
  },
  {
    keys: ["home"],
    command: "histogram.follow-busiest",
    help: "show the busiest buckets again",
    run: (state) => ({ state: { ...state, scroll: 0 } }),
  },
];
