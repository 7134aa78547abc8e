/** The columns of a table: keys by what they are, values by the kind of the map, widths by what there is room for. */
import type { MapKind, MapShape, RowSnapshot } from "../../engine/protocol.ts";
import { percent, sanitize, shortNumber, shortRate, textWidth } from "../text/index.ts";
import { fullValue, shortFrame, shortValue, stackFrames, type Unit } from "../values/index.ts";

export type Order = "key" | "value" | "rate";

export interface RowContext {
  unit: Unit;
  unicode: boolean;
  /** Of the whole map. */
  sum: number;
}

export interface ValueColumn {
  heading: string;
  order?: Order;
  /** The last to go when there is no room has the lowest number. */
  priority: number;
  /** Keeps columns from jumping while numbers grow. */
  minWidth: number;
  text(row: RowSnapshot, context: RowContext): string;
}

function valueColumn(heading: string): ValueColumn {
  return {
    heading,
    order: "value",
    priority: 0,
    minWidth: 7,
    text: (row, { unit, unicode }) => fullValue(row.value, unit, unicode),
  };
}

const RATE: ValueColumn = {
  heading: "RATE",
  order: "rate",
  priority: 1,
  minWidth: 7,
  text: (row, { unit, unicode }) => {
    const rate = row.rate >= 10 ? Math.round(row.rate) : row.rate;
    if (unit === "none") return shortRate(rate);
    return Math.abs(rate) < 0.05 ? "" : `${shortValue(rate, unit, unicode)}/s`;
  },
};

const SHARE: ValueColumn = {
  heading: "%",
  priority: 4,
  minWidth: 5,
  text: (row, { sum }) => (sum > 0 ? percent((row.value / sum) * 100) : ""),
};

const COUNT: ValueColumn = {
  heading: "COUNT",
  priority: 2,
  minWidth: 6,
  text: (row) => (row.count === undefined ? "" : shortNumber(row.count)),
};

const AVERAGE: ValueColumn = {
  heading: "AVG",
  priority: 1,
  minWidth: 7,
  text: (row, { unit, unicode }) =>
    row.average === undefined ? "" : shortValue(Math.round(row.average * 10) / 10, unit, unicode),
};

const TOTAL: ValueColumn = {
  heading: "TOTAL",
  priority: 3,
  minWidth: 7,
  text: (row, { unit, unicode }) => (row.total === undefined ? "" : shortValue(row.total, unit, unicode)),
};

/** As bpftrace prints it: strings, tuples, enums, integers that carry a meaning of their own. */
const TEXT: ValueColumn = {
  heading: "VALUE",
  order: "value",
  priority: 0,
  minWidth: 7,
  text: (row) => sanitize(row.text.replace(/\s*\n\s*/g, " ").trim()),
};

const INTEGER: ValueColumn = {
  ...TEXT,
  text: (row, context) =>
    context.unit === "none" ? TEXT.text(row, context) : fullValue(row.value, context.unit, context.unicode),
};

const VALUE_COLUMNS: Record<MapKind, ValueColumn[]> = {
  count: [valueColumn("COUNT"), RATE, SHARE],
  sum: [valueColumn("SUM"), RATE, SHARE],
  avg: [{ ...AVERAGE, order: "value", priority: 0 }, COUNT, TOTAL],
  stats: [{ ...AVERAGE, order: "value", priority: 0 }, COUNT, TOTAL],
  min: [valueColumn("MIN")],
  max: [valueColumn("MAX")],
  hist: [valueColumn("COUNT"), RATE, SHARE],
  lhist: [valueColumn("COUNT"), RATE, SHARE],
  tseries: [TEXT],
  integer: [INTEGER, RATE],
  string: [TEXT],
  other: [TEXT],
};

/** Kinds whose values compare as lengths. */
const WITH_BAR: ReadonlySet<MapKind> = new Set([
  "count",
  "sum",
  "avg",
  "stats",
  "min",
  "max",
  "hist",
  "lhist",
  "integer",
]);

export function valueColumns(kind: MapKind): ValueColumn[] {
  return VALUE_COLUMNS[kind] ?? [TEXT];
}

/** What a table can be sorted by, in the order of its columns. */
export function orders(map: MapShape): Order[] {
  const byValue = valueColumns(map.kind).flatMap((column) => column.order ?? []);
  return map.keys.length > 0 ? ["key", ...byValue] : byValue;
}

export interface KeyColumn {
  heading: string;
  stack: boolean;
  right: boolean;
}

/** The engine names columns by what the script writes in the brackets: "comm", "args.filename", "$error", "name($x)". */
export function headingOf(what: string): string {
  // A value that the script looked up: "@_pid[$tid]".
  const map = /^@_?(\w+)\[.*\]$/.exec(what);
  const call = /^(?:(?:str|ntop|ksym|usym|username)\((.*)\)|(\w+)\(.*\))$/.exec(what);
  const name = (map?.[1] ?? call?.[1] ?? call?.[2] ?? what).replace(/^args(?:\.|->)/, "").replace(/^\$/, "");
  return /^(int|string|other|tuple|record)$/.test(name) ? "KEY" : name.toUpperCase();
}

const INTEGER_TEXT = /^-?(?:\d+|0x[0-9a-f]+)$/;

/** `cells`: the texts of each column; columns of numbers stand to the right. */
export function keyColumns(keys: readonly string[], cells: readonly (readonly string[])[]): KeyColumn[] {
  return keys.map((what, i) => ({
    heading: headingOf(what),
    stack: /^[ku]?stack/.test(what),
    right: cells[i].length > 0 && cells[i].every((text) => INTEGER_TEXT.test(text)),
  }));
}

