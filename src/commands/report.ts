/** How commands speak to the person at the prompt: on standard error, in colour where that is wanted. */
import type { Diagnostic } from "../engine/compile/diagnostic.ts";
import { renderDiagnostics, type SourceFile } from "../engine/compile/render.ts";
import type { Sink } from "../engine/output/sink.ts";
import { UsageError } from "./options.ts";
import { complain } from "./write.ts";

export { complain, print } from "./write.ts";

const { fstatSync } = process.getBuiltinModule("node:fs");

/** Memory devices: /dev/null and its kind are character devices too. */
const MEMORY_MAJOR = 1;

/** Whether a descriptor is a terminal. Node's own isatty() comes with its network stack, 6 ms of start-up. */
export function isTerminal(fd: number): boolean {
  try {
    const stat = fstatSync(fd);
    return stat.isCharacterDevice() && stat.rdev >> 8 !== MEMORY_MAJOR;
  } catch {
    return false;
  }
}

/** Colour by NO_COLOR, by bpftrace's own BPFTRACE_COLOR, else when both streams are terminals. */
export function wantsColor(environment = process.env): boolean {
  if (environment.NO_COLOR) return false;
  if (environment.BPFTRACE_COLOR === "always") return true;
  return environment.BPFTRACE_COLOR !== "never" && isTerminal(1) && isTerminal(2);
}

/** Writes everything. Throws what kept it from being written, unless the reader has gone. */
export async function finishOutput(sink: Sink): Promise<void> {
  await sink.close();
  if (sink.failure && sink.failure.code !== "EPIPE") throw sink.failure;
}

export const sayError = (message: string, hint?: string): void =>
  complain(`ERROR: ${message}\n${hint ? `HINT: ${hint}\n` : ""}`);

export const sayWarning = (message: string): void => complain(`WARNING: ${message}\n`);

const terminalWidth = (): number | undefined => (isTerminal(2) ? process.stderr.columns : undefined);

export function reportDiagnostics(
  diagnostics: readonly Diagnostic[],
  files: readonly SourceFile[],
  write: (text: string) => void = complain,
): void {
  const text = renderDiagnostics(diagnostics, files, { color: wantsColor(), width: terminalWidth() });
  if (text) write(text);
}

/** Runs a command's body: wrong arguments become a message and exit code 1. */
export async function guarded(body: () => Promise<number>): Promise<number> {
  try {
    return await body();
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    sayError(error.message, error.hint);
    return 1;
  }
}
