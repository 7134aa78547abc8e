/** The event pane's keys. */
import type { PaneKey, Size, Update } from "../pane.ts";
import { editField, FIELD_CHORDS } from "../prompt/field.ts";
import { lineText, sanitize } from "../text/index.ts";
import { entrySpans } from "./log.ts";
import {
  bodyHeight,
  type EventsState,
  findNext,
  following,
  hold,
  INITIAL,
  openPrompt,
  scroll,
  shownEntries,
  toggleOwners,
  windowTop,
  withField,
} from "./state.ts";

const prompting = (state: EventsState) => state.prompt !== undefined;
const reading = (state: EventsState) => state.prompt === undefined;
const searched = (state: EventsState) => reading(state) && state.search !== "";

function next(state: EventsState, size: Size, direction: -1 | 1): Update<EventsState> {
  const found = findNext(state, size, direction);
  if (found) return { state: found };
  const text = `no match for "${sanitize(state.search)}"`;
  return { state, effects: [{ type: "message", text, level: "warning" }] };
}

function accept(state: EventsState, size: Size): Update<EventsState> {
  const prompt = state.prompt!;
  const closed = { ...state, prompt: undefined };
  if (prompt.for === "filter") return { state: { ...closed, filter: prompt.field.text } };
  const search = prompt.field.text === "" ? state.search : prompt.field.text;
  return search === "" ? { state: closed } : next({ ...closed, search, hit: undefined }, size, -1);
}

function cancel(state: EventsState): Update<EventsState> {
  const filter = state.prompt?.for === "filter" ? "" : state.filter;
  return { state: { ...state, prompt: undefined, filter } };
}

function copy(state: EventsState, size: Size): Update<EventsState> {
  const entries = shownEntries(state);
  const from = windowTop(state, size);
  const hit = entries.find((entry) => entry.number === state.hit);
  const lines = hit ? [hit] : entries.slice(from, from + bodyHeight(state, size));
  const text = lines
    .filter((entry) => entry.kind !== "skipped")
    .map((entry) => lineText(entrySpans(entry)))
    .join("\n");
  const message = { type: "message", text: `copied ${lines.length} lines`, level: "info" } as const;
  return { state, effects: [{ type: "copy", text }, message] };
}

export const keys: PaneKey<EventsState>[] = [
  {
    keys: ["enter"],
    command: "events.accept",
    help: "search or filter for what was typed",
    footer: "find",
    when: prompting,
    run: (state, _key, size) => accept(state, size),
  },
  {
    keys: ["escape"],
    command: "events.cancel",
    help: "leave the search or clear the filter",
    footer: "cancel",
    when: prompting,
    run: cancel,
  },
  {
    keys: [...FIELD_CHORDS],
    command: "events.edit-pattern",
    help: "edit what is being typed",
    when: prompting,
    run: (state, key) => ({ state: withField(state, editField(state.prompt!.field, key)) }),
  },
  {
    keys: ["/"],
    command: "events.search",
    help: "search, from the newest line back",
    footer: "search",
    when: reading,
    run: (state) => ({ state: openPrompt(state, "search") }),
  },
  {
    keys: ["n"],
    command: "events.next-match",
    help: "go to the next older match",
    footer: "older",
    when: searched,
    run: (state, _key, size) => next(state, size, -1),
  },
  {
    keys: ["N"],
    command: "events.previous-match",
    help: "go to the next newer match",
    footer: "newer",
    when: searched,
    run: (state, _key, size) => next(state, size, 1),
  },
  {
    keys: ["&"],
    command: "events.filter",
    help: "show only the lines that hold a text",
    footer: "filter",
    when: reading,
    run: (state) => ({ state: openPrompt(state, "filter") }),
  },
  {
    keys: ["c"],
    command: "events.containers",
    help: "show or hide the container of each process, or its unit",
    footer: "container",
    when: (state) => reading(state) && Math.max(state.log.widths.container, state.log.widths.unit) > 0,
    run: (state, _key, size) => ({ state: toggleOwners(state, size) }),
  },
  {
    keys: ["f"],
    command: "events.follow",
    help: "hold the window, or follow the newest line",
    footer: "follow",
    when: reading,
    run: (state, _key, size) => ({ state: state.follow ? hold(state, size) : following(state) }),
  },
  {
    keys: ["t"],
    command: "events.times",
    help: "show or hide the times",
    footer: "times",
    when: reading,
    run: (state) => ({ state: { ...state, times: !state.times } }),
  },
  {
    keys: ["up", "k"],
    command: "events.up",
    help: "scroll back by a line",
    when: reading,
    run: (state, _key, size) => ({ state: scroll(state, size, -1) }),
  },
  {
    keys: ["down", "j"],
    command: "events.down",
    help: "scroll forward by a line",
    when: reading,
    run: (state, _key, size) => ({ state: scroll(state, size, 1) }),
  },
  {
    keys: ["pageup", "ctrl-b"],
    command: "events.page-up",
    help: "scroll back by a page",
    when: reading,
    run: (state, _key, size) => ({ state: scroll(state, size, 1 - bodyHeight(state, size)) }),
  },
  {
    keys: ["pagedown", "ctrl-f"],
    command: "events.page-down",
    help: "scroll forward by a page",
    when: reading,
    run: (state, _key, size) => ({ state: scroll(state, size, bodyHeight(state, size) - 1) }),
  },
  {
    keys: ["home", "g"],
    command: "events.oldest",
    help: "go to the oldest line that is kept",
    when: reading,
    run: (state, _key, size) => ({ state: scroll(state, size, Number.NEGATIVE_INFINITY) }),
  },
  {
    keys: ["end", "G"],
    command: "events.newest",
    help: "go to the newest line and follow",
    when: reading,
    run: (state) => ({ state: following(state) }),
  },
  {
    keys: ["left"],
    command: "events.left",
    help: "scroll to the left",
    when: reading,
    run: (state) => ({ state: { ...state, left: Math.max(0, state.left - 8) } }),
  },
  {
    keys: ["right"],
    command: "events.right",
    help: "scroll to the right",
    when: reading,
    run: (state) => ({ state: { ...state, left: state.left + 8 } }),
  },
  {
    keys: ["y"],
    command: "events.copy",
    help: "copy the match, or the lines in the window",
    when: reading,
    run: (state, _key, size) => copy(state, size),
  },
  {
    keys: ["C"],
    command: "events.clear",
    help: "forget the lines so far",
    when: reading,
    run: (state) => ({
      state: { ...INITIAL, size: state.size, times: state.times, filter: state.filter, search: state.search },
    }),
  },
];
