/** `tracedeck list`: probes, their arguments, kernel structs. */

import { someOf } from "../engine/compile/check/nearest.ts";
import { missingHint } from "../engine/compile/check/program.ts";
import type { Kernel } from "../engine/compile/kernel.ts";
import { probeType } from "../engine/compile/tables/probeTypes.ts";
import { type KernelOptions, liveKernel, tracefsObstacle } from "../engine/kernel/live.ts";
import { ProcessError } from "../engine/kernel/processes.ts";
import {
  explainMissing,
  isTypePattern,
  listProbes,
  listTypes,
  type Probe,
  writeArguments,
} from "../engine/list/index.ts";
import { Sink } from "../engine/output/sink.ts";
import { HELP, type OptionRow, parseOptions, usageText } from "./options.ts";
import { requireProcess } from "./processes.ts";
import {
  finishOutput,
  guarded,
  isTerminal,
  print,
  reportDiagnostics,
  sayError,
  sayWarning,
} from "./report.ts";
import {
  DEBUGINFO,
  debugDirectories,
  kernelOptionsOf,
  parsePid,
  parseTraceable,
  type RunOptions,
  TRACEABLE_FUNCTIONS,
} from "./runOptions.ts";
import type { Source } from "./source.ts";

const OPTIONS: readonly OptionRow[] = [
  { name: "verbose", short: "v", help: "also show arguments, and the members of structs" },
  { name: "pid", short: "p", value: "PID", help: "also look in the binaries that this process has mapped" },
  DEBUGINFO,
  TRACEABLE_FUNCTIONS,
  HELP,
];

interface Listed {
  pattern: string;
  verbose: boolean;
  pid: number | undefined;
  kernelOptions: KernelOptions;
}

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

const stdout = (): Sink => new Sink(1, { terminal: isTerminal(1) });

function writeProbe(
  sink: Sink,
  kernel: Kernel,
  probe: Probe,
  { verbose, problem }: { verbose: boolean; problem?: (message: string) => void },
): void {
  for (let i = 0; i < probe.length; i++) {
    if (i > 0) sink.out.ascii(":");
    sink.out.name(probe[i]);
  }
  sink.out.ascii("\n");
  if (verbose) writeArguments(sink.out, kernel, probe, problem);
  sink.wrote();
}

/** Arguments of user functions come from debug info: where some programs have none, that is said. */
function sayMissingDebugInfo(kernel: Kernel, paths: Iterable<string>): void {
  const without: string[] = [];
  let hint = "";
  for (const path of paths) {
    try {
      const info = kernel.binaries(path)[0]?.debugInfo?.();
      if (!info || !("tried" in info)) continue;
      without.push(path);
      hint ||= missingHint(path, info);
    } catch (error) {
      sayWarning(error instanceof Error ? error.message : String(error));
    }
  }
  if (without.length === 1)
    sayWarning(`${without[0]} has no debug info, so arguments are not known: ${hint}`);
  else if (without.length > 1)
    sayWarning(
      `${without.length} of them have no debug info, so arguments are not known: ${someOf(without, 4)}; for the first, ${hint}`,
    );
}

/** Prints what a pattern lists; false: there is nothing. */
async function printListed({ pattern, verbose, pid, kernelOptions }: Listed): Promise<boolean> {
  const sink = stdout();
  let count = 0;
  let problem: string | undefined;
  if (isTypePattern(pattern)) {
    for (const type of listTypes(pattern, verbose)) {
      count++;
      sink.out.text(`${type}\n`);
      sink.wrote();
    }
    await finishOutput(sink);
  } else {
    const kernel = liveKernel(kernelOptions);
    const details = { verbose, problem: (message: string): void => void (problem ??= message) };
    const programs = new Set<string>();
    for (const probe of listProbes(kernel, pattern, pid)) {
      count++;
      writeProbe(sink, kernel, probe, details);
      if (verbose && probe[0] === "uprobe") programs.add(probe[1]);
    }
    await finishOutput(sink);
    sayMissingDebugInfo(kernel, programs);
  }
  if (problem !== undefined) sayWarning(`not all arguments are known: ${problem}`);
  return count > 0;
}

/** Types of which tracefs tells what there is. */
const OF_TRACEFS = new Set(["tracepoint", "rawtracepoint", "kprobe", "kretprobe", "fentry", "fexit"]);

function mayNeedTracefs(pattern: string): boolean {
  const type = probeType(pattern.split(":")[0])?.name;
  return type === undefined ? !isTypePattern(pattern) : OF_TRACEFS.has(type);
}

async function listMatches(
  patterns: string,
  verbose: boolean,
  pid?: number,
  kernelOptions: KernelOptions = {},
): Promise<boolean> {
  requireProcess(pid);
  if (/\./.test(patterns) && !/[:*]/.test(patterns)) {
    sayWarning(`there is no file '${patterns}': it is taken as a pattern`);
  }
  let matched = true;
  for (const pattern of patterns.split(",").map((part) => part.trim())) {
    if (await printListed({ pattern, verbose, pid, kernelOptions })) continue;
    matched = false;
    const { message, hint } = explainMissing(liveKernel(kernelOptions), pattern, pid);
    sayError(message, hint);
    const obstacle = mayNeedTracefs(pattern) ? tracefsObstacle() : undefined;
    if (obstacle) sayWarning(obstacle);
  }
  return matched;
}

/** Lists the probes that a script would attach. */
export async function listProgram(
  source: Source,
  options: RunOptions,
  parameters: string[],
): Promise<number> {
  requireProcess(options.pid);
  const { compileScript } = await import("./compileScript.ts");
  const { plan, diagnostics, files } = compileScript(source, options, parameters);
  reportDiagnostics(diagnostics, files);
  if (!plan) return 1;
  const kernel = liveKernel(kernelOptionsOf(options));
  const sink = stdout();
  for (const { name, via } of plan.probes) {
    if (via !== "begin" && via !== "end") writeProbe(sink, kernel, name.split(":"), options);
  }
  await finishOutput(sink);
  return 0;
}

/** What did not go well is said: a pattern that matches nothing, or a process that can't be looked at. */
export type ListEnd = "all matched" | "some matched nothing" | "refused";

/** Lists what matches a pattern, or several joined by commas. */
export async function listPattern(...asked: Parameters<typeof listMatches>): Promise<ListEnd> {
  try {
    return (await listMatches(...asked)) ? "all matched" : "some matched nothing";
  } catch (error) {
    // A process that ended meanwhile, or is another user's, is no fault of ours.
    if (!(error instanceof ProcessError)) throw error;
    sayError(error.message);
    return "refused";
  }
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
    const pattern = patterns.length > 0 ? patterns.join(",") : "*";
    const options = {
      debugDirectories: debugDirectories(values.debuginfo),
      traceableFunctions: parseTraceable(values["traceable-functions"]),
    };
    const end = await listPattern(pattern, values.verbose === true, pid, options);
    return end === "all matched" ? 0 : 1;
  });
}
