/** What a process has mapped where: its executable memory, ascending, from /proc/PID/maps or from perf's events. */
import type { FileSymbols } from "./files.ts";

export interface Mapping {
  start: number;
  end: number;
  fileOffset: number;
  /** Of its file, as /proc/PID/maps has it. */
  device: string;
  /** "" or "//anon" for anonymous memory, "[vdso]" and its kind as they are. */
  path: string;
  /** Wall clock, ms: when it was seen. A file that has changed since is another one. */
  seen: number;
  /** The symbols of its file, once asked for. Mappings are shared by a process and the children it forks. */
  symbols?: { found: FileSymbols | undefined };
}

/** Memory that belongs to no file, where a JIT may have put code. */
export const isAnonymous = ({ path }: Mapping): boolean =>
  path === "" || path.startsWith("//anon") || path.startsWith("[");

/** Memory of memfd_create(2): its path names no file that could be opened. */
export const isMemoryFile = ({ path }: Mapping): boolean => path.startsWith("/memfd:");

/** The mapping that holds an address. */
export function mappingAt(mappings: readonly Mapping[], address: number): Mapping | undefined {
  let low = 0;
  let high = mappings.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const mapping = mappings[middle];
    if (address < mapping.start) high = middle - 1;
    else if (address >= mapping.end) low = middle + 1;
    else return mapping;
  }
  return undefined;
}

/** The mappings with one more, which takes the place of what it lies over. */
export function withMapping(mappings: readonly Mapping[], added: Mapping): Mapping[] {
  const kept = mappings.flatMap((mapping) => {
    if (mapping.end <= added.start || mapping.start >= added.end) return [mapping];
    const pieces: Mapping[] = [];
    if (mapping.start < added.start) pieces.push({ ...mapping, end: added.start });
    if (mapping.end > added.end) {
      const cut = added.end - mapping.start;
      pieces.push({ ...mapping, start: added.end, fileOffset: mapping.fileOffset + cut });
    }
    return pieces;
  });
  const at = kept.findIndex(({ start }) => start > added.start);
  kept.splice(at < 0 ? kept.length : at, 0, added);
  return kept;
}
