/** The top pane's lines. */
import type { ContainerInfo, MapShape, RowSnapshot } from "../../engine/protocol.ts";
import type { Position, Size, ViewContext } from "../pane.ts";
import { fieldLine } from "../prompt/field.ts";
import { markMatches } from "../prompt/pattern.ts";
import {
  bar,
  cutLine,
  fitLine,
  fitText,
  groupedNumber,
  type Line,
  line,
  type Span,
  sanitize,
  span,
  textWidth,
} from "../text/index.ts";
import { fullValue, shortValue, stackFrames, unitOf } from "../values/index.ts";
import {
  headingOf,
  type KeyColumn,
  keyCell,
  keyColumns,
  type Layout,
  layout,
  valueColumns,
  widest,
  withoutFirstFrames,
  withoutPrefix,
} from "./columns.ts";
import { bodyHeight, ownerText, rowId, shownRows, type TopState } from "./state.ts";

const PROMPT = "filter: ";

const SUMMED = new Set(["count", "sum", "hist", "lhist"]);

export function title(state: TopState, context: ViewContext): string {
  const { map, snapshot } = state;
  if (!map) return "top";
  const parts = [
    map.keys.length > 0
      ? `${map.name}[${map.keys.map((key) => headingOf(key).toLowerCase()).join(", ")}]`
      : map.name,
  ];
  if (snapshot) {
    if (map.keys.length > 0)
      parts.push(`${groupedNumber(snapshot.total)} ${snapshot.total === 1 ? "key" : "keys"}`);
    if (SUMMED.has(map.kind) && map.keys.length > 0) {
      parts.push(`sum ${shortValue(snapshot.sum, unitOf(map.name), context.unicode)}`);
      const rate = Math.round(snapshot.rate);
      if (rate > 0) parts.push(`${shortValue(rate, unitOf(map.name), context.unicode)}/s`);
    }
  }
  if (state.filter !== "" && !state.prompt) parts.push(`filter: ${state.filter}`);
  return parts.join(context.unicode ? " · " : " - ");
}

export function view(state: TopState, size: Size, context: ViewContext): Line[] {
  const { map, snapshot } = state;
  if (!map) return [line("no map", "dim")];
  const height = bodyHeight(state, size);
  const rows = shownRows(state);
  const table = new Table(state, map, rows.slice(state.top, state.top + height), size, context);
  const lines: Line[] = [];
  if (size.height > 1) lines.push(table.heading());
  if (rows.length === 0) {
    lines.push(line(emptyText(state), "dim"));
  }
  for (let i = 0; i < height && state.top + i < rows.length; i++) {
    const at = state.top + i;
    lines.push(table.row(rows[at], at === state.cursor && context.focused));
    if (state.expanded.has(rowId(rows[at]))) lines.push(...table.details(rows[at]));
  }
  const shown = keepCursor(state, lines, size.height > 1 ? height + 1 : height, table);
  while (shown.length < Math.min(height + 1, size.height) && (state.prompt || snapshot?.full)) shown.push([]);
  if (snapshot?.full) {
    shown.push(cutLine([span("the map is full: new keys are lost", "warning")], size.width));
  }
  if (state.prompt) shown.push(fieldLine(PROMPT, state.prompt, size.width).line);
  return shown.slice(0, Math.max(0, size.height));
}

/** Rows that are open push others down: what is above the cursor scrolls away first, the heading stays. */
function keepCursor(state: TopState, lines: Line[], height: number, table: Table): Line[] {
  const last = table.lastLineOf(state.cursor);
  if (lines.length <= height || last < height) return lines.slice(0, height);
  const first = table.firstLineOf(state.cursor);
  const skip = Math.min(first - 1, last - height + 1);
  return [lines[0], ...lines.slice(1 + skip, height + skip)];
}

function emptyText(state: TopState): string {
  if (!state.snapshot) return "waiting for the first reading";
  return state.filter === "" ? "no keys yet" : `no key holds "${sanitize(state.filter)}"`;
}

