/** The chart pane's keys. */
import type { PaneKey } from "../pane.ts";
import { type ChartState, metricOf, nextMap, nextWindow } from "./state.ts";

const several = (state: ChartState) => state.maps.length > 1;

export const keys: PaneKey<ChartState>[] = [
  {
    keys: ["right", "w"],
    command: "chart.longer",
    help: "show more time: 1, 5, 15 minutes",
    footer: "window",
    run: (state) => ({ state: nextWindow(state, 1) }),
  },
  {
    keys: ["left"],
    command: "chart.shorter",
    help: "show less time",
    run: (state) => ({ state: nextWindow(state, -1) }),
  },
  {
    keys: ["v"],
    command: "chart.metric",
    help: "switch between the value and its change per second",
    footer: "value/rate",
    run: (state) => ({ state: { ...state, metric: metricOf(state) === "rate" ? "value" : "rate" } }),
  },
  {
    keys: ["L"],
    command: "chart.log",
    help: "switch between a linear and a logarithmic axis",
    footer: "log",
    run: (state) => ({ state: { ...state, log: !state.log } }),
  },
  {
    keys: ["down", "m"],
    command: "chart.next-map",
    help: "show the next map",
    footer: "map",
    when: several,
    run: (state) => ({ state: nextMap(state, 1) }),
  },
  {
    keys: ["up", "M"],
    command: "chart.previous-map",
    help: "show the map before",
    when: several,
    run: (state) => ({ state: nextMap(state, -1) }),
  },
];
