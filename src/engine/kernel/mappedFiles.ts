/** The files that processes have mapped to execute: the program itself and its libraries. */
import { readdirSync, readFileSync } from "node:fs";

/** "55d0c0a00000-55d0c0a9e000 r-xp 00027000 08:01 1574 /usr/bin/bash" */
const LINE = /^([0-9a-f]+-[0-9a-f]+) ..x. [0-9a-f]+ ([0-9a-f]+:[0-9a-f]+) (\d+) +(\/.*)$/gm;
const DELETED = " (deleted)";

/** Device and inode → a path that opens the file from here. Files of a process that ends meanwhile are left out. */
function addFiles(pid: number, root: string, into: Map<string, string>): void {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/maps`, "latin1");
  } catch {
    return;
  }
  for (const [, range, device, inode, path] of text.matchAll(LINE)) {
    const file = `${device} ${inode}`;
    if (into.has(file)) continue;
    // A file that was replaced or removed is still there for its mapping.
    into.set(file, path.endsWith(DELETED) ? `/proc/${pid}/map_files/${range}` : root + path);
  }
}

/** Of one process, or of all, each file once. `rootOf` gives what to put before a process's paths. */
export function mappedFiles(pid: number | undefined, rootOf: (pid: number) => string): string[] {
  const files = new Map<string, string>();
  const pids =
    pid === undefined
      ? readdirSync("/proc")
          .filter((name) => /^\d+$/.test(name))
          .map(Number)
      : [pid];
  for (const one of pids) addFiles(one, rootOf(one), files);
  return [...files.values()];
}
