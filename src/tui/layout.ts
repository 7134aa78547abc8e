/**
 * Where panes go: a pure function of the screen's size, the panes, the focus and zoom.
 *
 *   row 0            header
 *   row 1            tabs, while data panes are out of sight
 *   ……               panes: a main column (editor, library) beside a grid of data panes
 *   last row         footer
 *
 * A screen shows as many panes as stay readable; the focused one is always among them, the others are reached by Tab
 * or by their number.
 */
import type { PaneKind } from "../panes/pane.ts";

export interface Rect {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Whether two lists have the same rectangles under the same names. */
export function samePlaces(
  some: readonly (Rect & { id: string })[],
  others: readonly (Rect & { id: string })[],
): boolean {
  return (
    some.length === others.length &&
    some.every(({ id, x, y, width, height }, i) => {
      const other = others[i];
      return (
        id === other.id && x === other.x && y === other.y && width === other.width && height === other.height
      );
    })
  );
}

export interface LayoutPane {
  id: string;
  kind: PaneKind;
}

export interface LayoutInput {
  columns: number;
  rows: number;
  panes: readonly LayoutPane[];
  focus: string | undefined;
  zoom: boolean;
  /** Rows above the footer that something else takes. */
  reserved?: number;
}

export interface Layout {
  header: Rect;
  footer: Rect;
  /** All panes by number and name, so that those out of sight can be found. */
  tabs: Rect | undefined;
  /** The panes that show, outer rectangles including their frames, in the order of the panes. */
  panes: { id: string; rect: Rect }[];
}

/** Below this a pane shows nothing worth reading; where there is a choice, data panes get more. */
const LEAST = { width: 36, height: 7 };
const GOOD_DATA_HEIGHT = 9;
const TINY = { columns: 24, rows: 6 };
/** On a lower screen the panes need the row that tabs would take. */
const TABS_FROM = 16;

/** From this width on the main column stands beside the data panes, below it above them. */
const BESIDE = 110;

const MAIN: ReadonlySet<PaneKind> = new Set(["editor", "library"]);

/** How much of the height of a column each kind would like. */
const APPETITE: Record<PaneKind, number> = {
  editor: 3,
  library: 3,
  histogram: 4,
  top: 3,
  chart: 2,
  events: 2,
};

type Place = (panes: readonly LayoutPane[], column: Rect) => void;

export function isTooSmall(columns: number, rows: number): boolean {
  return columns < TINY.columns || rows < TINY.rows;
}

export function layout({ columns, rows, panes, focus, zoom, reserved = 0 }: LayoutInput): Layout {
  const header = { x: 0, y: 0, width: columns, height: 1 };
  const footer = { x: 0, y: rows - 1, width: columns, height: 1 };
  const area = { x: 0, y: 1, width: columns, height: Math.max(0, rows - 2 - reserved) };
  const focused = panes.find(({ id }) => id === focus) ?? panes[0];
  if (!focused || isTooSmall(columns, rows)) return { header, footer, tabs: undefined, panes: [] };
  const all = placeAll(panes, focused, zoom, area);
  const isHidden = ({ id, kind }: LayoutPane) => !MAIN.has(kind) && !all.some((it) => it.id === id);
  if (rows < TABS_FROM || !panes.some(isHidden)) return { header, footer, tabs: undefined, panes: all };
  const below = { ...area, y: area.y + 1, height: area.height - 1 };
  return {
    header,
    footer,
    tabs: { ...area, height: 1 },
    panes: placeAll(panes, focused, zoom, below),
  };
}

function placeAll(
  panes: readonly LayoutPane[],
  focused: LayoutPane,
  zoom: boolean,
  area: Rect,
): Layout["panes"] {
  if (zoom) return [{ id: focused.id, rect: area }];
  const placed = new Map<string, Rect>();
  const place: Place = (list, column) => {
    for (const { id, rect } of stack(list, column)) placed.set(id, rect);
  };
  const arrange = area.width < 2 * LEAST.width ? oneColumn : area.width < BESIDE ? above : beside;
  arrange(panes, focused, area, place);
  return panes.filter(({ id }) => placed.has(id)).map(({ id }) => ({ id, rect: placed.get(id)! }));
}

/** Narrow: as many panes as are readable, one under the other. */
function oneColumn(panes: readonly LayoutPane[], focused: LayoutPane, area: Rect, place: Place): void {
  place(around(panes, focused, Math.max(1, Math.floor(area.height / LEAST.height))), area);
}

/** 80×24: one main pane over a row of data panes. The main pane grows while it has the focus. */
function above(panes: readonly LayoutPane[], focused: LayoutPane, area: Rect, place: Place): void {
  const { main, data } = divide(panes, focused);
  const isMain = MAIN.has(focused.kind);
  if (main.length === 0 || data.length === 0 || area.height < 2 * LEAST.height) {
    const rowsOf = Math.max(1, Math.floor(area.height / LEAST.height));
    const shown = data.length === 0 ? main.slice(0, 1) : around(isMain ? main : data, focused, 2 * rowsOf);
    splitColumns(shown, area, place, 2);
    return;
  }
  const share = isMain ? 0.52 : 0.34;
  const height = Math.max(
    LEAST.height,
    Math.min(Math.round(area.height * share), area.height - LEAST.height),
  );
  place(main.slice(0, 1), { ...area, height });
  const rest = { ...area, y: area.y + height, height: area.height - height };
  const each = Math.max(1, Math.floor(rest.height / GOOD_DATA_HEIGHT));
  splitColumns(isMain ? data.slice(0, 2 * each) : around(data, focused, 2 * each), rest, place, 2);
}

/** Wide: a main column, and the data panes in one column to three. */
function beside(panes: readonly LayoutPane[], focused: LayoutPane, area: Rect, place: Place): void {
  const { main, data } = divide(panes, focused);
  if (data.length === 0) {
    place(main.slice(0, 1), area);
    return;
  }
  const each = Math.max(1, Math.floor(area.height / GOOD_DATA_HEIGHT));
  const most = area.width >= 260 ? 3 : area.width >= 150 ? 2 : 1;
  const columns = Math.max(1, Math.min(most, data.length <= 2 ? 1 : 2 + Math.floor(data.length / 7)));
  const room = columns * each;
  const shown = MAIN.has(focused.kind) ? data.slice(0, room) : around(data, focused, room);
  const width = main.length === 0 ? 0 : Math.round(area.width * (columns > 1 ? 0.34 : 0.45));
  if (width > 0) place(main.slice(0, 1), { ...area, width });
  splitColumns(shown, { ...area, x: area.x + width, width: area.width - width }, place, columns);
}

/** Main panes, the focused one first, and data panes. */
function divide(
  panes: readonly LayoutPane[],
  focused: LayoutPane,
): { main: LayoutPane[]; data: LayoutPane[] } {
  const main = panes.filter(({ kind }) => MAIN.has(kind));
  if (main.includes(focused)) main.sort((a, b) => Number(b === focused) - Number(a === focused));
  return { main, data: panes.filter(({ kind }) => !MAIN.has(kind)) };
}

/** A window of `count` panes that holds the focused one and moves as little as possible. */
function around(panes: readonly LayoutPane[], focused: LayoutPane, count: number): LayoutPane[] {
  const at = panes.indexOf(focused);
  const start = Math.max(0, Math.min(at - count + 1, panes.length - count));
  return at < count ? panes.slice(0, count) : panes.slice(start, start + count);
}

/** Spreads panes over at most `most` columns, the first ones taking the odd pane. */
function splitColumns(panes: readonly LayoutPane[], area: Rect, place: Place, most: number): void {
  const columns = Math.max(1, Math.min(most, panes.length, Math.floor(area.width / LEAST.width)));
  let from = 0;
  for (let i = 0; i < columns; i++) {
    const count = Math.ceil((panes.length - from) / (columns - i));
    const x = area.x + Math.round((area.width * i) / columns);
    const end = area.x + Math.round((area.width * (i + 1)) / columns);
    place(panes.slice(from, from + count), { ...area, x, width: end - x });
    from += count;
  }
}

/** One column, heights by appetite, each at least LEAST where that is possible. */
function stack(panes: readonly LayoutPane[], column: Rect): { id: string; rect: Rect }[] {
  const least = Math.min(LEAST.height, Math.floor(column.height / Math.max(1, panes.length)));
  const spare = column.height - least * panes.length;
  const total = panes.reduce((sum, { kind }) => sum + APPETITE[kind], 0);
  let y = column.y;
  let eaten = 0;
  return panes.map(({ id, kind }, index) => {
    eaten += APPETITE[kind];
    const bottom = column.y + least * (index + 1) + Math.round((spare * eaten) / total);
    const rect = { ...column, y, height: bottom - y };
    y = bottom;
    return { id, rect };
  });
}
