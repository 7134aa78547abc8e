/** `tracedeck run`: a script from arguments to exit code. */
import { VERSION } from "../version.ts";
import { requireProcess } from "./processes.ts";
import { complain, guarded, print, reportDiagnostics, sayError } from "./report.ts";
import { kernelOptionsOf, parseRunOptions, RUN_USAGE, type RunOptions, type Stage } from "./runOptions.ts";
import { takeSource } from "./source.ts";

const { existsSync } = process.getBuiltinModule("node:fs");

const COMPILE_FAILED = 1;

type Stages = Partial<Record<"ast" | "typed" | "ir" | "bpf", () => string>>;

const STAGE_TITLES: Record<Exclude<Stage, "verifier">, { key: keyof Stages; title: string }> = {
  ast: { key: "ast", title: "Syntax tree" },
  types: { key: "typed", title: "Checked program" },
  ir: { key: "ir", title: "Intermediate code" },
  bpf: { key: "bpf", title: "BPF instructions" },
};

function printStages(stages: Stages, wanted: readonly Stage[]): void {
  const several = wanted.length > 1;
  for (const stage of wanted) {
    if (stage === "verifier") continue;
    const { key, title } = STAGE_TITLES[stage];
    const text = stages[key]?.();
    if (text === undefined) continue;
    print(
      `${several ? `${title}\n${"-".repeat(title.length)}\n` : ""}${text.trimEnd()}\n${several ? "\n" : ""}`,
    );
  }
}

async function listInstead(options: RunOptions): Promise<number> {
  const { listProgram, listPattern } = await import("./list.ts");
  const [pattern] = options.positionals;
  if (options.program !== undefined || (pattern !== undefined && existsSync(pattern))) {
    const { source, left } = takeSource(options.program, options.positionals);
    return listProgram(source, options, left);
  }
  const end = await listPattern(pattern ?? "*", options.verbose, options.pid, kernelOptionsOf(options));
  // As bpftrace, which finds nothing to complain of in a pattern without matches.
  return end === "refused" ? 1 : 0;
}

export function main(args: string[]): Promise<number> {
  return guarded(async () => {
    if (args.length === 0) {
      complain(RUN_USAGE());
      return 1;
    }
    const options = parseRunOptions(args);
    if (options.show === "help") print(RUN_USAGE());
    if (options.show === "version") print(`tracedeck ${VERSION}\n`);
    if (options.show === "info") return (await import("./info.ts")).main([]);
    if (options.show) return 0;
    if (options.list) return listInstead(options);
    return compileAndTrace(options, args);
  });
}

async function compileAndTrace(options: RunOptions, args: readonly string[]): Promise<number> {
  const { source, left } = takeSource(options.program, options.positionals);
  const printsOnly = options.stages.length > 0 && !options.stages.includes("verifier");
  if (!printsOnly) {
    const { tracingObstacle } = await import("./privileges.ts");
    const obstacle = tracingObstacle(["run", ...args]);
    if (obstacle) {
      sayError(obstacle.what, obstacle.fix);
      return 1;
    }
  }
  requireProcess(options.pid);
  options.dwarfPids.forEach(requireProcess);
  const { compileScript } = await import("./compileScript.ts");
  const { diagnostics, plan, files, stages } = compileScript(source, options, left);
  printStages(stages, options.stages);
  const shown = options.noWarnings ? diagnostics.filter(({ severity }) => severity === "error") : diagnostics;
  reportDiagnostics(shown, files);
  if (!plan || diagnostics.some(({ severity }) => severity === "error")) return COMPILE_FAILED;
  if (printsOnly) return 0;
  if (options.mode) return (await import("./trials.ts")).runTrials(plan, files, options);
  const { trace } = await import("./trace.ts");
  return trace(plan, files, options);
}
