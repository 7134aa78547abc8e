/** What the top pane keeps: the last rows of its map, how they are sorted and filtered, and where the cursor is. */
import type { MapShape, MapSnapshot, RowSnapshot } from "../../engine/protocol.ts";
import type { PaneEvent, PaneSeed, Size, ViewRequest } from "../pane.ts";
import { type Field, fieldOf } from "../prompt/field.ts";
import { matches } from "../prompt/pattern.ts";
import { type Order, orders } from "./columns.ts";

export interface TopState {
  /** Every map of the script that makes a table. */
  maps: readonly MapShape[];
  map: MapShape | undefined;
  snapshot: MapSnapshot | undefined;
  order: Order;
  descending: boolean;
  filter: string;
  prompt: Field | undefined;
  cursor: number;
  /** Index of the first row in the window. */
  top: number;
  expanded: ReadonlySet<string>;
  /** The column that says whose a row is: by itself once a row is a container's; or as the user wants it. */
  owners: "auto" | "shown" | "hidden";
  size: Size;
}

/** What the column of owners says of a row; undefined: it is not shown. Units only when asked for. */
export function ownerText(state: TopState): ((row: RowSnapshot) => string) | undefined {
  const { owners, snapshot } = state;
  if (owners === "shown") return (row) => row.container?.name ?? "";
  const any = snapshot?.rows.some((row) => row.container?.kind === "container");
  if (owners === "hidden" || !any) return undefined;
  return (row) => (row.container?.kind === "container" ? row.container.name : "");
}

export function toggleOwners(state: TopState): TopState {
  return { ...state, owners: ownerText(state) ? "hidden" : "shown" };
}

export function init(seed: PaneSeed): TopState {
  return {
    maps: seed.map ? [seed.map] : [],
    map: seed.map,
    snapshot: undefined,
    order: "value",
    descending: true,
    filter: "",
    prompt: undefined,
    cursor: 0,
    top: 0,
    expanded: new Set(),
    owners: "auto",
    size: { width: 80, height: 10 },
  };
}

export function reduce(state: TopState, event: PaneEvent): TopState {
  switch (event.type) {
    case "shape": {
      const maps = event.shape.maps.filter(({ name }) => !name.startsWith("@_"));
      const map = maps.find((it) => it.name === state.map?.name) ?? maps[0];
      const kept = map?.name === state.map?.name;
      return {
        ...state,
        maps,
        map,
        snapshot: undefined,
        expanded: new Set(),
        cursor: kept ? state.cursor : 0,
        top: kept ? state.top : 0,
      };
    }
    case "snapshot": {
      const snapshot = event.snapshot.maps.find((it) => it.name === state.map?.name);
      return snapshot ? inWindow({ ...state, snapshot }, state.size) : state;
    }
    case "size":
      return inWindow({ ...state, size: event.size }, event.size);
    default:
      return state;
  }
}

export function rowId(row: RowSnapshot): string {
  return row.key.join("\0");
}

const collator = new Intl.Collator("en", { numeric: true });

function compareKeys(a: RowSnapshot, b: RowSnapshot): number {
  for (let i = 0; i < Math.min(a.key.length, b.key.length); i++) {
    const order = a.key[i] === b.key[i] ? 0 : collator.compare(a.key[i], b.key[i]);
    if (order !== 0) return order;
  }
  return a.key.length - b.key.length;
}

function compareValues(a: RowSnapshot, b: RowSnapshot): number {
  return a.value - b.value || (Number.isNaN(a.value - b.value) ? collator.compare(a.text, b.text) : 0);
}

const COMPARE: Record<Order, (a: RowSnapshot, b: RowSnapshot) => number> = {
  key: compareKeys,
  value: compareValues,
  rate: (a, b) => a.rate - b.rate,
};

interface Shown {
  snapshot: MapSnapshot;
  order: Order;
  descending: boolean;
  filter: string;
  rows: RowSnapshot[];
}

