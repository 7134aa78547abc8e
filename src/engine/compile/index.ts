/** Script text → loadable plan. Pure: the kernel is an argument. */
import type { Diagnostic } from "./diagnostic.ts";
import type { Kernel } from "./kernel.ts";
import type { Plan } from "./plan.ts";

export interface CompileOptions {
  /** Shown in diagnostics: "stdin", "script.bt". */
  fileName?: string;
  /** Positional parameters ($1…) and named ones (--name=value after --). */
  positional?: string[];
  named?: Record<string, string | true>;
  unsafe?: boolean;
  /** Directories searched first by #include (-I), and headers read before the script's own (--include). */
  includePaths?: readonly string[];
  includes?: readonly string[];
  /** -p PID, or the command line of -c. */
  pid?: number;
  command?: string;
  /** Runtime errors reported (-k). */
  warnHelperErrors?: boolean;
  /** BPFTRACE_* environment variables, which win over the config block. */
  environment?: Record<string, string | undefined>;
  /** The programs keep to a budget of CPU time (`GlobalsLayout.guard`). */
  guarded?: boolean;
  /** bench / test mode. */
  mode?: "trace" | "bench" | "test";
  /** Only probes whose name it finds are attached; begin, end and self always. */
  probeFilter?: RegExp;
}

export interface CompileResult {
  diagnostics: Diagnostic[];
  /** Sources by Span.file. */
  files: { name: string; text: string }[];
  plan?: Plan;
  /** For -d: lazily printed stages. */
  stages: Partial<Record<"ast" | "typed" | "ir" | "bpf", () => string>>;
}

export type Compile = (source: string, kernel: Kernel, options?: CompileOptions) => CompileResult;

export { compile } from "./compile.ts";
