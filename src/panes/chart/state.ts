/** What the chart pane keeps: the readings of its map, and how they are looked at. */
import type { MapKind, MapShape } from "../../engine/protocol.ts";
import type { PaneEvent, PaneSeed, Size, ViewRequest } from "../pane.ts";
import { addPoint, type Point } from "./series.ts";

/** Minutes. */
export const WINDOWS = [1, 5, 15] as const;

export interface ChartState {
  maps: readonly MapShape[];
  map: MapShape | undefined;
  points: readonly Point[];
  /** There was a reading. */
  seen: boolean;
  /** Index into WINDOWS. */
  window: number;
  /** Undefined: what suits the kind of the map. */
  metric: "value" | "rate" | undefined;
  log: boolean;
  size: Size;
}

export function init(seed: PaneSeed): ChartState {
  return {
    maps: seed.map ? [seed.map] : [],
    map: seed.map,
    points: [],
    seen: false,
    window: 0,
    metric: undefined,
    log: false,
    size: { width: 80, height: 10 },
  };
}

/** What only ever grows is read by how fast it grows. */
const GROWING: ReadonlySet<MapKind> = new Set(["count", "sum", "hist", "lhist"]);
const NUMBERS: ReadonlySet<MapKind> = new Set([
  ...GROWING,
  "avg",
  "stats",
  "min",
  "max",
  "integer",
  "tseries",
]);

export function metricOf(state: ChartState): "value" | "rate" {
  return state.metric ?? (state.map && GROWING.has(state.map.kind) ? "rate" : "value");
}

export function reduce(state: ChartState, event: PaneEvent): ChartState {
  switch (event.type) {
    case "shape": {
      const maps = event.shape.maps.filter((it) => NUMBERS.has(it.kind) && !it.name.startsWith("@_"));
      const map = maps.find((it) => it.name === state.map?.name) ?? maps[0];
      return { ...state, maps, map, points: [], seen: false };
    }
    case "snapshot": {
      const map = event.snapshot.maps.find((it) => it.name === state.map?.name);
      if (!map) return state;
      // How fast it was before the first reading nobody knows.
      if (!state.seen && map.rate === 0 && map.sum !== 0 && GROWING.has(map.kind)) {
        return { ...state, seen: true };
      }
      const points = addPoint(state.points, event.snapshot.time, map.sum, map.rate);
      return points === state.points ? state : { ...state, points, seen: true };
    }
    case "size":
      return { ...state, size: event.size };
    default:
      return state;
  }
}

export function nextWindow(state: ChartState, step: -1 | 1): ChartState {
  return { ...state, window: (state.window + step + WINDOWS.length) % WINDOWS.length };
}

export function nextMap(state: ChartState, step: -1 | 1): ChartState {
  const at = state.maps.findIndex((it) => it.name === state.map?.name);
  const map = state.maps[(at + step + state.maps.length) % state.maps.length];
  if (!map || map.name === state.map?.name) return state;
  return { ...state, map, points: [], seen: false, metric: undefined };
}

export function wants(state: ChartState): ViewRequest | undefined {
  return state.map && { map: state.map.name, rows: 1, order: "value", descending: true };
}
