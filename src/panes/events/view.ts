/** The event pane's lines. */
import type { Position, Size, ViewContext } from "../pane.ts";
import { fieldLine } from "../prompt/field.ts";
import { markMatches } from "../prompt/pattern.ts";
import {
  clockTime,
  fitLine,
  groupedNumber,
  type Line,
  line,
  type Span,
  sanitize,
  sliceLine,
  span,
} from "../text/index.ts";
import { type Entry, entrySpans } from "./log.ts";
import { bodyHeight, type EventsState, ownerWidth, shownEntries, windowTop } from "./state.ts";

const PROMPTS = { filter: "filter: ", search: "search: " };

export function title(state: EventsState, context: ViewContext): string {
  const { log, filter } = state;
  const parts = ["events"];
  if (log.received > 0) parts.push(groupedNumber(log.received));
  if (log.skipped > 0) parts.push(`${groupedNumber(log.skipped)} not shown`);
  if (filter !== "" && !state.prompt) parts.push(`filter: ${filter}`);
  if (!state.follow) parts.push(state.unseen > 0 ? `held, ${groupedNumber(state.unseen)} new` : "held");
  return parts.join(context.unicode ? " · " : " - ");
}

export function view(state: EventsState, size: Size, context: ViewContext): Line[] {
  const height = bodyHeight(state, size);
  const entries = shownEntries(state);
  const top = windowTop(state, size);
  const lines = entries.slice(top, top + height).map((entry) => entryLine(entry, state, size, context));
  if (entries.length === 0) lines.push(emptyLine(state));
  if (state.prompt) {
    while (lines.length < height) lines.push([]);
    lines.push(fieldLine(PROMPTS[state.prompt.for], state.prompt.field, size.width).line);
  }
  return lines.slice(-size.height);
}

function emptyLine(state: EventsState): Line {
  if (state.log.entries.length > 0) return line(`nothing matches "${state.filter}"`, "dim");
  return line("no output yet", "dim");
}

function entryLine(entry: Entry, state: EventsState, size: Size, context: ViewContext): Line {
  if (entry.kind === "skipped") {
    const dash = context.unicode ? "─" : "-";
    const text = ` ${groupedNumber(Number(entry.text))} lines counted, not shown `;
    return line((dash + dash + text + dash.repeat(size.width)).slice(0, size.width), "dim");
  }
  const spans = entrySpans(entry);
  const marked = state.search === "" ? spans : markMatches(spans, state.search);
  const time = state.times ? [span(timeColumn(entry), "dim")] : [];
  const ownerCells = ownerWidth(state, size);
  const owner = ownerCells > 0 ? ownerColumn(entry, state, ownerCells, context) : [];
  const current = entry.number === state.hit;
  const pointer =
    state.hit === undefined ? [] : [span(current ? (context.unicode ? "▸" : ">") : " ", "accent")];
  const room = Math.max(
    0,
    size.width - pointer.length - (state.times ? 13 : 0) - (ownerCells && ownerCells + 1),
  );
  return [...pointer, ...time, ...owner, ...sliceLine(marked, state.left, state.left + room)];
}

function ownerColumn(
  { container }: Entry,
  { owners }: EventsState,
  width: number,
  context: ViewContext,
): Span[] {
  const shown = container && (owners === "shown" || container.kind === "container");
  const name = shown ? sanitize(container.name) : "";
  return [...fitLine([span(name, "accent")], width, "accent", context.unicode ? "…" : "~"), span(" ")];
}

function timeColumn(entry: Entry): string {
  if (entry.continued) return " ".repeat(13);
  return `${clockTime(entry.time)}.${String(Math.floor(entry.time % 1000)).padStart(3, "0")} `;
}

export function cursor(state: EventsState, size: Size): Position | undefined {
  if (!state.prompt) return undefined;
  const { cursor: x } = fieldLine(PROMPTS[state.prompt.for], state.prompt.field, size.width);
  return { x, y: size.height - 1 };
}