class Table {
  private readonly state: TopState;
  private readonly size: Size;
  private readonly context: ViewContext;
  private readonly keys: KeyColumn[];
  private readonly cells: Map<RowSnapshot, { keys: string[]; values: string[] }>;
  private readonly rows: RowSnapshot[];
  private readonly layout: Layout;
  private readonly most: number;

  constructor(state: TopState, map: MapShape, rows: RowSnapshot[], size: Size, context: ViewContext) {
    this.state = state;
    this.size = size;
    this.context = context;
    this.rows = rows;
    const columns = valueColumns(map.kind);
    const parts = Math.max(map.keys.length, ...rows.map((row) => row.key.length));
    const owner = ownerText(state);
    const kinds = Array.from({ length: parts }, (_, i) => map.keys[i] ?? "other");
    const heads = owner ? [...kinds, "container"] : kinds;
    const texts = heads.map((_, i) =>
      rows.map((row) => (owner && i === parts ? owner(row) : (row.key[i] ?? ""))),
    );
    this.keys = keyColumns(heads, texts);
    const rowContext = { unit: unitOf(map.name), unicode: context.unicode, sum: state.snapshot?.sum ?? 0 };
    this.cells = new Map(
      rows.map((row, at) => [
        row,
        {
          keys: this.keys.map((column, i) => keyCell(column, texts[i][at], context.unicode)),
          values: columns.map((column) => column.text(row, rowContext)),
        },
      ]),
    );
    const all = [...this.cells.values()];
    const keyWants = () =>
      this.keys.map((column, i) =>
        widest(
          all.map((it) => it.keys[i]),
          column.heading,
          Math.max(4, size.width),
        ),
      );
    const values = columns.map((column, i) => ({
      column,
      width: Math.max(
        column.minWidth,
        widest(
          all.map((it) => it.values[i]),
          column.heading,
          Math.max(column.minWidth, Math.floor(size.width / 2)),
        ),
      ),
    }));
    const stacks = this.keys.some(({ stack }) => stack);
    const wants = keyWants();
    this.layout = layout(size.width, wants, values, map.kind, stacks);
    let shortened = false;
    for (const [i, want] of wants.entries()) {
      if (want <= this.layout.keys[i]) continue;
      const shorten = this.keys[i].stack ? withoutFirstFrames : withoutPrefix;
      const short = shorten(
        all.map((it) => it.keys[i]),
        context.unicode,
      );
      if (!short) continue;
      for (const [at, cell] of short.entries()) all[at].keys[i] = cell;
      shortened = true;
    }
    if (shortened) this.layout = layout(size.width, keyWants(), values, map.kind, stacks);
    this.most = Math.max(0, ...(state.snapshot?.rows ?? []).map((row) => Math.abs(row.value)));
    this.columns = columns;
  }

  private readonly columns;

  private arrow(order: string | undefined): string {
    if (order !== this.state.order) return "";
    const [down, up] = this.context.unicode ? ["▼", "▲"] : ["v", "^"];
    return this.state.descending ? down : up;
  }

  heading(): Line {
    const keys = this.keys.map((column, i) => {
      const mark = i === 0 ? this.arrow("key") : "";
      return fitText(column.heading + mark, this.layout.keys[i], column.right ? "right" : "left", "");
    });
    const values = this.layout.values.map(({ column, width }) =>
      fitText(column.heading + this.arrow(column.order), width, "right", ""),
    );
    return [span(fitText([...keys, ...values].join(" "), this.size.width, "left", ""), "heading")];
  }

