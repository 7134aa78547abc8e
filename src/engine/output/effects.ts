/** What actions do to the machine besides printing: cat() reads a file, system() runs a command. */

export interface Effects {
  /** The first `limit` bytes; throws when the file can't be read. */
  readFile(path: string, limit: number): Uint8Array;
  /** What the command wrote to standard output. Its standard error is ours. */
  run(command: string): Uint8Array;
}

const { openSync, readSync, closeSync } = process.getBuiltinModule("node:fs");

export const EFFECTS: Effects = {
  readFile(path, limit) {
    const file = openSync(path, "r");
    try {
      const bytes = new Uint8Array(limit);
      let length = 0;
      for (let read = 1; read > 0 && length < limit; length += read) {
        read = readSync(file, bytes, length, limit - length, null);
      }
      return bytes.subarray(0, length);
    } finally {
      closeSync(file);
    }
  },
  run(command) {
    // Loaded when a script first runs a command: few do, and it costs milliseconds.
    const { spawnSync } = process.getBuiltinModule("node:child_process");
    const { stdout, error } = spawnSync("sh", ["-c", command], {
      stdio: ["inherit", "pipe", "inherit"],
      maxBuffer: 64 * 1024 * 1024,
    });
    if (error) throw error;
    return stdout;
  },
};
