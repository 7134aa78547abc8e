/** Unwind tables of files, kept by the files' identity: the next script needs them again. */
import { ElfFile, type ElfSegment, statWithin, type UnwindTable, unwindTable } from "libbpf-ts";
import type { FileQuestion } from "../symbols/files.ts";
import { vdsoFile } from "../symbols/vdso.ts";

export interface FileTable extends UnwindTable {
  path: string;
  /** Where its code is in the file and at which addresses. */
  code: readonly Pick<ElfSegment, "offset" | "vaddr" | "fileSize">[];
}

/** What the tables of all files may take here. */
const MOST_BYTES = 64 << 20;
const BYTES_PER_ROW = 6;

const EXECUTABLE = 1;

function tableOf(elf: ElfFile): FileTable | undefined {
  const table = unwindTable(elf);
  if (!table) return undefined;
  const code = elf.segments.filter(({ type, flags }) => type === 1 && flags & EXECUTABLE);
  return { ...table, path: elf.path, code };
}

/** undefined: no table can be had of it. */
const cache = new Map<string, FileTable | undefined>();

const bytesOf = (table: FileTable | undefined): number => (table?.starts.length ?? 0) * BYTES_PER_ROW;

function keep(identity: string, table: FileTable | undefined): void {
  cache.delete(identity);
  cache.set(identity, table);
  let bytes = 0;
  for (const kept of cache.values()) bytes += bytesOf(kept);
  for (const [oldest, kept] of cache) {
    if (bytes <= MOST_BYTES || oldest === identity) break;
    cache.delete(oldest);
    bytes -= bytesOf(kept);
  }
}

/** `table` undefined: it has none, or is damaged. */
export interface KnownFile {
  identity: string;
  table: FileTable | undefined;
}

/** Undefined: there is no such file, or not the same any more. */
export function fileTable({ path, unchangedSince }: FileQuestion): KnownFile | undefined {
  try {
    const { dev, ino, mtimeMs, ctimeMs } = statWithin(path);
    if (unchangedSince !== undefined && ctimeMs > unchangedSince) return undefined;
    const identity = `${dev}:${ino}:${mtimeMs}`;
    const known = cache.has(identity);
    const table = known ? cache.get(identity) : readTable(path);
    keep(identity, table);
    return { identity, table };
  } catch {
    return undefined;
  }
}

function readTable(path: string): FileTable | undefined {
  try {
    using elf = ElfFile.open(path);
    return tableOf(elf);
  } catch {
    // Not ELF, or damaged: its code is walked by frame pointers.
    return undefined;
  }
}

let vdso: KnownFile | undefined;

/** All processes have the same. */
export function vdsoTable(): KnownFile {
  if (!vdso) {
    vdso = { identity: "[vdso]", table: undefined };
    try {
      const file = vdsoFile();
      vdso.table = file && tableOf(file);
    } catch {
      // No /proc/self/mem, or nothing to unwind by.
    }
  }
  return vdso;
}
