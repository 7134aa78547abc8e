/**
 * Where an action goes. A key belongs, in this order, to the overlay, to the deck's `always` rows, to the pane that is
 * being typed into, to the pane's own table, to the deck's table.
 */
import { chordOf, type Key, typesText } from "../panes/key.ts";
import type { Update } from "../panes/pane.ts";
import { editField, FIELD_CHORDS, type Field, fieldOf, typeInto } from "../panes/prompt/field.ts";
import { completions, runCommand } from "./commands.ts";
import { filterHelp, helpRows } from "./help.ts";
import { DECK_KEYS } from "./keys.ts";
import {
  type Action,
  type DeckState,
  type DeckUpdate,
  focusedSlot,
  type Overlay,
  type Slot,
} from "./state.ts";
import {
  applyEffects,
  askViews,
  broadcast,
  done,
  focusOn,
  layoutOf,
  onEngine,
  placePanes,
  startRun,
} from "./update.ts";

const HISTORY_LENGTH = 200;

export function reduce(state: DeckState, action: Action): DeckUpdate {
  return askViews(reduceAction(state, action));
}

function reduceAction(state: DeckState, action: Action): DeckUpdate {
  switch (action.type) {
    case "key":
      return onKey(state, action.key);
    case "engine":
      return onEngine({ ...state, silence: 0 }, action.message);
    case "engine-starting":
      return done({ ...state, engine: { status: "starting" } });
    case "engine-gone":
      return engineGone(state, action.error);
    case "resize":
      return done(placePanes({ ...state, columns: action.columns, rows: action.rows }));
    case "tick":
      return done(broadcast(countSilence(state), { type: "tick", now: action.now }));
    case "library":
      return done(
        broadcast({ ...state, library: action.scripts }, { type: "library", scripts: action.scripts }),
      );
    case "open": {
      const { source, name } = action;
      const told = broadcast(state, { type: "source", source, name });
      const next = action.focus === false ? told : focusOn(told, "editor");
      return action.run ? startRun(next, source, name, {}, true) : done(next);
    }
    case "message":
      return done({ ...state, message: action.message });
    case "scroll":
    case "click":
      return onPointer(state, action);
  }
}

function countSilence(state: DeckState): DeckState {
  return state.run.state === "running" ? { ...state, silence: state.silence + 1 } : state;
}

function engineGone(state: DeckState, error: string): DeckUpdate {
  const gone = placePanes({
    ...state,
    engine: { status: "gone", error },
    noticeClosed: false,
  });
  if (state.run.state === "idle" || state.run.state === "ended" || state.run.state === "failed")
    return done(gone);
  const { diagnostics } = state.run;
  return done(
    broadcast(
      { ...gone, run: { ...state.run, state: "failed", error }, message: { text: error, level: "error" } },
      { type: "state", state: "failed", error, diagnostics },
    ),
  );
}

function onPointer(state: DeckState, action: Action & { type: "scroll" | "click" }): DeckUpdate {
  const { slots } = state;
  const hit = layoutOf(state).panes.find(
    ({ rect }) =>
      action.x >= rect.x &&
      action.x < rect.x + rect.width &&
      action.y >= rect.y &&
      action.y < rect.y + rect.height,
  );
  if (!hit) return done(state);
  if (action.type === "click") return done(focusOn(state, hit.id));
  const slot = slots.find(({ id }) => id === hit.id)!;
  const key = { name: action.down ? "down" : "up", ctrl: false, alt: false, shift: false, text: "" };
  return paneKey(state, slot, key) ?? done(state);
}

export function onKey(state: DeckState, key: Key): DeckUpdate {
  if (state.overlay) return onOverlayKey(state, state.overlay, key);
  const chord = chordOf(key);
  const rows = DECK_KEYS.filter((row) => row.keys.includes(chord) && (row.when?.(state) ?? true));
  const always = rows.find((row) => row.always);
  const cleared = state.message ? { ...state, message: undefined } : state;
  if (always) return always.run(cleared, key);
  const slot = focusedSlot(cleared);
  if (slot) {
    if (slot.pane.onText && (slot.pane.typing?.(slot.state) ?? false) && typesText(key)) {
      return apply(cleared, slot, slot.pane.onText(slot.state, key, sizeOf(slot)));
    }
    const update = paneKey(cleared, slot, key);
    if (update) return update;
  }
  // Esc puts a message away before it does anything else.
  if (chord === "escape" && state.message) return done(cleared);
  return rows[0]?.run(cleared, key) ?? done(cleared);
}

