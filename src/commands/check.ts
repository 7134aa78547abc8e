/** `tracedeck check`: diagnostics for editors and CI. Needs no rights and loads nothing. */
import { HELP, type OptionRow, parseOptions, usageText } from "./options.ts";
import { requireProcess } from "./processes.ts";
import { guarded, print, reportDiagnostics } from "./report.ts";
import { parseRunOptions, RUN_OPTIONS } from "./runOptions.ts";
import { takeSource } from "./source.ts";

/** Those of `run` that decide what a script means. */
const OPTIONS: readonly OptionRow[] = [
  { name: "e", value: "PROGRAM", help: "check this program" },
  ...[
    "pid",
    "cmd",
    "I",
    "include",
    "debuginfo",
    "traceable-functions",
    "no-feature",
    "probe-filter",
    "test",
    "bench",
    "mode",
    "unsafe",
  ].map((name) => RUN_OPTIONS.find((row) => row.name === name)!),
  { name: "no-warnings", help: "print errors only" },
  HELP,
];

const usage = (): string =>
  usageText(
    [
      "tracedeck check [OPTIONS] FILE [PARAMETER...]",
      "tracedeck check [OPTIONS] -e 'PROGRAM'",
      "tracedeck check [OPTIONS] - < FILE",
    ],
    "Compiles a script without loading it. Exit code 1 and diagnostics when it has errors, else 0 and nothing.",
    OPTIONS,
  );

export function main(args: string[]): Promise<number> {
  return guarded(async () => {
    const { values } = parseOptions(args, OPTIONS);
    if (values.help) {
      print(usage());
      return 0;
    }
    const options = parseRunOptions(args);
    const { source, left } = takeSource(options.program, options.positionals);
    requireProcess(options.pid);
    const { compileScript } = await import("./compileScript.ts");
    const { diagnostics, files } = compileScript(source, options, left);
    const errors = diagnostics.filter(({ severity }) => severity === "error");
    reportDiagnostics(options.noWarnings ? errors : diagnostics, files, print);
    return errors.length > 0 ? 1 : 0;
  });
}
