/**
 * The first thing of the deck that runs: takes the screen and shows a skeleton before React, Ink and the rest are
 * loaded, so that something is there within a few milliseconds.
 */
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
  lazy: Lazy;
}

const USAGE = `Usage: tracedeck [deck] [--run] [SCRIPT]

Opens the deck: an editor for a script in the bpftrace language, and the script's maps and output as they grow.
SCRIPT is opened in the editor, and with --run runs at once. Inside, ? lists the keys.
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

function refuse(message: string): number {
  process.stderr.write(`tracedeck: ${message}\n`);
  return 1;
}

export async function openDeck(args: string[]): Promise<number> {
  const { stdin, stdout, env } = process;
  if (args.some((arg) => arg === "-h" || arg === "--help")) {
    stdout.write(USAGE);
    return 0;
  }
  const run = args.includes("--run");
  const [file, ...more] = args.filter((arg) => arg !== "--run");
  const unknown = [file ?? "", ...more].find((arg) => arg.startsWith("-"));
  if (unknown) return refuse(`the deck has no option ${unknown}; see \`tracedeck deck --help\``);
  if (more.length > 0) return refuse("the deck opens one script");
  if (run && file === undefined) return refuse("--run what? `tracedeck deck --run SCRIPT`");
  if (!stdin.isTTY || !stdout.isTTY)
    return refuse("the deck needs a terminal; `tracedeck run` prints instead");
  if (env.TERM === "dumb")
    return refuse("this terminal can't move its cursor; `tracedeck run` prints instead");

  const restore = () => {
    stdin.setRawMode(false);
    stdout.write(LEAVE);
  };
  process.once("exit", restore);
  // From here on keys are the deck's; those typed while it loads wait for it.
  stdin.setRawMode(true);
  stdout.write(`${ENTER}\x1b[H\x1b[1m tracedeck\x1b[m`);
  const { runDeck } = await import("./main.ts");
  process.off("exit", restore);
  return runDeck({ file, run, lazy });
}
