/** The files that processes have mapped to execute: the program itself and its libraries. */
import { readdirSync } from "node:fs";
import { DELETED, mapFile, mappingsOf } from "./processes.ts";

/** Of one process, or of all, each file once, by a path that opens it from here. `rootOf` gives what to put before a process's paths. */
export function mappedFiles(pid: number | undefined, rootOf: (pid: number) => string): string[] {
  /** By device and inode. */
  const files = new Map<string, string>();
  const pids =
    pid === undefined
      ? readdirSync("/proc")
          .filter((name) => /^\d+$/.test(name))
          .map(Number)
      : [pid];
  for (const one of pids) {
    const root = rootOf(one);
    for (const mapping of mappingsOf(one)) {
      const { device, inode, path } = mapping;
      const file = `${device} ${inode}`;
      if (files.has(file) || !path.startsWith("/")) continue;
      // A file that was replaced or removed is still there for its mapping.
      files.set(file, path.endsWith(DELETED) ? mapFile(one, mapping) : root + path);
    }
  }
  return [...files.values()];
}
