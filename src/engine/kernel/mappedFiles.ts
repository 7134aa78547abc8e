/** The files that processes have mapped to execute: the program itself and its libraries. */
import { readdirSync } from "node:fs";
import { type Mount, MountTable, ownMounts, readMounts, UNKNOWN } from "./mounts.ts";
import {
  DELETED,
  type ExecutableMapping,
  fileSystemOf,
  livingThread,
  mapFile,
  mappingsOf,
} from "./processes.ts";
import { askReader } from "./readers.ts";

/** Of one process, or of all, each file once, by a path that opens it from here. What nobody answers for is left out. */
export function mappedFiles(pid?: number): string[] {
  /** By device and inode. */
  const files = new Map<string, string | undefined>();
  const tables = new Map<string, MountTable>();
  for (const one of pid === undefined ? processes() : [pid]) {
    const place = placeOf(one, tables);
    for (const mapping of place ? mappingsOf(one) : []) {
      const file = `${mapping.device} ${mapping.inode}`;
      if (files.has(file) || !mapping.path.startsWith("/")) continue;
      const { path, mount } = fileOf(one, mapping, place!);
      files.set(file, !mount || askReader({ exists: path }, mount) ? path : undefined);
    }
  }
  return [...files.values()].filter((path) => path !== undefined);
}

const processes = (): number[] =>
  readdirSync("/proc").flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []));

interface Place {
  root: string;
  mounts: MountTable;
}

/** Undefined: the process is gone, or not ours to look at. */
function placeOf(pid: number, tables: Map<string, MountTable>): Place | undefined {
  try {
    const { key, root } = fileSystemOf(pid);
    if (root === "") return { root, mounts: ownMounts() };
    const mounts = tables.get(key) ?? new MountTable(() => readMounts(livingThread(pid)), root);
    tables.set(key, mounts);
    return { root, mounts };
  } catch {
    return undefined;
  }
}

/** `mount`: whose server must answer first. A file that was replaced or removed is still there for its mapping. */
function fileOf(
  pid: number,
  mapping: ExecutableMapping,
  { root, mounts }: Place,
): { path: string; mount?: Mount } {
  const { device, path } = mapping;
  if (!path.endsWith(DELETED)) return { path: root + path, mount: mounts.served(path) };
  const isLocal = mounts.isLocal(device) || ownMounts().isLocal(device);
  return { path: mapFile(pid, mapping), mount: isLocal ? undefined : { ...UNKNOWN, device, point: path } };
}
