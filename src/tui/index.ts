/**
 * The first thing of the deck that runs: takes the screen and shows a skeleton before React, Ink and the rest are
 * loaded, so that something is there within a few milliseconds.
 */
import { readlinkSync, writeSync } from "node:fs";
import type { LibraryScript } from "../panes/pane.ts";
import type { SavedSettings } from "./state.ts";
import { ENTER, LEAVE } from "./terminal/enter.ts";

/** What the deck loads when it needs it, and not before. */
export interface Lazy {
  library(): Promise<LibraryScript[]>;
  /** Keeps these settings in `folder`. */
  saveSettings(folder: string, settings: Partial<SavedSettings>): Promise<void>;
}

export interface DeckOptions {
  /** A script to open, and whether to run it at once. */
  file?: string;
  run: boolean;
  /** Percent of all CPUs' time; undefined: as it was set the last time. */
  maxOverhead?: number;
  lazy: Lazy;
}

/** Adds to the settings that `conf` keeps in a folder. */
export async function writeSettings(folder: string, settings: Partial<SavedSettings>): Promise<void> {
  const { default: Conf } = await import("conf");
  new Conf<Partial<SavedSettings>>({ cwd: folder, projectName: "tracedeck", clearInvalidConfig: true }).set(
    settings,
  );
}

const lazy: Lazy = {
  library: async () => (await import("../library/index.ts")).loadLibrary(),
  saveSettings: writeSettings,
};

/** What ends a program that does not handle it, and would leave the terminal as it is. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** By its name, as far as that tells: Node's own way loads its terminals first, which takes a sixth of the start. */
function isTerminal(descriptor: number): boolean {
  try {
    if (/^\/dev\/(pts\/\d+|tty\w+)$/.test(readlinkSync(`/proc/self/fd/${descriptor}`))) return true;
  } catch {
    // No /proc.
  }
  return descriptor === 0 ? process.stdin.isTTY : process.stdout.isTTY;
}

/** Why there can be no deck here. */
export function terminalProblem(): string | undefined {
  if (process.env.TERM === "dumb")
    return "this terminal can't move its cursor; `tracedeck run` prints instead";
  return [0, 1].every(isTerminal) ? undefined : "the deck needs a terminal; `tracedeck run` prints instead";
}

/** Opens the deck; resolves to the exit code when it was left. */
export async function openDeck(options: Omit<DeckOptions, "lazy">): Promise<number> {
  const restore = () => {
    process.stdin.setRawMode(false);
    process.stdout.write(LEAVE);
  };
  process.once("exit", restore);
  // One that comes while the deck loads is handled when it has loaded, which has handlers of its own by then.
  const stop = () => process.exit(1);
  for (const signal of SIGNALS) process.on(signal, stop);
  writeSync(1, `${ENTER}\x1b[H\x1b[1m tracedeck\x1b[m`);
  // From here on keys are the deck's; those typed while it loads wait for it.
  process.stdin.setRawMode(true);
  const { runDeck } = await import("./main.ts");
  process.off("exit", restore);
  const left = runDeck({ ...options, lazy });
  for (const signal of SIGNALS) process.off(signal, stop);
  return left;
}
