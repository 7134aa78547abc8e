/**
 * The deck's own keys: one table for the handler, the footer, the help screen and docs/keys.md. Panes bring tables of
 * the same make (`Pane.keys`); a pane's row wins over the deck's unless the deck's is `always`.
 */
import type { Key } from "../panes/key.ts";
import { fieldOf } from "../panes/prompt/field.ts";
import { noticeLines } from "./notice.ts";
import { type DeckState, type DeckUpdate, focusedSlot, INTERVALS, isActive, type Slot } from "./state.ts";
import { applyEffects, done, focusOn, placePanes, stopRun, toggleFreeze } from "./update.ts";

export interface DeckKey {
  /** Chords; the first is the one that the footer shows. */
  keys: string[];
  command: string;
  help: string;
  footer?: string;
  /** Wins over what a pane makes of the key, and over typing. */
  always?: boolean;
  when?(state: DeckState): boolean;
  run(state: DeckState, key: Key): DeckUpdate;
}

/** Runs a row of a pane's table by its command name, as if its key had been pressed. */
export function runPaneCommand(state: DeckState, slot: Slot, command: string, key?: Key): DeckUpdate {
  const row = slot.pane.keys.find((it) => it.command === command);
  if (!row || !(row.when?.(slot.state) ?? true)) return done(state);
  const size = slot.size ?? { width: 80, height: 20 };
  const pressed = key ?? { name: "", ctrl: false, alt: false, shift: false, text: "" };
  const update = row.run(slot.state, pressed, size);
  const slots = state.slots.map((it) => (it.id === slot.id ? { ...it, state: update.state } : it));
  return applyEffects({ ...state, slots }, update.effects);
}

/** Ctrl-R: runs what is in the editor; stops it when it runs unchanged. */
function runOrStop(state: DeckState): DeckUpdate {
  const editor = state.slots.find(({ kind }) => kind === "editor");
  if (!editor) return done(state);
  if (!isActive(state)) return runPaneCommand(state, editor, "editor.run");
  const rerun = runPaneCommand(state, editor, "editor.run");
  const started = rerun.state.run.session !== state.run.session;
  return started && rerun.state.run.source === state.run.source ? stopRun(state) : rerun;
}

function step(state: DeckState, by: 1 | -1): DeckState {
  const at = state.slots.findIndex(({ id }) => id === state.focus);
  const next = state.slots[(at + by + state.slots.length) % state.slots.length];
  return next ? focusOn(state, next.id) : state;
}

export function setInterval(state: DeckState, interval: number): DeckUpdate {
  const milliseconds = Math.min(INTERVALS.at(-1)!, Math.max(INTERVALS[0], Math.round(interval)));
  return done(
    { ...state, interval: milliseconds },
    { type: "send", message: { kind: "interval", milliseconds } },
    { type: "save", settings: { interval: milliseconds } },
  );
}

/** `maxOverhead`: percent of all CPUs' time; 0: no limit. It holds for what runs and for what is started later. */
export function setGuard(state: DeckState, maxOverhead: number): DeckUpdate {
  const text =
    maxOverhead > 0
      ? `a script that takes more than ${maxOverhead}% of all CPUs' time is stopped`
      : "scripts may take as much of the CPUs as they do";
  return done(
    { ...state, maxOverhead, message: { text, level: "info" } },
    { type: "send", message: { kind: "guard", ...(maxOverhead > 0 ? { maxOverhead } : {}) } },
    { type: "save", settings: { maxOverhead } },
  );
}

const GUARDS = [0, 1, 2, 5, 10, 20];

function nextGuard(state: DeckState): DeckUpdate {
  return setGuard(state, GUARDS.find((share) => share > state.maxOverhead) ?? 0);
}

function slower(state: DeckState): DeckUpdate {
  return setInterval(state, INTERVALS.find((it) => it > state.interval) ?? state.interval);
}

function faster(state: DeckState): DeckUpdate {
  return setInterval(state, INTERVALS.findLast((it) => it < state.interval) ?? state.interval);
}

/** Esc: back by one step; never quits. */
function back(state: DeckState): DeckUpdate {
  if (noticeLines(state).length > 0) return done(placePanes({ ...state, noticeClosed: true }));
  if (state.zoom) return done(placePanes({ ...state, zoom: false }));
  const slot = focusedSlot(state);
  if (slot?.kind === "library") return done(focusOn(state, "editor"));
  if (slot?.kind === "editor") {
    const data = state.slots.find(({ kind }) => kind !== "editor" && kind !== "library");
    return done(data ? focusOn(state, data.id) : state);
  }
  return done(state);
}

