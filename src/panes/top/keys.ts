/** The top pane's keys. */

import type { PaneKey, Size, Update } from "../pane.ts";
import { editField, FIELD_CHORDS, fieldOf } from "../prompt/field.ts";
import { lineText, sanitizeSpans } from "../text/index.ts";
import {
  bodyHeight,
  inWindow,
  move,
  nextMap,
  openFilter,
  shownRows,
  sortBy,
  type TopState,
  toggleExpanded,
  toggleOwners,
  withFilter,
} from "./state.ts";

const prompting = (state: TopState) => state.prompt !== undefined;
const reading = (state: TopState) => state.prompt === undefined;
const keyed = (state: TopState) => reading(state) && (state.map?.keys.length ?? 0) > 0;
const several = (state: TopState) => reading(state) && state.maps.length > 1;

const FILTER_CHORDS = FIELD_CHORDS.filter((chord) => chord !== "up" && chord !== "down");

function copy(state: TopState): Update<TopState> {
  const row = shownRows(state)[state.cursor];
  if (!row) return { state };
  const text = [...row.key, row.text].map((part) => lineText(sanitizeSpans(part.trim()))).join("\t");
  return {
    state,
    effects: [
      { type: "copy", text },
      { type: "message", text: "copied the row", level: "info" },
    ],
  };
}

const by =
  (rows: (state: TopState, size: Size) => number) => (state: TopState, _key: unknown, size: Size) => ({
    state: move(state, size, rows(state, size)),
  });

export const keys: PaneKey<TopState>[] = [
  {
    keys: ["enter"],
    command: "top.accept-filter",
    help: "keep the filter",
    footer: "keep",
    when: prompting,
    run: (state, _key, size) => ({ state: inWindow({ ...state, prompt: undefined }, size) }),
  },
  {
    keys: ["escape"],
    command: "top.clear-filter",
    help: "clear the filter",
    footer: "clear",
    when: prompting,
    run: (state, _key, size) => ({ state: { ...withFilter(state, size, fieldOf("")), prompt: undefined } }),
  },
  {
    keys: FILTER_CHORDS,
    command: "top.edit-filter",
    help: "edit the filter",
    when: prompting,
    run: (state, key, size) => ({ state: withFilter(state, size, editField(state.prompt!, key)) }),
  },
  {
    keys: ["right"],
    command: "top.sort-next",
    help: "sort by the next column",
    footer: "sort",
    when: reading,
    run: (state) => ({ state: sortBy(state, 1) }),
  },
  {
    keys: ["left"],
    command: "top.sort-previous",
    help: "sort by the column before",
    when: reading,
    run: (state) => ({ state: sortBy(state, -1) }),
  },
  {
    keys: ["r"],
    command: "top.reverse",
    help: "reverse the order",
    footer: "reverse",
    when: reading,
    run: (state, _key, size) => ({
      state: inWindow({ ...state, descending: !state.descending, cursor: 0, top: 0 }, size),
    }),
  },
  {
    keys: ["/"],
    command: "top.filter",
    help: "show only keys that hold a text",
    footer: "filter",
    when: reading,
    run: (state) => ({ state: openFilter(state) }),
  },
  {
    keys: ["enter"],
    command: "top.expand",
    help: "open or close a row: its stack, or its key in full",
    footer: "open",
    when: keyed,
    run: (state, _key, size) => ({ state: toggleExpanded(state, size) }),
  },
  {
    keys: ["c"],
    command: "top.containers",
    help: "show or hide the container of each process, or its unit",
    footer: "container",
    when: (state) => reading(state) && (state.snapshot?.rows.some(({ container }) => container) ?? false),
    run: (state) => ({ state: toggleOwners(state) }),
  },
  {
    keys: ["m"],
    command: "top.next-map",
    help: "show the next map",
    footer: "map",
    when: several,
    run: (state) => ({ state: nextMap(state, 1) }),
  },
  {
    keys: ["M"],
    command: "top.previous-map",
    help: "show the map before",
    when: several,
    run: (state) => ({ state: nextMap(state, -1) }),
  },
  { keys: ["up", "k"], command: "top.up", help: "move up", run: by(() => -1) },
  { keys: ["down", "j"], command: "top.down", help: "move down", run: by(() => 1) },
  {
    keys: ["pageup", "ctrl-b"],
    command: "top.page-up",
    help: "move up by a page",
    run: by((state, size) => -bodyHeight(state, size)),
  },
  {
    keys: ["pagedown", "ctrl-f"],
    command: "top.page-down",
    help: "move down by a page",
    run: by((state, size) => bodyHeight(state, size)),
  },
  {
    keys: ["home", "g"],
    command: "top.first",
    help: "go to the first row",
    when: reading,
    run: by(() => Number.NEGATIVE_INFINITY),
  },
  {
    keys: ["end", "G"],
    command: "top.last",
    help: "go to the last row",
    when: reading,
    run: by((state) => shownRows(state).length),
  },
  { keys: ["y"], command: "top.copy", help: "copy the row", when: reading, run: copy },
];
