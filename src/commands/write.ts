/** Writing to the person at the prompt, at once and without Node's streams. */
const { writeSync } = process.getBuiltinModule("node:fs");

/** Writes to a descriptor; a reader that has gone is no error. */
function writeTo(fd: number, text: string): void {
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

/** On standard error. Where that can't be written, nobody can be told so. */
export function complain(text: string): void {
  try {
    writeTo(2, text);
  } catch {
    // A full disk.
  }
}

/** What is said when standard output can't be written; undefined: something else went wrong. */
export function outputProblem(error: unknown): string | undefined {
  const { syscall, message } = error as NodeJS.ErrnoException;
  return syscall === "write" ? `the output can't be written: ${message}` : undefined;
}
