/** The deck's reducer: engine messages, the clock and the screen's size; keys are in `keys.ts`. */
import type { EngineMessage, MapShape, OutputLine, ScriptShape, StartOptions } from "../engine/protocol.ts";
import type { Effect, PaneEvent, PaneKind, PaneSeed } from "../panes/pane.ts";
import { type Layout, layout } from "./layout.ts";
import { noticeLines } from "./notice.ts";
import {
  DEFAULT_SETTINGS,
  type DeckEffect,
  type DeckState,
  type DeckUpdate,
  isActive,
  kindsFor,
  type Registry,
  type SavedSettings,
  type Slot,
} from "./state.ts";

/** Lines kept while the picture is frozen. */
const HELD_LINES = 2000;

const MAIN_KINDS: PaneKind[] = ["editor", "library"];

export function makeSlot(registry: Registry, kind: PaneKind, seed: PaneSeed = {}): Slot[] {
  const pane = registry[kind];
  if (!pane) return [];
  const id = seed.map ? `${kind}:${seed.map.name}` : kind;
  return [{ id, kind, map: seed.map, pane, state: pane.init(seed), size: undefined }];
}

export function initialState(
  registry: Registry,
  columns: number,
  rows: number,
  saved: Partial<SavedSettings> = {},
): DeckState {
  const settings = { ...DEFAULT_SETTINGS, ...saved };
  const slots = MAIN_KINDS.flatMap((kind) => makeSlot(registry, kind));
  return placePanes({
    registry,
    columns,
    rows,
    slots,
    focus: slots.some(({ id }) => id === settings.focus) ? settings.focus : (slots[0]?.id ?? ""),
    zoom: settings.zoom,
    held: undefined,
    engine: { status: "starting" },
    run: { session: 0, state: "idle", source: "", options: {}, reveal: false, diagnostics: [] },
    interval: settings.interval,
    silence: 0,
    pace: 0,
    maxOverhead: settings.maxOverhead,
    theme: settings.theme,
    cost: undefined,
    losses: undefined,
    message: undefined,
    overlay: undefined,
    noticeClosed: false,
    history: settings.history,
    library: [],
    check: { id: 0, source: "" },
  });
}

export function done(state: DeckState, ...effects: DeckEffect[]): DeckUpdate {
  return { state, effects };
}

function tell(slot: Slot, event: PaneEvent): Slot {
  const state = slot.pane.reduce(slot.state, event);
  return state === slot.state ? slot : { ...slot, state };
}

/** Sends an event to every pane. */
export function broadcast(state: DeckState, event: PaneEvent): DeckState {
  let changed = false;
  const slots = state.slots.map((slot) => {
    const next = tell(slot, event);
    changed ||= next !== slot;
    return next;
  });
  return changed ? { ...state, slots } : state;
}

export function layoutOf(state: DeckState): Layout {
  const { columns, rows, slots: panes, focus, zoom } = state;
  return layout({ columns, rows, panes, focus, zoom, reserved: noticeLines(state).length });
}

/** Lays the panes out and tells those whose size changed. */
export function placePanes(state: DeckState): DeckState {
  const { slots } = state;
  const rects = new Map(layoutOf(state).panes.map(({ id, rect }) => [id, rect]));
  let changed = false;
  const placed = slots.map((slot) => {
    const rect = rects.get(slot.id);
    if (!rect) {
      if (!slot.size) return slot;
      changed = true;
      return { ...slot, size: undefined };
    }
    const size = { width: Math.max(0, rect.width - 2), height: Math.max(0, rect.height - 2) };
    if (slot.size?.width === size.width && slot.size.height === size.height) return slot;
    changed = true;
    return tell({ ...slot, size }, { type: "size", size });
  });
  return changed ? { ...state, slots: placed } : state;
}

/** The panes for what a script declares. Panes that were there before keep what their keys chose. */
export function slotsFor(registry: Registry, before: readonly Slot[], shape: ScriptShape): Slot[] {
  const main = before.filter(({ kind }) => MAIN_KINDS.includes(kind));
  const wanted: { kind: PaneKind; map?: MapShape }[] = shape.maps.flatMap((map) =>
    kindsFor(map).map((kind) => ({ kind, map })),
  );
  // A keyed count alone would leave the screen half empty: its rate over time goes beside it.
  const counted = shape.maps.find(
    (map) => map.keys.length > 0 && (map.kind === "count" || map.kind === "sum"),
  );
  if (counted && wanted.length < 3) wanted.push({ kind: "chart", map: counted });
  if (shape.prints || wanted.length === 0) wanted.push({ kind: "events" });
  return [
    ...main,
    ...wanted.flatMap(({ kind, map }) => {
      const id = map ? `${kind}:${map.name}` : kind;
      const old = before.find((slot) => slot.id === id);
      return old && sameMake(old.map, map) ? [old] : makeSlot(registry, kind, { map });
    }),
  ];
}

