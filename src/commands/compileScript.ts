/** A script and a command's options → a plan for this machine, or diagnostics. */
import { compile } from "../engine/compile/compile.ts";
import type { CompileResult } from "../engine/compile/index.ts";
import { liveKernel } from "../engine/kernel/live.ts";
import { kernelOptionsOf, type RunOptions } from "./runOptions.ts";
import type { Source } from "./source.ts";

export function compileScript(source: Source, options: RunOptions, parameters: string[]): CompileResult {
  return compile(source.text, liveKernel(kernelOptionsOf(options)), {
    fileName: source.name,
    positional: [...parameters, ...options.moreParameters],
    named: options.named,
    unsafe: options.unsafe,
    includePaths: options.includeDirectories,
    includes: options.includeFiles,
    pid: options.pid,
    command: options.command,
    warnHelperErrors: options.runtimeWarnings,
    guarded: options.maxOverhead !== undefined,
    environment: process.env,
    mode: options.mode,
    probeFilter: options.probeFilter,
  });
}
