/**
 * The deck's edge: holds the state, runs actions through the reducer, carries out effects, and decides when to draw.
 *
 * Keys are drawn at once (all that one read brought, in one frame); data is drawn at most every DATA_FRAME_MS, so that
 * a snapshot and the output that comes with it make one frame.
 */
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { basename } from "node:path";
import type { EngineEvents, EngineLink } from "../engine/client/client.ts";
import type { ClientMessage } from "../engine/protocol.ts";
import { chordOf } from "../panes/key.ts";
import { reduce } from "./dispatch.ts";
import { samePlaces } from "./layout.ts";
import type { Settings } from "./settings.ts";
import type { Action, DeckEffect, DeckState } from "./state.ts";
import type { Frame } from "./terminal/frame.ts";
import type { Placement } from "./terminal/placement.ts";
import { type Block, type Display, type Picture, picture } from "./view.ts";

const DATA_FRAME_MS = 50;
/** What comes this soon after belongs to the same frame: a snapshot and its output are two messages. */
const DATA_WAIT_MS = 12;
const CHECK_PAUSE_MS = 200;
const TICK_MS = 1000;

export interface StoreOptions {
  settings: Settings;
  connect(events: EngineEvents, sudo: boolean): EngineLink;
  display(theme: DeckState["theme"]): Display;
  terminal: {
    quit(): void;
    redraw(): void;
    suspend(): void;
    copy(text: string): void;
    mouse(on: boolean): void;
    /** Gives the terminal to a command that asks something; resolves to its success. */
    lend(command: string, args: string[]): Promise<boolean>;
  };
}

/** A script was started that will have the focus as soon as its panes are known. */
function awaitsPanes({ run }: DeckState): boolean {
  return run.state === "compiling" && run.reveal && run.shape === undefined;
}

export class Store {
  state: DeckState;
  private readonly options: StoreOptions;
  private readonly listeners = new Set<() => void>();
  private engine: EngineLink | undefined;
  private shown: Picture;
  private shownPlaces: readonly Block[];
  private shownState: DeckState;
  private shownDisplay: Display;
  private soon: NodeJS.Immediate | undefined;
  private later: NodeJS.Timeout | undefined;
  private lastFrame = 0;
  private checkTimer: NodeJS.Timeout | undefined;
  private readonly clock: NodeJS.Timeout;
  /** Keys that were typed before the panes that they are meant for were there. */
  private early: Action[] = [];