/** Sort column, filter and the like only make sense for a map of the same make. */
function sameMake(a: MapShape | undefined, b: MapShape | undefined): boolean {
  return a?.kind === b?.kind && a?.keys.join() === b?.keys.join();
}

/** The events pane, for a script that prints although it did not say so. */
export function openOutput(state: DeckState): DeckState {
  if (state.slots.some(({ kind }) => kind === "events")) return state;
  return placePanes({ ...state, slots: [...state.slots, ...makeSlot(state.registry, "events")] });
}

/** Starts a script; the session before it ends. The editor shows what runs (undo brings back what it held). */
export function startRun(
  state: DeckState,
  source: string,
  name: string | undefined,
  options: StartOptions,
  reveal = state.focus === "library",
): DeckUpdate {
  const session = state.run.session + 1;
  const effects: DeckEffect[] = [];
  if (isActive(state)) effects.push({ type: "send", message: { kind: "stop", session: state.run.session } });
  effects.push({
    type: "send",
    message: {
      kind: "start",
      session,
      source,
      options: {
        fileName: name,
        ...options,
        ...(state.maxOverhead > 0 ? { maxOverhead: state.maxOverhead } : {}),
      },
    },
  });
  effects.push({ type: "save", settings: { script: source, scriptName: name ?? "" } });
  const next = broadcast(
    {
      ...broadcast(state, { type: "source", source, name }),
      run: { session, state: "compiling", source, name, options, reveal, diagnostics: [] },
      held: undefined,
      cost: undefined,
      losses: undefined,
      message: undefined,
    },
    { type: "state", state: "compiling", diagnostics: [] },
  );
  const slots = next.slots.map((slot) => (slot.asked ? { ...slot, asked: undefined } : slot));
  return done(placePanes({ ...next, slots }), ...effects);
}

export function stopRun(state: DeckState): DeckUpdate {
  if (!isActive(state)) return done(state);
  return done(state, { type: "send", message: { kind: "stop", session: state.run.session } });
}

/** What a pane asks for. */
export function applyEffects(state: DeckState, effects: readonly Effect[] = []): DeckUpdate {
  let next = state;
  const out: DeckEffect[] = [];
  for (const effect of effects) {
    const update = applyEffect(next, effect);
    next = update.state;
    out.push(...update.effects);
  }
  return done(next, ...out);
}

/** A rerun has the options of the run, also when the script was changed in between. */
function optionsFor({ run }: DeckState, source: string, name: string | undefined): StartOptions {
  return run.source === source || (name !== undefined && run.name === name) ? run.options : {};
}

function applyEffect(state: DeckState, effect: Effect): DeckUpdate {
  switch (effect.type) {
    case "run":
      return startRun(
        state,
        effect.source,
        effect.name,
        effect.options ?? optionsFor(state, effect.source, effect.name),
      );
    case "stop":
      return stopRun(state);
    case "check": {
      const check = { id: state.check.id + 1, source: effect.source };
      return done({ ...state, check }, { type: "check", ...check });
    }
    case "edit":
      return done(
        focusOn(broadcast(state, { type: "source", source: effect.source, name: effect.name }), "editor"),
      );
    case "focus": {
      const slot = state.slots.find(({ kind }) => kind === effect.kind);
      return done(slot ? focusOn(state, slot.id) : state);
    }
    case "message":
      return done({ ...state, message: { text: effect.text, level: effect.level } });
    case "copy":
      return done(state, { type: "copy", text: effect.text });
  }
}

export function focusOn(state: DeckState, id: string): DeckState {
  return state.focus === id ? state : placePanes({ ...state, focus: id });
}

/** The views that panes want now, where they differ from what the engine knows. */
export function askViews(update: DeckUpdate): DeckUpdate {
  const { state } = update;
  if (!isActive(state) || state.run.shape === undefined) return update;
  const effects: DeckEffect[] = [];
  const known = new Map<string, string>();
  const slots = state.slots.map((slot) => {
    if (!slot.pane.wants || !slot.size) return slot;
    const wants = slot.pane.wants(slot.state, slot.size);
    if (!wants) return slot;
    const text = JSON.stringify(wants);
    if (slot.asked && JSON.stringify(slot.asked) === text) return slot;
    // Two panes on one map: the one that lists rows decides.
    if (slot.kind === "chart" && state.slots.some((other) => other.id === `top:${wants.map}`)) return slot;
    if (known.get(wants.map) !== text) {
      known.set(wants.map, text);
      effects.push({ type: "send", message: { kind: "view", session: state.run.session, ...wants } });
    }
    return { ...slot, asked: wants };
  });
  if (effects.length === 0) return update;
  return done({ ...state, slots }, ...update.effects, ...effects);
}

