/** `tracedeck`: the deck. Its command line; the rest is loaded when there is something to open. */
import { parseShare } from "../share.ts";
import type { DeckOptions } from "../tui/index.ts";
import { complain, print } from "./write.ts";

const USAGE = `Usage: tracedeck [deck] [--run] [--max-overhead SHARE] [SCRIPT]

Opens the deck: an editor for a script in the bpftrace language, and the script's maps and output as they grow.
SCRIPT is opened in the editor, and with --run runs at once. A script that takes more than SHARE of all CPUs' time, say 5%,
is stopped. Inside, ? lists the keys.
`;

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

function refuse(message: string): number {
  complain(`tracedeck: ${message}\n`);
  return 1;
}

export async function main(args: string[]): Promise<number> {
  if (args.some((arg) => arg === "-h" || arg === "--help")) {
    print(USAGE);
    return 0;
  }
  const options = parseArguments(args);
  if (typeof options === "string") return refuse(options);
  const { openDeck, terminalProblem } = await import("../tui/index.ts");
  const problem = terminalProblem();
  return problem === undefined ? openDeck(options) : refuse(problem);
}
