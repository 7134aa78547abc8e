/**
 * The first thing of the deck that runs: takes the screen and shows a skeleton before React, Ink and the rest are
 * loaded, so that something is there within a few milliseconds.
 */
import { readlinkSync, writeSync } from "node:fs";
import type { LibraryScript } from "../panes/pane.ts";
import { parseShare } from "../share.ts";
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

const USAGE = `Usage: tracedeck [deck] [--run] [--max-overhead SHARE] [SCRIPT]

Opens the deck: an editor for a script in the bpftrace language, and the script's maps and output as they grow.
SCRIPT is opened in the editor, and with --run runs at once. A script that takes more than SHARE of all CPUs' time, say 5%,
is stopped. Inside, ? lists the keys.
`;

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

function refuse(message: string): number {
  process.stderr.write(`tracedeck: ${message}\n`);
  return 1;
}

/** What the command line says, or what is wrong with it. */
function parseArguments(args: readonly string[]): Omit<DeckOptions, "lazy"> | string {
  const files: string[] = [];
  let run = false;
  let maxOverhead: number | undefined;
  for (let i = 0; i < args.length; i++) {
    const [name, value] = args[i].split(/=(.*)/s);
    if (args[i] === "--run") run = true;
    else if (name === "--max-overhead") {
      maxOverhead = parseShare(value ?? args[++i] ?? "");
      if (maxOverhead === undefined)
        return "--max-overhead takes percent of all CPUs' time, above 0 and up to 100: --max-overhead 5%";
    } else if (name.startsWith("-")) return `the deck has no option ${name}; see \`tracedeck deck --help\``;
    else files.push(args[i]);
  }
  if (files.length > 1) return "the deck opens one script";
  if (run && files.length === 0) return "--run what? `tracedeck deck --run SCRIPT`";
  return { file: files[0], run, maxOverhead };
}

export async function openDeck(args: string[]): Promise<number> {
  if (args.some((arg) => arg === "-h" || arg === "--help")) {
    process.stdout.write(USAGE);
    return 0;
  }
  const options = parseArguments(args);
  if (typeof options === "string") return refuse(options);
  if (process.env.TERM === "dumb")
    return refuse("this terminal can't move its cursor; `tracedeck run` prints instead");
  if (![0, 1].every(isTerminal)) return refuse("the deck needs a terminal; `tracedeck run` prints instead");

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