export function onEngine(state: DeckState, message: EngineMessage): DeckUpdate {
  switch (message.kind) {
    case "hello": {
      const { host, kernel, user, cpus, obstacles } = message;
      return done(
        placePanes({
          ...state,
          engine: { status: "ready", host, kernel, user, cpus, obstacles },
          noticeClosed: false,
        }),
        { type: "send", message: { kind: "interval", milliseconds: state.interval } },
      );
    }
    case "checked":
      if (message.id !== state.check.id) return done(state);
      return done(
        broadcast(state, {
          type: "checked",
          source: state.check.source,
          diagnostics: message.diagnostics,
        }),
      );
    case "state": {
      if (message.session !== state.run.session) return done(state);
      const { shape, error, probes } = message;
      let next: DeckState = {
        ...state,
        run: {
          ...state.run,
          state: message.state,
          error,
          diagnostics: message.diagnostics ?? state.run.diagnostics,
          probes: probes ?? state.run.probes,
        },
      };
      if (shape && next.run.shape === undefined) {
        const slots = slotsFor(state.registry, next.slots, shape);
        const data = slots.find(({ kind }) => !MAIN_KINDS.includes(kind));
        const stays = !next.run.reveal && slots.some(({ id }) => id === next.focus);
        const focus = stays ? next.focus : ((data ?? slots[0])?.id ?? "");
        next = placePanes({ ...next, run: { ...next.run, shape }, slots, focus });
        next = broadcast(next, { type: "shape", shape });
      }
      const { diagnostics } = next.run;
      next = broadcast(next, { type: "state", state: message.state, error, diagnostics });
      if (message.state === "ended" && error) {
        next = { ...next, message: { text: error.split("; ")[0], level: "error" }, noticeClosed: false };
      }
      if (message.state === "failed") next = { ...next, message: failure(next), noticeClosed: false };
      return done(placePanes(next));
    }
    case "snapshot": {
      if (message.session !== state.run.session) return done(state);
      const { snapshot } = message;
      const next = { ...state, cost: snapshot.cost, losses: snapshot.losses, pace: snapshot.elapsed };
      if (state.held) return done({ ...next, held: { ...state.held, snapshot } });
      return done(broadcast(next, { type: "snapshot", snapshot }));
    }
    case "output": {
      if (message.session !== state.run.session) return done(state);
      const { lines, skipped } = message;
      const told = withWarning(state, lines);
      if (state.held) {
        const all = [...state.held.lines, ...lines];
        const cut = Math.max(0, all.length - HELD_LINES);
        const held = {
          ...state.held,
          lines: cut > 0 ? all.slice(cut) : all,
          skipped: state.held.skipped + skipped + cut,
        };
        return done({ ...told, held });
      }
      return done(broadcast(openOutput(told), { type: "output", lines, skipped }));
    }
    case "engine-error":
      return done({ ...state, message: { text: message.message, level: "error" } });
    default:
      return done(state);
  }
}

/** A warning is seen where the events pane is out of sight, too; the pane has all of it. */
function withWarning(state: DeckState, lines: readonly OutputLine[]): DeckState {
  const warning = lines.findLast(({ kind }) => kind === "warning");
  if (!warning || state.message?.level === "error") return state;
  const text = warning.text
    .replace(/^WARNING: /, "")
    .split("; ")[0]
    .trim();
  return { ...state, message: { text, level: "warning" } };
}

function failure({ run }: DeckState): DeckState["message"] {
  const first = run.diagnostics.find(({ severity }) => severity === "error");
  const text = first ? `line ${first.line}: ${first.message}` : (run.error ?? "the script failed");
  return { text: text.split("\n")[0], level: "error" };
}

/** Space: holds the picture, or lets go and shows the newest. */
export function toggleFreeze(state: DeckState): DeckState {
  const { held } = state;
  if (!held) return { ...state, held: { lines: [], skipped: 0 } };
  let next: DeckState = { ...state, held: undefined };
  if (held.lines.length > 0 || held.skipped > 0) {
    next = broadcast(openOutput(next), {
      type: "output",
      lines: held.lines,
      skipped: held.skipped,
    });
  }
  if (held.snapshot) next = broadcast(next, { type: "snapshot", snapshot: held.snapshot });
  return next;
}
