/** What the event pane keeps: the log, where its window stands, and what is searched and filtered. */
import type { PaneEvent, Size } from "../pane.ts";
import { type Field, fieldOf } from "../prompt/field.ts";
import { matches } from "../prompt/pattern.ts";
import { append, EMPTY_LOG, type Entry, filterEntries, type Log } from "./log.ts";
import type { Sequence } from "./tail.ts";

export interface EventsState {
  log: Log;
  /** Stays at the newest line. */
  follow: boolean;
  /** Number of the entry at the top of the window; what `follow` overrides. */
  top: number;
  /** Cells scrolled to the right. */
  left: number;
  times: boolean;
  /** The column that says whose a line is: by itself once one is a container's; or as the user wants it. */
  owners: "auto" | "shown" | "hidden";
  filter: string;
  search: string;
  /** Number of the entry that the search stands on. */
  hit: number | undefined;
  prompt: { for: "filter" | "search"; field: Field } | undefined;
  /** Entries that came while the window was held. */
  unseen: number;
  size: Size;
}

export const INITIAL: EventsState = {
  log: EMPTY_LOG,
  follow: true,
  top: 0,
  left: 0,
  times: false,
  owners: "auto",
  filter: "",
  search: "",
  hit: undefined,
  prompt: undefined,
  unseen: 0,
  size: { width: 80, height: 10 },
};

export function reduce(state: EventsState, event: PaneEvent): EventsState {
  switch (event.type) {
    case "shape":
      return {
        ...INITIAL,
        size: state.size,
        times: state.times,
        owners: state.owners,
        filter: state.filter,
        search: state.search,
      };
    case "size":
      return { ...state, size: event.size };
    case "output": {
      const log = append(state.log, event.lines, event.skipped);
      const unseen = state.follow ? 0 : state.unseen + (log.next - state.log.next);
      return { ...state, log, unseen };
    }
    default:
      return state;
  }
}

let lastFiltered: { entries: Sequence<Entry>; filter: string; result: Sequence<Entry> } | undefined;

/** The entries that pass the filter. The last answer is kept: view, title and keys ask for the same one. */
export function shownEntries(state: EventsState): Sequence<Entry> {
  const { entries } = state.log;
  if (lastFiltered?.entries !== entries || lastFiltered.filter !== state.filter) {
    lastFiltered = { entries, filter: state.filter, result: filterEntries(entries, state.filter) };
  }
  return lastFiltered.result;
}

const WIDEST_OWNER = 24;

/** Cells of the column of owners, without the space behind it; 0: it is not shown. Units only when asked for. */
export function ownerWidth({ owners, log }: EventsState, { width }: Size): number {
  const { container, unit } = log.widths;
  const wanted = owners === "hidden" ? 0 : owners === "shown" ? Math.max(container, unit) : container;
  return Math.min(wanted, WIDEST_OWNER, width >> 2);
}

export function toggleOwners(state: EventsState, size: Size): EventsState {
  return { ...state, owners: ownerWidth(state, size) > 0 ? "hidden" : "shown" };
}

export function bodyHeight(state: EventsState, size: Size): number {
  return Math.max(1, size.height - (state.prompt ? 1 : 0));
}

/** Index of the first entry whose number is at least `number`. */
function indexOfNumber(entries: Sequence<Entry>, number: number): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (entries.at(middle)!.number < number) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Index into the shown entries of the window's first line. */
export function windowTop(state: EventsState, size: Size): number {
  const entries = shownEntries(state);
  const last = Math.max(0, entries.length - bodyHeight(state, size));
  return state.follow ? last : Math.min(last, indexOfNumber(entries, state.top));
}

/** The window moved by some lines; reaching the newest line follows again. */
export function scroll(state: EventsState, size: Size, lines: number): EventsState {
  const entries = shownEntries(state);
  const last = Math.max(0, entries.length - bodyHeight(state, size));
  const top = Math.max(0, Math.min(last, windowTop(state, size) + lines));
  if (top === last && lines > 0) return following(state);
  if (lines < 0 && last === 0) return state;
  return { ...state, follow: false, top: entries.at(top)?.number ?? 0 };
}

export function following(state: EventsState): EventsState {
  return { ...state, follow: true, unseen: 0 };
}

export function hold(state: EventsState, size: Size): EventsState {
  const entries = shownEntries(state);
  return { ...state, follow: false, top: entries.at(windowTop(state, size))?.number ?? state.log.next };
}

/**
 * The next match in a direction (−1: older), around the ends; the window is held with the match inside. A first search
 * starts from the newest line of the window.
 */
export function findNext(state: EventsState, size: Size, direction: -1 | 1): EventsState | undefined {
  const entries = shownEntries(state);
  if (state.search === "" || entries.length === 0) return undefined;
  const height = bodyHeight(state, size);
  const top = windowTop(state, size);
  const bottom = Math.min(entries.length, top + height);
  const from =
    state.hit === undefined ? (direction < 0 ? bottom : top - 1) : indexOfNumber(entries, state.hit);
  for (let step = 1; step <= entries.length; step++) {
    const index = (from + direction * step + entries.length * 2) % entries.length;
    const entry = entries.at(index)!;
    if (entry.kind === "skipped" || !matches(entry.text, state.search)) continue;
    const inside = index >= top && index < top + height;
    const newTop = inside ? top : Math.max(0, Math.min(index - (height >> 1), entries.length - height));
    return { ...state, hit: entry.number, follow: false, top: entries.at(newTop)!.number };
  }
  return undefined;
}

export function openPrompt(state: EventsState, kind: "filter" | "search"): EventsState {
  return { ...state, prompt: { for: kind, field: fieldOf(kind === "filter" ? state.filter : "") } };
}

/** The text in the prompt as it stands: a filter acts while it is typed. */
export function withField(state: EventsState, field: Field): EventsState {
  if (!state.prompt) return state;
  const next = { ...state, prompt: { ...state.prompt, field } };
  return state.prompt.for === "filter" ? { ...next, filter: field.text } : next;
}
