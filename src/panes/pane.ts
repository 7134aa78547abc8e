/**
 * What a pane is. A pane turns data and a size into lines of styled text with pure functions; the app (src/tui) owns the
 * terminal, the engine and the clock, and talks to panes through events and effects only.
 *
 *   engine message ─► PaneEvent ─► reduce ─► State ─► view(size) ─► Line[]
 *   key ─► the row of `keys` that matches ─► run ─► { state, effects } ─► the app carries effects out
 */
import type {
  Losses,
  MapShape,
  OutputLine,
  ScriptDiagnostic,
  ScriptShape,
  SessionState,
  Snapshot,
  StartOptions,
} from "../engine/protocol.ts";
import type { Key } from "./key.ts";
import type { Line } from "./text/line.ts";

export type { Key } from "./key.ts";
export type { Line, Span } from "./text/line.ts";
export type { Role } from "./text/role.ts";

export interface Size {
  width: number;
  height: number;
}

export interface Position {
  x: number;
  y: number;
}

export interface ViewContext {
  focused: boolean;
  /** False: draw with ASCII only. */
  unicode: boolean;
  /** False (NO_COLOR): colour alone must not carry meaning. */
  color: boolean;
  /** The picture is held while counting goes on. */
  frozen: boolean;
}

/** "idle": nothing was started yet. */
export type RunState = SessionState | "idle";

/** A bundled script, as the library shows it. */
export interface LibraryScript {
  name: string;
  title: string;
  subject: string;
  question: string;
  options: { name: string; default: string; description: string }[];
  /** How to read the answer. */
  reading: string;
  source: string;
}

export type PaneEvent =
  /** A session starts: what it declares. Panes drop the data of the one before. */
  | { type: "shape"; shape: ScriptShape }
  | { type: "state"; state: RunState; error?: string; diagnostics: ScriptDiagnostic[] }
  /** Not sent while the picture is frozen. */
  | { type: "snapshot"; snapshot: Snapshot }
  | { type: "output"; lines: OutputLine[]; skipped: number }
  /** Answer to a `check` effect for this very text. */
  | { type: "checked"; source: string; diagnostics: ScriptDiagnostic[] }
  /** The text to show in the editor. */
  | { type: "source"; source: string; name?: string }
  | { type: "library"; scripts: LibraryScript[] }
  | { type: "losses"; losses: Losses }
  /** The pane's inner size changed (also sent once before the first view). */
  | { type: "size"; size: Size }
  /** About once a second, milliseconds since the epoch. */
  | { type: "tick"; now: number };

/** What a pane asks of the app. */
export type Effect =
  | { type: "run"; source: string; name?: string; options?: StartOptions }
  | { type: "stop" }
  /** Compile only; the answer comes as `checked`. The app waits for a pause in typing. */
  | { type: "check"; source: string }
  /** Put a text into the editor and focus it. */
  | { type: "edit"; source: string; name?: string }
  | { type: "focus"; kind: PaneKind }
  /** Told in the footer until the next key. */
  | { type: "message"; text: string; level: "info" | "warning" | "error" }
  /** Into the clipboard of the user's terminal (OSC 52). */
  | { type: "copy"; text: string };

export interface Update<State> {
  state: State;
  effects?: Effect[];
}

/** One row of the key table: it drives handler, footer, help and docs. */
export interface PaneKey<State> {
  /** Chords (see key.ts); the first is the one that the footer shows. */
  keys: string[];
  /** Stable name "kind.verb", runnable from the command line `:`. */
  command: string;
  /** A few words, imperative: "sort by the next column". */
  help: string;
  /** Shown in the footer, shorter than `help`; rows without it appear in the help screen only. */
  footer?: string;
  /** False: the key does not apply now. */
  when?(state: State): boolean;
  run(state: State, key: Key, size: Size): Update<State>;
}

/** What a pane needs to see of a map; the app sends it to the engine when it changes. */
export interface ViewRequest {
  map: string;
  rows: number;
  order: "value" | "key" | "rate";
  descending: boolean;
  filter?: string;
}

export type PaneKind = "editor" | "library" | "events" | "histogram" | "top" | "chart";

/** What an instance of a pane is made for: data panes get their map. */
export interface PaneSeed {
  map?: MapShape;
}

export interface Pane<State> {
  kind: PaneKind;
  /** One line of help about the pane, for the help screen and the docs. */
  about: string;
  init(seed: PaneSeed): State;
  /** Without the number and the frame, which the app draws. Sanitized by the app. */
  title(state: State, context: ViewContext): string;
  reduce(state: State, event: PaneEvent): State;
  /** At most `height` lines; longer and wider ones are cut, shorter ones padded by the app. */
  view(state: State, size: Size, context: ViewContext): Line[];
  keys: PaneKey<State>[];
  /** While true, keys that type text (and pastes) go to `onText` before any table is looked at. */
  typing?(state: State): boolean;
  /** Text typed or pasted: `key.text`. */
  onText?(state: State, key: Key, size: Size): Update<State>;
  /** Where the terminal's cursor stands when the pane has the focus; undefined hides it. */
  cursor?(state: State, size: Size): Position | undefined;
  /** What it needs of the engine now; data panes only. */
  wants?(state: State, size: Size): ViewRequest | undefined;
}

/** Panes of different state types in one list; their states are opaque to the app. */
// biome-ignore lint/suspicious/noExplicitAny: the app never looks into a pane's state
export type AnyPane = Pane<any>;