/** Keys, cursor and picture all ask for the same rows. By the map's name; as many as are ever on one screen. */
const shown = new Map<string, Shown>();
const MOST_SHOWN = 16;

/** The rows as sorted and filtered here: the engine's answer to a changed order comes with its next snapshot only. */
export function shownRows(state: TopState): RowSnapshot[] {
  const { snapshot, order, descending, filter } = state;
  if (!snapshot) return [];
  const last = shown.get(snapshot.name);
  if (
    last?.snapshot === snapshot &&
    last.order === order &&
    last.descending === descending &&
    last.filter === filter
  ) {
    return last.rows;
  }
  const holdsFilter = ({ key, container }: RowSnapshot) =>
    [...key, container?.name ?? ""].some((part) => matches(part, filter));
  const direction = descending ? -1 : 1;
  const rows = (filter === "" ? [...snapshot.rows] : snapshot.rows.filter(holdsFilter)).sort(
    (a, b) => direction * COMPARE[order](a, b) || compareKeys(a, b),
  );
  if (shown.size >= MOST_SHOWN) shown.clear();
  shown.set(snapshot.name, { snapshot, order, descending, filter, rows });
  return rows;
}

/** Rows between heading and whatever stands below. */
export function bodyHeight(state: TopState, size: Size): number {
  const below = (state.prompt ? 1 : 0) + (state.snapshot?.full ? 1 : 0);
  return Math.max(1, size.height - 1 - below);
}

/** Cursor and window moved back into what there is, the cursor inside the window. */
export function inWindow(state: TopState, size: Size): TopState {
  const count = shownRows(state).length;
  const height = bodyHeight(state, size);
  const cursor = Math.max(0, Math.min(state.cursor, count - 1));
  let top = Math.max(0, Math.min(state.top, count - height));
  if (cursor < top) top = cursor;
  if (cursor >= top + height) top = cursor - height + 1;
  return cursor === state.cursor && top === state.top ? state : { ...state, cursor, top };
}

export function move(state: TopState, size: Size, rows: number): TopState {
  return inWindow({ ...state, cursor: Math.max(0, state.cursor + rows) }, size);
}

/** The next column to sort by; a new column starts with the direction that people mean by it. */
export function sortBy(state: TopState, step: -1 | 1): TopState {
  if (!state.map) return state;
  const all = orders(state.map);
  const at = Math.max(0, all.indexOf(state.order));
  const order = all[(at + step + all.length) % all.length] ?? state.order;
  return { ...state, order, descending: order !== "key", cursor: 0, top: 0 };
}

export function toggleExpanded(state: TopState, size: Size): TopState {
  const row = shownRows(state)[state.cursor];
  if (!row) return state;
  const expanded = new Set(state.expanded);
  if (!expanded.delete(rowId(row))) expanded.add(rowId(row));
  return inWindow({ ...state, expanded }, size);
}

export function withFilter(state: TopState, size: Size, prompt: Field | undefined): TopState {
  const filter = prompt ? prompt.text : state.filter;
  return inWindow({ ...state, prompt, filter }, size);
}

export function openFilter(state: TopState): TopState {
  return { ...state, prompt: fieldOf(state.filter) };
}

export function nextMap(state: TopState, step: -1 | 1): TopState {
  const at = state.maps.findIndex((it) => it.name === state.map?.name);
  const map = state.maps[(at + step + state.maps.length) % state.maps.length];
  if (!map || map.name === state.map?.name) return state;
  return { ...init({ map }), maps: state.maps, owners: state.owners, size: state.size };
}

/** Rows come in steps, so that scrolling does not change the request with every key. */
const STEP = 50;
const MOST_ROWS = 1000;

export function wants(state: TopState, size: Size): ViewRequest | undefined {
  if (!state.map) return undefined;
  const needed = state.top + Math.max(1, size.height) + 10;
  return {
    map: state.map.name,
    rows: Math.min(MOST_ROWS, Math.ceil(needed / STEP) * STEP),
    order: state.order,
    descending: state.descending,
    ...(state.filter === "" ? {} : { filter: state.filter }),
  };
}