const FRAMES_IN_CELL = 8;
const CALLED_BY = { unicode: " ← ", ascii: " < " };

/** A stack in one cell: its first functions, innermost first. Opened rows have the whole of it. */
export function keyCell(column: KeyColumn, text: string, unicode: boolean): string {
  if (!column.stack && !text.includes("\n")) return sanitize(text);
  const frames = stackFrames(text, FRAMES_IN_CELL).map((frame) => sanitize(shortFrame(frame)));
  if (frames.length === 0) return "(no stack)";
  return frames.join(unicode ? CALLED_BY.unicode : CALLED_BY.ascii);
}

const LEAST_PREFIX = 6;

/** What cells begin with alike, up to the last place where such a beginning may end. */
function commonPrefix(cells: readonly string[], ends: RegExp): string {
  let prefix = cells[0] ?? "";
  for (const cell of cells) while (!cell.startsWith(prefix)) prefix = prefix.slice(0, -1);
  prefix = ends.exec(prefix)?.[0] ?? "";
  return cells.length < 2 || prefix.length < LEAST_PREFIX ? "" : prefix;
}

const without = (prefix: string, cells: readonly string[], unicode: boolean) =>
  prefix === ""
    ? undefined
    : cells.map((cell) =>
        cell.startsWith(prefix) ? (unicode ? "…" : "~") + cell.slice(prefix.length) : cell,
      );

/** Cells that begin alike tell nothing by it: "tracepoint:syscalls:sys_enter_read" → "…read". */
export function withoutPrefix(cells: readonly string[], unicode: boolean): string[] | undefined {
  return without(commonPrefix(cells, /^.*[:/_.]/), cells, unicode);
}

/** The same for stacks, if most begin alike: "__schedule ← schedule ← io_schedule" → "…io_schedule". */
export function withoutFirstFrames(cells: readonly string[], unicode: boolean): string[] | undefined {
  const separator = unicode ? CALLED_BY.unicode : CALLED_BY.ascii;
  const [first] = (cells[0] ?? "").split(separator, 1);
  const alike = cells.filter((cell) => cell.startsWith(first + separator));
  if (alike.length * 2 < cells.length) return undefined;
  return without(commonPrefix(alike, /^.* (?:\u2190|<) /), cells, unicode);
}

export interface Layout {
  keys: number[];
  /** Which value columns are drawn, with their widths. */
  values: { column: ValueColumn; width: number }[];
  bar: number;
}

const GAP = 1;
const MIN_BAR = 6;
const MAX_BAR = 40;
const MIN_KEY = 4;

/** Value columns keep their width, keys share the rest, a bar takes what is left; the least important go first. */
export function layout(
  width: number,
  keyWants: number[],
  values: Layout["values"],
  kind: MapKind,
  stacks: boolean,
): Layout {
  const keyGaps = Math.max(0, keyWants.length - 1) * GAP;
  const keyLeast = keyWants.reduce((sum, want) => sum + Math.min(want, MIN_KEY * 3), 0) + keyGaps;
  // Stacks need the room that shares would take.
  const kept = values.filter(({ column }) => !(stacks && width < 100 && column.priority >= SHARE.priority));
  const used = () => kept.reduce((sum, it) => sum + it.width + GAP, 0);
  while (kept.length > 1 && used() + keyLeast > width) {
    const last = kept.reduce((a, b) => (b.column.priority > a.column.priority ? b : a));
    if (last.column.priority === 0) break;
    kept.splice(kept.indexOf(last), 1);
  }
  const room = Math.max(0, width - used() - keyGaps);
  const wanted = keyWants.reduce((sum, want) => sum + want, 0);
  const withBar = WITH_BAR.has(kind) && width >= 36 && !(stacks && width < 80);
  const wideBar = withBar ? Math.max(MIN_BAR, Math.floor(width / 5)) + GAP : 0;
  // Narrow tables show their keys in full rather than a bar.
  const leastBar = withBar && width >= 50 ? MIN_BAR + GAP : 0;
  const barWish = wanted + wideBar <= room ? wideBar : leastBar;
  const forKeys = Math.max(room - barWish, Math.floor(room * 0.6));
  const keys = share(keyWants, Math.min(forKeys, wanted));
  const left = room - keys.reduce((sum, it) => sum + it, 0);
  const bar = WITH_BAR.has(kind) && left - GAP >= MIN_BAR ? Math.min(MAX_BAR, left - GAP) : 0;
  if (bar === 0 && wanted > forKeys) return { keys: share(keyWants, room), values: kept, bar: 0 };
  return { keys, values: kept, bar };
}

/** Widths that sum up to at most `room`; the widest give way. */
function share(wants: number[], room: number): number[] {
  const widths = [...wants];
  let over = widths.reduce((sum, it) => sum + it, 0) - room;
  while (over > 0) {
    const widest = Math.max(...widths);
    if (widest <= 1) break;
    const second = Math.max(0, ...widths.filter((it) => it < widest));
    const many = widths.filter((it) => it === widest).length;
    const cut = Math.max(1, Math.min(widest - Math.max(second, 1), Math.ceil(over / many)));
    for (let i = 0; i < widths.length && over > 0; i++) {
      if (widths[i] !== widest) continue;
      const taken = Math.min(cut, over);
      widths[i] -= taken;
      over -= taken;
    }
  }
  return widths;
}

/** The widest text of a column, up to `limit`. */
export function widest(texts: string[], heading: string, limit: number): number {
  let width = textWidth(heading) + 1;
  for (const text of texts) width = Math.max(width, textWidth(text));
  return Math.min(width, limit);
}
