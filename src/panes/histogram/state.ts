/** What the histogram pane keeps: the map and key that are shown, and the counts of the frame before. */
import type {
  HistogramSnapshot,
  MapKind,
  MapShape,
  MapSnapshot,
  RowSnapshot,
} from "../../engine/protocol.ts";
import type { PaneEvent, PaneSeed, Size, ViewRequest } from "../pane.ts";

export interface HistogramState {
  /** The histograms of the script. */
  maps: readonly MapShape[];
  map: MapShape | undefined;
  snapshot: MapSnapshot | undefined;
  /** Counts by row and bucket as they were one snapshot ago; undefined before the second. */
  before: ReadonlyMap<string, ReadonlyMap<number, number>> | undefined;
  /** Id of the row that was chosen; until then the first is shown. */
  key: string | undefined;
  /** Buckets scrolled by hand from where the window would stand by itself. */
  scroll: number;
  size: Size;
}

const KINDS: ReadonlySet<MapKind> = new Set(["hist", "lhist"]);

export function init(seed: PaneSeed): HistogramState {
  return {
    maps: seed.map ? [seed.map] : [],
    map: seed.map,
    snapshot: undefined,
    before: undefined,
    key: undefined,
    scroll: 0,
    size: { width: 80, height: 10 },
  };
}

export function rowId(row: RowSnapshot): string {
  return row.key.join("\0");
}

export function reduce(state: HistogramState, event: PaneEvent): HistogramState {
  switch (event.type) {
    case "shape": {
      const maps = event.shape.maps.filter((it) => KINDS.has(it.kind));
      const map = maps.find((it) => it.name === state.map?.name) ?? maps[0];
      return { ...init({ map }), maps, size: state.size, key: state.key };
    }
    case "snapshot": {
      const snapshot = event.snapshot.maps.find((it) => it.name === state.map?.name);
      if (!snapshot) return state;
      return { ...state, snapshot, before: state.snapshot && countsOf(state.snapshot) };
    }
    case "size":
      return { ...state, size: event.size };
    default:
      return state;
  }
}

function countsOf(snapshot: MapSnapshot): ReadonlyMap<string, ReadonlyMap<number, number>> {
  return new Map(
    snapshot.rows.map((row) => [
      rowId(row),
      new Map(row.histogram?.buckets.map((bucket) => [bucket.low, bucket.count]) ?? []),
    ]),
  );
}

export interface Shown {
  row: RowSnapshot;
  histogram: HistogramSnapshot;
  index: number;
  /** What each bucket gained since the last frame; undefined before the second. */
  gains: number[] | undefined;
}

/** The row that is drawn now. */
export function shownRow(state: HistogramState): Shown | undefined {
  const rows = state.snapshot?.rows ?? [];
  const index = Math.max(
    0,
    rows.findIndex((row) => rowId(row) === state.key),
  );
  const row = rows[index];
  if (!row?.histogram) return undefined;
  const before = state.before?.get(rowId(row));
  const gains =
    state.before &&
    row.histogram.buckets.map((bucket) => Math.max(0, bucket.count - (before?.get(bucket.low) ?? 0)));
  return { row, histogram: row.histogram, index, gains };
}

export function nextKey(state: HistogramState, step: -1 | 1): HistogramState {
  const rows = state.snapshot?.rows ?? [];
  const shown = shownRow(state);
  if (!shown) return state;
  const row = rows[(shown.index + step + rows.length) % rows.length];
  return { ...state, key: rowId(row), scroll: 0 };
}

export function nextMap(state: HistogramState, step: -1 | 1): HistogramState {
  const at = state.maps.findIndex((it) => it.name === state.map?.name);
  const map = state.maps[(at + step + state.maps.length) % state.maps.length];
  if (!map || map.name === state.map?.name) return state;
  return { ...init({ map }), maps: state.maps, size: state.size };
}

/** Every row carries a whole histogram: the largest few are enough to choose from. */
const ROWS = 32;

export function wants(state: HistogramState): ViewRequest | undefined {
  return state.map && { map: state.map.name, rows: ROWS, order: "value", descending: true };
}