  constructor(state: DeckState, options: StoreOptions) {
    this.state = state;
    this.options = options;
    this.shownState = state;
    this.shownDisplay = options.display(state.theme);
    this.shown = picture(state, this.shownDisplay);
    this.shownPlaces = this.shown.blocks;
    this.clock = setInterval(() => this.dispatch({ type: "tick", now: Date.now() }), TICK_MS);
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** The picture of the last commit: the same object until something changed. */
  readonly picture = (): Picture => this.shown;

  /** Its blocks, for their places: the same object until one of these changed. */
  readonly places = (): readonly Block[] => this.shownPlaces;

  /** What to paint: blocks at the places that were found for them. */
  frame(placed: readonly Placement[]): Frame {
    const blocks = placed.flatMap(({ id, x, y }) => {
      const block = this.shown.blocks.find((it) => it.id === id);
      return block ? [{ ...block, x, y }] : [];
    });
    return { blocks, theme: this.shownDisplay.theme };
  }

  dispatch(action: Action): void {
    if (action.type === "key" && awaitsPanes(this.state) && chordOf(action.key) !== "ctrl-c") {
      this.early.push(action);
      return;
    }
    const { state, effects } = reduce(this.state, action);
    const changed = state !== this.state;
    this.state = state;
    if (changed) this.schedule(action.type !== "engine" && action.type !== "tick");
    for (const effect of effects) this.perform(effect);
    if (this.early.length > 0 && !awaitsPanes(this.state)) {
      for (const key of this.early.splice(0)) this.dispatch(key);
    }
  }

  /** Reads a script into the editor; `run` starts it. */
  openFile(path: string, run: boolean): void {
    this.perform({ type: "read-file", path, run });
  }

  connect(sudo = false): void {
    this.engine?.close();
    this.dispatch({ type: "engine-starting" });
    let current = true;
    const link = this.options.connect(
      {
        message: (message) => {
          if (current) this.dispatch({ type: "engine", message });
        },
        closed: (error) => {
          if (!current) return;
          this.engine = undefined;
          this.dispatch({ type: "engine-gone", error });
        },
      },
      sudo,
    );
    this.engine = {
      send: (message) => link.send(message),
      close: () => {
        current = false;
        link.close();
      },
    };
  }

  /** Draws what is pending without waiting for its time. */
  draw(): void {
    clearTimeout(this.later);
    if (this.soon) clearImmediate(this.soon);
    this.commit();
  }

  close(): void {
    clearInterval(this.clock);
    clearTimeout(this.later);
    clearTimeout(this.checkTimer);
    if (this.soon) clearImmediate(this.soon);
    this.engine?.close();
    this.engine = undefined;
  }

  private schedule(urgent: boolean): void {
    if (this.soon) return;
    if (urgent) {
      clearTimeout(this.later);
      this.later = undefined;
      this.soon = setImmediate(this.commit);
    } else {
      const wait = this.lastFrame + DATA_FRAME_MS - performance.now();
      this.later ??= setTimeout(this.commit, Math.max(DATA_WAIT_MS, wait));
    }
  }

  private readonly commit = (): void => {
    this.soon = undefined;
    this.later = undefined;
    this.lastFrame = performance.now();
    const display = this.options.display(this.state.theme);
    if (this.state === this.shownState && display === this.shownDisplay) return;
    this.shownState = this.state;
    this.shownDisplay = display;
    this.shown = picture(this.state, display, this.shown);
    if (!samePlaces(this.shown.blocks, this.shownPlaces)) this.shownPlaces = this.shown.blocks;
    for (const listener of this.listeners) listener();
  };

  private perform(effect: DeckEffect): void {
    (this.performers[effect.type] as (effect: DeckEffect) => void)(effect);
  }

  private readonly performers: {
    [Type in DeckEffect["type"]]: (effect: Extract<DeckEffect, { type: Type }>) => void;
  } = {
    send: ({ message }) => this.send(message),
    check: ({ id, source }) => {
      clearTimeout(this.checkTimer);
      this.checkTimer = setTimeout(() => this.send({ kind: "check", id, source }), CHECK_PAUSE_MS);
    },
    quit: () => this.options.terminal.quit(),
    redraw: () => this.options.terminal.redraw(),
    suspend: () => this.options.terminal.suspend(),
    copy: ({ text }) => this.options.terminal.copy(text),
    mouse: ({ on }) => this.options.terminal.mouse(on),
    save: ({ settings }) => this.options.settings.save(settings),
    "read-file": ({ path, run }) => this.readScript(path, run),
    "write-file": ({ path, text }) => void this.tell(writeFile(path, text), `wrote ${path}`),
    "restart-engine": ({ sudo }) => void this.restart(sudo),
  };

  private send(message: ClientMessage): void {
    if (this.engine) this.engine.send(message);
    else if (message.kind === "start") {
      const error = "there is no engine; :restart starts it anew";
      this.dispatch({
        type: "engine",
        message: { kind: "state", session: message.session, state: "failed", error },
      });
    }
  }

  private readScript(path: string, run: boolean): void {
    try {
      this.dispatch({ type: "open", source: readFileSync(path, "utf8"), name: basename(path), run });
    } catch (error) {
      this.dispatch({ type: "message", message: { text: (error as Error).message, level: "error" } });
    }
  }

  private async tell(work: Promise<unknown>, success: string): Promise<void> {
    try {
      await work;
      this.dispatch({ type: "message", message: { text: success, level: "info" } });
    } catch (error) {
      this.dispatch({ type: "message", message: { text: (error as Error).message, level: "error" } });
    }
  }

  private async restart(sudo: boolean): Promise<void> {
    if (sudo && !(await this.options.terminal.lend("sudo", ["-v"]))) {
      this.dispatch({ type: "message", message: { text: "sudo did not let us", level: "error" } });
      return;
    }
    this.connect(sudo);
  }
}
