/** dist/cli.js: arguments → exit code. */
import { writeFileSync } from "node:fs";
import { main } from "./cli.ts";
import { complain, outputProblem } from "./commands/write.ts";

try {
  // Scripts see this name in begin and end (comm), pgrep finds it; the command line stays as it was typed.
  writeFileSync("/proc/self/comm", "tracedeck");
} catch {
  // No /proc: node it is.
}

main(process.argv.slice(2))
  .catch((error: unknown) => {
    const problem = outputProblem(error);
    if (problem !== undefined) {
      complain(`ERROR: ${problem}\n`);
      return 1;
    }
    const { message, stack } = error instanceof Error ? error : new Error(String(error));
    const more = process.env.TRACEDECK_DEBUG
      ? `\n${stack}`
      : "\nThis is a bug. TRACEDECK_DEBUG=1 shows where.";
    complain(`tracedeck: internal error: ${message}${more}\n`);
    return 255;
  })
  .then((code) => process.exit(code));
