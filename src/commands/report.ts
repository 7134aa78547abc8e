/** How commands speak to the person at the prompt: on standard error, in colour where that is wanted. */
import type { Diagnostic } from "../engine/compile/diagnostic.ts";
import { renderDiagnostics, type SourceFile } from "../engine/compile/render.ts";
import { UsageError } from "./options.ts";

const { writeSync } = process.getBuiltinModule("node:fs");
const { isatty } = process.getBuiltinModule("node:tty");

/** Colour by NO_COLOR, by bpftrace's own BPFTRACE_COLOR, else when both streams are terminals. */
export function wantsColor(environment = process.env): boolean {
  if (environment.NO_COLOR) return false;
  if (environment.BPFTRACE_COLOR === "always") return true;
  return environment.BPFTRACE_COLOR !== "never" && isatty(1) && isatty(2);
}

/** Writes to a descriptor at once; a reader that has gone is no error. */
export function writeTo(fd: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let from = 0; from < bytes.length; ) {
    try {
      from += writeSync(fd, bytes, from);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EAGAIN") continue;
      if (code === "EPIPE" || code === "EIO") return;
      throw error;
    }
  }
}

export const print = (text: string): void => writeTo(1, text);
export const complain = (text: string): void => writeTo(2, text);

export const sayError = (message: string, hint?: string): void =>
  complain(`ERROR: ${message}\n${hint ? `HINT: ${hint}\n` : ""}`);

export const sayWarning = (message: string): void => complain(`WARNING: ${message}\n`);

export function reportDiagnostics(
  diagnostics: readonly Diagnostic[],
  files: readonly SourceFile[],
  write: (text: string) => void = complain,
): void {
  const text = renderDiagnostics(diagnostics, files, { color: wantsColor(), width: process.stderr.columns });
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