export function setZoom(state: DeckState, zoom: boolean): DeckUpdate {
  return done(placePanes({ ...state, zoom }), { type: "save", settings: { zoom } });
}

function nextTheme(state: DeckState): DeckUpdate {
  const theme = state.theme === "dark" ? "light" : "dark";
  return done({ ...state, theme }, { type: "redraw" }, { type: "save", settings: { theme } });
}

const hasKind = (kind: string) => (state: DeckState) => state.slots.some((slot) => slot.kind === kind);

const digits = ["1", "2", "3", "4", "5", "6", "7", "8", "9"];

export const DECK_KEYS: DeckKey[] = [
  {
    keys: ["ctrl-r", "f5"],
    command: "run",
    help: "run the script in the editor; stop it when it runs; rerun it when it was changed",
    footer: "run/stop",
    always: true,
    when: hasKind("editor"),
    run: runOrStop,
  },
  {
    keys: ["tab"],
    command: "pane.next",
    help: "focus the next pane",
    footer: "pane",
    always: true,
    run: (state) => done(step(state, 1)),
  },
  {
    keys: ["shift-tab"],
    command: "pane.previous",
    help: "focus the pane before",
    always: true,
    run: (state) => done(step(state, -1)),
  },
  {
    keys: [...digits, ...digits.map((digit) => `alt-${digit}`)],
    command: "pane.number",
    help: "focus a pane by its number (with Alt also while typing)",
    run: (state, key) => {
      const slot = state.slots[Number(key.name) - 1];
      return done(slot ? focusOn(state, slot.id) : state);
    },
  },
  {
    keys: ["z", "alt-z"],
    command: "zoom",
    help: "give the focused pane the whole screen, and back",
    footer: "zoom",
    run: (state) => setZoom(state, !state.zoom),
  },
  {
    keys: ["space"],
    command: "freeze",
    help: "hold the picture while counting goes on, and let go",
    footer: "freeze",
    when: (state) => state.run.session > 0,
    run: (state) => done(toggleFreeze(state)),
  },
  {
    keys: ["+", "="],
    command: "interval.longer",
    help: "look at the maps less often",
    footer: "slower",
    run: slower,
  },
  {
    keys: ["-"],
    command: "interval.shorter",
    help: "look at the maps more often",
    footer: "faster",
    run: faster,
  },
  {
    keys: ["l"],
    command: "library",
    help: "open the library of bundled scripts",
    footer: "library",
    when: hasKind("library"),
    run: (state) => done(focusOn(state, "library")),
  },
  {
    keys: ["e"],
    command: "editor",
    help: "go to the editor",
    footer: "edit",
    when: hasKind("editor"),
    run: (state) => done(focusOn(state, "editor")),
  },
  {
    keys: [":", "alt-x"],
    command: "command",
    help: "type a command (Tab completes, ↑ brings back earlier ones)",
    footer: "command",
    run: (state) =>
      done({ ...state, overlay: { type: "command", field: fieldOf(""), browsed: 0, draft: "" } }),
  },
  {
    keys: ["?", "f1", "h"],
    command: "help",
    help: "show all keys; type to filter, Enter runs the selected one",
    footer: "help",
    run: (state) => done({ ...state, overlay: { type: "help", filter: fieldOf(""), selected: 0 } }),
  },
  {
    keys: ["O"],
    command: "guard.next",
    help: "let scripts take at most 1, 2, 5, 10 or 20% of all CPUs' time, or any",
    run: nextGuard,
  },
  { keys: ["T"], command: "theme.next", help: "switch between the dark and the light theme", run: nextTheme },
  { keys: ["escape"], command: "back", help: "one step back", run: back },
  {
    keys: ["ctrl-l"],
    command: "redraw",
    help: "draw the whole screen anew",
    always: true,
    run: (state) => done(state, { type: "redraw" }),
  },
  {
    keys: ["ctrl-z"],
    command: "suspend",
    help: "stop the deck and return to the shell; fg brings it back",
    run: (state) => done(state, { type: "suspend" }),
  },
  {
    keys: ["q", "ctrl-c", "ctrl-q"],
    command: "quit",
    help: "quit; whatever is attached is detached",
    footer: "quit",
    run: (state) => done(state, { type: "quit" }),
  },
];
