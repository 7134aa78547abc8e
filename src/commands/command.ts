/** What a command is, and the table of them. A command's code is loaded when it is called: none pays for another. */

export interface Command {
  /** Runs with the arguments after the command's name; resolves to the exit code. */
  main(args: string[]): Promise<number>;
}

export interface CommandRow {
  name: string;
  summary: string;
  load(): Promise<Command>;
}

const headless = async (name: keyof typeof import("./headless.ts").HEADLESS): Promise<Command> =>
  (await import("./headless.ts")).HEADLESS[name]();

export const COMMANDS: readonly CommandRow[] = [
  {
    name: "deck",
    summary: "open the deck (what tracedeck does without a command)",
    load: () => import("./deck.ts"),
  },
  {
    name: "run",
    summary: "run a script and print what it prints, with bpftrace's arguments",
    load: () => headless("run"),
  },
  {
    name: "check",
    summary: "compile a script without loading it: diagnostics and exit code 1, or nothing and 0",
    load: () => headless("check"),
  },
  {
    name: "list",
    summary: "list probes, their arguments and kernel structs",
    load: () => headless("list"),
  },
  {
    name: "info",
    summary: "what this kernel and user can do, and how to get what is missing",
    load: () => headless("info"),
  },
  {
    name: "engine",
    summary: "serve a deck over standard input and output (started by the deck)",
    load: () => headless("engine"),
  },
];