  row(row: RowSnapshot, selected: boolean): Line {
    const { keys, values } = this.cells.get(row)!;
    const spans: Span[] = [];
    keys.forEach((text, i) => {
      const { right } = this.keys[i];
      const cell = fitText(
        text,
        this.layout.keys[i],
        right ? "right" : "left",
        this.context.unicode ? "…" : "~",
      );
      spans.push(...markMatches([span(cell, "text")], this.state.filter), span(" "));
    });
    for (const { column, width } of this.layout.values) {
      const text = values[this.columns.indexOf(column)];
      const role = column.order === "rate" ? "changed" : column.priority === 0 ? "value" : "dim";
      spans.push(span(fitText(text, width, "right"), role), span(" "));
    }
    if (this.layout.bar > 0 && this.most > 0) {
      const drawn = bar(Math.abs(row.value) / this.most, this.layout.bar, this.context.unicode);
      spans.push(span(drawn, row.value < 0 ? "bar2" : "bar"));
    } else {
      spans.pop();
    }
    if (!selected) return cutLine(spans, this.size.width);
    // The bar keeps its colour: in the selection's it would be the brightest thing on the screen.
    return fitLine(
      spans.map((part) => (part.role?.startsWith("bar") ? part : span(part.text, "selected"))),
      this.size.width,
      "selected",
    );
  }

  /** What a row hides: the frames of its stacks, and keys and values in full. */
  details(row: RowSnapshot): Line[] {
    const { unicode } = this.context;
    const width = this.size.width - 4;
    const lines: Line[] = [];
    const add = (text: string, role: Span["role"]) => {
      for (const part of wrap(text, Math.max(1, width))) lines.push([span("    "), span(part, role)]);
    };
    this.keys.forEach((column, i) => {
      const text = row.key[i] ?? "";
      if (column.stack || text.includes("\n")) {
        const frames = stackFrames(text);
        if (frames.length === 0) add("(no stack)", "dim");
        for (const frame of frames) add(sanitize(frame), "function");
      } else if (textWidth(sanitize(text)) > this.layout.keys[i]) {
        add(`${column.heading.toLowerCase()}: ${sanitize(text)}`, "text");
      }
    });
    if (row.container) add(ownerFacts(row.container), "text");
    const unit = unitOf(this.state.map!.name);
    const facts = [`value: ${sanitize(row.text.trim().replace(/\s*\n\s*/g, " "))}`];
    if (row.count !== undefined) facts.push(`count: ${groupedNumber(row.count)}`);
    if (row.average !== undefined) facts.push(`average: ${fullValue(row.average, unit, unicode)}`);
    if (row.total !== undefined) facts.push(`total: ${fullValue(row.total, unit, unicode)}`);
    add(facts.join("  "), "dim");
    return lines;
  }

  firstLineOf(index: number): number {
    let at = 1;
    for (let i = this.state.top; i < index; i++) {
      const row = this.rows[i - this.state.top];
      if (row) at += 1 + (this.state.expanded.has(rowId(row)) ? this.details(row).length : 0);
    }
    return at;
  }

  lastLineOf(index: number): number {
    const row = this.rows[index - this.state.top];
    const first = this.firstLineOf(index);
    return row && this.state.expanded.has(rowId(row)) ? first + this.details(row).length : first;
  }
}

/** "container: web, docker 4f0c…, pod 8d3e…" */
function ownerFacts({ kind, name, runtime, id, pod }: ContainerInfo): string {
  const parts = [`${kind}: ${name}`];
  if (kind === "container") parts.push(runtime === "unknown" ? id : `${runtime} ${id}`);
  if (pod) parts.push(`pod ${pod}`);
  return sanitize(parts.join(", "));
}

function wrap(text: string, width: number): string[] {
  const out: string[] = [];
  let part = "";
  for (const char of text) {
    if (textWidth(part + char) > width) {
      out.push(part);
      part = "";
    }
    part += char;
  }
  return [...out, part];
}

export function cursor(state: TopState, size: Size): Position | undefined {
  if (!state.prompt) return undefined;
  return { x: fieldLine(PROMPT, state.prompt, size.width).cursor, y: size.height - 1 };
}
