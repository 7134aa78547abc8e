/** Where a script comes from: -e, a file, or standard input. */
import { UsageError } from "./options.ts";

const { readFileSync } = process.getBuiltinModule("node:fs");

export interface Source {
  name: string;
  text: string;
}

const REASONS: Record<string, string> = {
  ENOENT: "No such file or directory",
  EACCES: "Permission denied",
  EISDIR: "Is a directory",
};

/** Reads a file, or standard input for "-". Throws UsageError with the reason in words. */
export function readSource(path: string): Source {
  try {
    return { name: path === "-" ? "stdin" : path, text: readFileSync(path === "-" ? 0 : path, "utf8") };
  } catch (error) {
    const { code = "", message } = error as NodeJS.ErrnoException;
    throw new UsageError(`failed to open file '${path}': ${REASONS[code] ?? message}`);
  }
}

/** The script of `-e PROGRAM`, or the first positional argument as a file, and the positional arguments left. */
export function takeSource(
  program: string | undefined,
  positionals: string[],
): { source: Source; left: string[] } {
  if (program !== undefined) return { source: { name: "stdin", text: program }, left: positionals };
  const [file, ...left] = positionals;
  if (file === undefined) {
    throw new UsageError("no script: give a file, '-' for standard input, or -e 'program'");
  }
  return { source: readSource(file), left };
}
