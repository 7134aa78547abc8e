/** Arguments → one of the commands. */
import { COMMANDS } from "./commands/command.ts";
import { complain, print } from "./commands/write.ts";
import { nearest } from "./engine/compile/check/nearest.ts";
import { VERSION } from "./version.ts";

function help(): string {
  const width = Math.max(...COMMANDS.map(({ name }) => name.length)) + 2;
  const rows = COMMANDS.map(({ name, summary }) => `  ${name.padEnd(width)}${summary}`);
  return [
    "tracedeck: a live tracing dashboard for the terminal, in the bpftrace language",
    "",
    "Usage:",
    "  tracedeck [SCRIPT]              open the deck",
    "  tracedeck COMMAND [OPTIONS]     see `tracedeck COMMAND --help`",
    "",
    "Commands:",
    ...rows,
    "",
    "First steps:",
    "  sudo tracedeck",
    "  sudo tracedeck run -e 'tracepoint:syscalls:sys_enter_openat { @[comm] = count(); }'",
    "  sudo tracedeck list 'tracepoint:sched:*' -v",
    "",
  ].join("\n");
}

/** Runs a command; resolves to the exit code. */
export async function main(args: string[]): Promise<number> {
  const [first = "deck", ...rest] = args;
  const command = COMMANDS.find(({ name }) => name === first);
  if (command) return (await command.load()).main(rest);
  if (first === "--help" || first === "-h" || first === "help") {
    print(help());
    return 0;
  }
  if (first === "--version" || first === "-V") {
    print(`tracedeck ${VERSION}\n`);
    return 0;
  }
  const isScript = !first.startsWith("-") && /[./]/.test(first);
  if (isScript || /^--(run|max-overhead)\b/.test(first)) {
    return (await COMMANDS.find(({ name }) => name === "deck")!.load()).main(args);
  }
  if (first.startsWith("-")) {
    complain(
      `tracedeck: the deck has no option '${first}'\nbpftrace's are those of run: tracedeck run ${first}\n`,
    );
    return 1;
  }
  const [close] = nearest(
    first,
    COMMANDS.map(({ name }) => name),
  );
  const hint = close ? `did you mean 'tracedeck ${close}'?` : "see `tracedeck --help`";
  complain(`tracedeck: unknown command '${first}'\n${hint}\n`);
  return 1;
}
