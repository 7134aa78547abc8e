/**
 * What the deck knows, as one immutable value. `update.ts` makes the next from an action, `view.ts` the picture; the
 * store (`store.ts`) carries out the effects.
 */
import type {
  ClientMessage,
  Cost,
  EngineMessage,
  Losses,
  MapShape,
  Obstacle,
  OutputLine,
  ScriptDiagnostic,
  ScriptShape,
  Snapshot,
  StartOptions,
} from "../engine/protocol.ts";
import type { Key } from "../panes/key.ts";
import type { AnyPane, LibraryScript, PaneKind, RunState, Size, ViewRequest } from "../panes/pane.ts";
import type { Field } from "../panes/prompt/field.ts";

export type Registry = Partial<Record<PaneKind, AnyPane>>;

/** One pane on the deck. */
export interface Slot {
  /** "editor", "top:@reads". */
  id: string;
  kind: PaneKind;
  map?: MapShape;
  pane: AnyPane;
  state: unknown;
  /** Inside its frame; undefined while it does not show. */
  size: Size | undefined;
  /** What the engine was last asked for. */
  asked?: ViewRequest;
}

export type EngineStatus =
  | { status: "starting" }
  | { status: "ready"; host: string; kernel: string; user: string; cpus: number; obstacles: Obstacle[] }
  | { status: "gone"; error: string };

export interface Run {
  /** Number of the session; 0 before the first. */
  session: number;
  state: RunState;
  source: string;
  name?: string;
  options: StartOptions;
  /** Focus the answer once its panes are there: the script was not started from the editor. */
  reveal: boolean;
  shape?: ScriptShape;
  error?: string;
  diagnostics: ScriptDiagnostic[];
  probes?: number;
}

export interface Message {
  text: string;
  level: "info" | "warning" | "error";
}

export type Overlay =
  /** The key table; rows are filtered by what is typed, Enter runs the selected one. */
  | { type: "help"; filter: Field; selected: number }
  /** The command line; `browsed`: how far back in the history, 0 is what is being typed. */
  | { type: "command"; field: Field; browsed: number; draft: string };

/** What arrived while the picture was frozen. */
export interface Held {
  snapshot?: Snapshot;
  lines: OutputLine[];
  skipped: number;
}

export interface DeckState {
  /** The panes there are, by kind. */
  registry: Registry;
  columns: number;
  rows: number;
  slots: readonly Slot[];
  focus: string;
  zoom: boolean;
  held: Held | undefined;
  engine: EngineStatus;
  run: Run;
  /** Milliseconds between two looks at the maps. */
  interval: number;
  /** Ticks of the clock, which are seconds, since the engine was heard; and milliseconds between its last two snapshots. */
  silence: number;
  pace: number;
  /** Percent of all CPUs' time that a script may take; 0: as much as it does. */
  maxOverhead: number;
  theme: "dark" | "light";
  cost: Cost | undefined;
  losses: Losses | undefined;
  message: Message | undefined;
  overlay: Overlay | undefined;
  /** The notice about what hinders tracing was put away. */
  noticeClosed: boolean;
  history: readonly string[];
  library: readonly LibraryScript[];
  /** The last script that was asked to be compiled only. */
  check: { id: number; source: string };
}

export type Action =
  | { type: "key"; key: Key }
  | { type: "engine"; message: EngineMessage }
  | { type: "engine-gone"; error: string }
  | { type: "engine-starting" }
  | { type: "resize"; columns: number; rows: number }
  | { type: "tick"; now: number }
  | { type: "scroll"; down: boolean; x: number; y: number }
  | { type: "click"; x: number; y: number }
  | { type: "library"; scripts: LibraryScript[] }
  /** `focus: false` leaves the focus where it is: the script of the last time. */
  | { type: "open"; source: string; name?: string; run?: boolean; focus?: boolean }
  | { type: "message"; message: Message };

/** What the store does for the reducer. */
export type DeckEffect =
  | { type: "send"; message: ClientMessage }
  /** Ask for a check of this text once typing pauses. */
  | { type: "check"; id: number; source: string }
  | { type: "quit" }
  | { type: "redraw" }
  | { type: "suspend" }
  | { type: "copy"; text: string }
  | { type: "mouse"; on: boolean }
  | { type: "read-file"; path: string; run: boolean }
  | { type: "write-file"; path: string; text: string }
  | { type: "restart-engine"; sudo: boolean }
  | { type: "save"; settings: Partial<SavedSettings> };

/** What outlives the deck. */
export interface SavedSettings {
  theme: "dark" | "light";
  interval: number;
  maxOverhead: number;
  mouse: boolean;
  /** Command lines, oldest first. */
  history: string[];
  /** The last layout. */
  focus: string;
  zoom: boolean;
  /** The last script that was run, to start with. */
  script: string;
  scriptName: string;
}

export const DEFAULT_SETTINGS: SavedSettings = {
  theme: "dark",
  interval: 1000,
  maxOverhead: 0,
  mouse: false,
  history: [],
  focus: "editor",
  zoom: false,
  script: "",
  scriptName: "",
};

export interface DeckUpdate {
  state: DeckState;
  effects: DeckEffect[];
}

export const INTERVALS = [100, 200, 500, 1000, 2000, 5000, 10_000, 30_000, 60_000];

/** Whether a session of the current run exists in the engine. */
export function isActive({ run }: DeckState): boolean {
  return run.state === "compiling" || run.state === "attaching" || run.state === "running";
}

export function focusedSlot(state: DeckState): Slot | undefined {
  return state.slots.find(({ id }) => id === state.focus) ?? state.slots[0];
}

/** The pane kinds that a map is shown in: none for `@_name`, which a script keeps for itself. */
export function kindsFor(map: MapShape): PaneKind[] {
  if (map.name.startsWith("@_")) return [];
  if (map.kind === "hist" || map.kind === "lhist") return ["histogram"];
  if (map.kind === "string" || map.kind === "other") return ["top"];
  if (map.kind === "tseries") return ["chart"];
  return map.keys.length > 0 ? ["top"] : ["chart"];
}
