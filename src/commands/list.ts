/** `tracedeck list`: probes, their arguments, kernel structs. */
import { missingHint } from "../engine/compile/check/program.ts";
import { probeType } from "../engine/compile/tables/probeTypes.ts";
import { liveKernel, tracefsObstacle } from "../engine/kernel/live.ts";
import { argumentLines, explainMissing, isTypePattern, listProbes, listTypes } from "../engine/list/index.ts";
import { HELP, type OptionRow, parseOptions, usageText } from "./options.ts";
import { guarded, print, reportDiagnostics, sayError, sayWarning } from "./report.ts";
import { DEBUGINFO, debugDirectories, parsePid, type RunOptions } from "./runOptions.ts";
import type { Source } from "./source.ts";

const OPTIONS: readonly OptionRow[] = [
  { name: "verbose", short: "v", help: "also show arguments, and the members of structs" },
  { name: "pid", short: "p", value: "PID", help: "also look in the binaries that this process has mapped" },
  DEBUGINFO,
  HELP,
];

const usage = (): string =>
  usageText(
    ["tracedeck list [OPTIONS] [PATTERN...]"],
    "Lists probes. Patterns may hold * and ?; several may be joined by commas.",
    OPTIONS,
    [
      "Examples:",
      "  tracedeck list 'tracepoint:sched:*' -v",
      "  tracedeck list '*open*'",
      "  tracedeck list 'uprobe:/bin/bash:read*'",
      "  tracedeck list -v 'struct task_struct'",
    ].join("\n"),
  );

function* linesOf(
  pattern: string,
  verbose: boolean,
  pid: number | undefined,
  debugDirectories: readonly string[],
): Iterable<string> {
  if (isTypePattern(pattern)) {
    yield* listTypes(pattern, verbose);
    return;
  }
  const kernel = liveKernel(debugDirectories);
  let problem: string | undefined;
  for (const probe of listProbes(kernel, pattern, pid)) {
    yield probe;
    if (!verbose) continue;
    for (const line of argumentLines(kernel, probe, (message) => (problem ??= message))) yield `    ${line}`;
  }
  if (problem !== undefined) sayWarning(`not all arguments are known: ${problem}`);
}

function printLines(lines: Iterable<string>): number {
  let text = "";
  let count = 0;
  for (const line of lines) {
    count++;
    text += `${line}\n`;
    if (text.length > 64 * 1024) {
      print(text);
      text = "";
    }
  }
  print(text);
  return count;
}

/** Arguments of user functions come from debug info: where there is none, that is said once for each program. */
function sayMissingDebugInfo(
  patterns: readonly string[],
  pid: number | undefined,
  directories: readonly string[],
): void {
  const paths = new Set<string>();
  for (const pattern of patterns) {
    const [type, path] = pattern.trim().split(":");
    if (!path || probeType(type)?.name !== "uprobe") continue;
    for (const binary of liveKernel(directories).binaries(path, pid)) {
      if (paths.has(binary.path)) continue;
      paths.add(binary.path);
      try {
        const info = binary.debugInfo?.();
        if (info && "tried" in info)
          sayWarning(
            `${binary.path} has no debug info, so arguments are not known: ${missingHint(binary.path, info)}`,
          );
      } catch (error) {
        sayWarning(error instanceof Error ? error.message : String(error));
      }
    }
  }
}

/** Lists what matches a pattern, or several joined by commas. 1: one of them matches nothing, which is said. */
export async function listPattern(
  patterns: string,
  verbose: boolean,
  pid?: number,
  debugDirectories: readonly string[] = [],
): Promise<number> {
  if (/\./.test(patterns) && !/[:*]/.test(patterns)) {
    sayWarning(`there is no file '${patterns}': it is taken as a pattern`);
  }
  let status = 0;
  for (const pattern of patterns.split(",").map((part) => part.trim())) {
    if (printLines(linesOf(pattern, verbose, pid, debugDirectories)) > 0) {
      if (verbose) sayMissingDebugInfo([pattern], pid, debugDirectories);
      continue;
    }
    status = 1;
    const { message, hint } = explainMissing(liveKernel(debugDirectories), pattern, pid);
    sayError(message, hint);
    const obstacle = tracefsObstacle();
    if (obstacle) sayWarning(obstacle);
  }
  return status;
}

/** Lists the probes that a script would attach. */
export async function listProgram(
  source: Source,
  options: RunOptions,
  parameters: string[],
): Promise<number> {
  const { compileScript } = await import("./compileScript.ts");
  const { plan, diagnostics, files } = compileScript(source, options, parameters);
  reportDiagnostics(diagnostics, files);
  if (!plan) return 1;
  const kernel = liveKernel(options.debugDirectories);
  for (const { name, via } of plan.probes) {
    if (via === "begin" || via === "end") continue;
    print(`${name}\n`);
    if (options.verbose) for (const line of argumentLines(kernel, name)) print(`    ${line}\n`);
  }
  return 0;
}

export function main(args: string[]): Promise<number> {
  return guarded(async () => {
    const { values, positionals, rest } = parseOptions(args, OPTIONS);
    if (values.help) {
      print(usage());
      return 0;
    }
    const patterns = [...positionals, ...rest];
    const pid = parsePid(values.pid as string | undefined);
    return listPattern(
      patterns.length > 0 ? patterns.join(",") : "*",
      values.verbose === true,
      pid,
      debugDirectories(values.debuginfo),
    );
  });
}