function sizeOf(slot: Slot) {
  return slot.size ?? { width: 0, height: 0 };
}

/** What a pane's own table makes of a key; undefined when no row applies. */
function paneKey(state: DeckState, slot: Slot, key: Key): DeckUpdate | undefined {
  const chord = chordOf(key);
  const row = slot.pane.keys.find((it) => it.keys.includes(chord) && (it.when?.(slot.state) ?? true));
  return row && apply(state, slot, row.run(slot.state, key, sizeOf(slot)));
}

function apply(state: DeckState, slot: Slot, update: Update<unknown>): DeckUpdate {
  const slots =
    update.state === slot.state
      ? state.slots
      : state.slots.map((it) => (it.id === slot.id ? { ...it, state: update.state } : it));
  return applyEffects(slots === state.slots ? state : { ...state, slots }, update.effects);
}

function onOverlayKey(state: DeckState, overlay: Overlay, key: Key): DeckUpdate {
  const chord = chordOf(key);
  if (chord === "ctrl-l") return done(state, { type: "redraw" });
  if (chord === "escape" || chord === "ctrl-c" || chord === "ctrl-g") {
    return done({ ...state, overlay: undefined });
  }
  return overlay.type === "help" ? onHelpKey(state, overlay, key) : onCommandKey(state, overlay, key);
}

function fieldKey(field: Field, key: Key): Field | undefined {
  if (typesText(key)) return typeInto(field, key.text);
  return FIELD_CHORDS.includes(chordOf(key)) ? editField(field, key) : undefined;
}

const HELP_MOVES: Record<string, number> = { up: -1, down: 1, pageup: -10, pagedown: 10 };

function onHelpKey(state: DeckState, overlay: Overlay & { type: "help" }, key: Key): DeckUpdate {
  const rows = filterHelp(helpRows(state, true), overlay.filter.text);
  const chord = chordOf(key);
  const move = HELP_MOVES[chord];
  if (move !== undefined) {
    const selected = Math.max(0, Math.min(rows.length - 1, overlay.selected + move));
    return done({ ...state, overlay: { ...overlay, selected } });
  }
  if (chord === "enter") {
    const row = rows[overlay.selected];
    if (!row) return done(state);
    if (row.command.endsWith(" ")) {
      return done({
        ...state,
        overlay: { type: "command", field: fieldOf(row.command), browsed: 0, draft: "" },
      });
    }
    const closed = { ...state, overlay: undefined };
    return row.command === "help" || row.command === "pane.number"
      ? done(closed)
      : runCommand(closed, row.command);
  }
  if (overlay.filter.text === "" && (chord === "?" || chord === "q" || chord === "f1")) {
    return done({ ...state, overlay: undefined });
  }
  const filter = fieldKey(overlay.filter, key);
  return done(filter ? { ...state, overlay: { ...overlay, filter, selected: 0 } } : state);
}

function onCommandKey(state: DeckState, overlay: Overlay & { type: "command" }, key: Key): DeckUpdate {
  const { field, browsed } = overlay;
  const chord = chordOf(key);
  if (chord === "enter") {
    const text = field.text.trim();
    const closed = { ...state, overlay: undefined };
    if (text === "") return done(closed);
    const history = [...state.history.filter((line) => line !== text), text].slice(-HISTORY_LENGTH);
    const update = runCommand({ ...closed, history }, text);
    return done(update.state, ...update.effects, { type: "save", settings: { history } });
  }
  if (chord === "backspace" && field.text === "") return done({ ...state, overlay: undefined });
  if (chord === "up" || chord === "down") {
    const back = Math.max(0, Math.min(state.history.length, browsed + (chord === "up" ? 1 : -1)));
    const draft = browsed === 0 ? field.text : overlay.draft;
    const text = back === 0 ? draft : state.history[state.history.length - back];
    return done({ ...state, overlay: { ...overlay, field: fieldOf(text), browsed: back, draft } });
  }
  if (chord === "tab") {
    const options = completions(state, field.text);
    const common = commonPrefix(options);
    if (common.length <= field.text.length) return done(state);
    const whole = options.length === 1 && !common.includes(" ") ? `${common} ` : common;
    return done({ ...state, overlay: { ...overlay, field: fieldOf(whole) } });
  }
  const edited = fieldKey(field, key);
  return done(edited ? { ...state, overlay: { ...overlay, field: edited, browsed: 0 } } : state);
}

function commonPrefix(texts: readonly string[]): string {
  let prefix = texts[0] ?? "";
  for (const text of texts) while (!text.startsWith(prefix)) prefix = prefix.slice(0, -1);
  return prefix;
}
