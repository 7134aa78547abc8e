// Separate debug files: what distributions strip from a binary goes to a file of its own, found by
//
//   build id          /usr/lib/debug/.build-id/ab/cdef….debug
//   .gnu_debuglink    its name, NUL, padding, CRC32: beside the binary, in .debug beside it, or below /usr/lib/debug

import { basename, dirname, isAbsolute, join } from "node:path";
import { crc32 } from "node:zlib";
import { ElfFile } from "./file.ts";

const DEBUG_DIRECTORY = "/usr/lib/debug";

interface DebugLink {
  name: string;
  crc: number;
}

function debugLink(elf: ElfFile): DebugLink | undefined {
  const section = elf.section(".gnu_debuglink");
  if (!section || section.size < 8) return undefined;
  const bytes = elf.sectionData(section);
  const end = bytes.indexOf(0);
  const name = bytes.toString("utf8", 0, Math.max(0, end));
  return name !== "" && basename(name) === name
    ? { name, crc: bytes.readUInt32LE(bytes.length - 4) }
    : undefined;
}

const PIECE = 1 << 20;
/** Bytes of the largest file that is read through for its checksum: a container's may be sparse and endless. */
const MOST_SUMMED = 2 ** 31;

function crcOf(elf: ElfFile): number | undefined {
  if (elf.size > MOST_SUMMED) return undefined;
  let crc = 0;
  for (let at = 0; at < elf.size; at += PIECE) crc = crc32(elf.read(at, Math.min(PIECE, elf.size - at)), crc);
  return crc;
}

/** Opens the path if it is an ELF file of the same build. */
function openSame(path: string, buildId: string | undefined, crc: number | undefined): ElfFile | undefined {
  if (buildId === undefined && crc === undefined) return undefined;
  let elf: ElfFile | undefined;
  try {
    elf = ElfFile.open(path);
    if (buildId === undefined ? crcOf(elf) === crc : elf.buildId() === buildId) return elf;
  } catch {
    // Not there, or damaged.
  }
  elf?.[Symbol.dispose]();
  return undefined;
}

/**
 * Every path at which the separate debug file of a binary may be, in the order they are tried. `directories`: places to look
 * in first, relative ones seen from the binary's.
 */
export function debugFilePaths(elf: ElfFile, root = "", directories: readonly string[] = []): string[] {
  const id = elf.buildId();
  const directory = dirname(elf.path.startsWith(`${root}/`) ? elf.path.slice(root.length) : elf.path);
  const link = debugLink(elf);
  const byId = id ? `.build-id/${id.slice(0, 2)}/${id.slice(2)}.debug` : undefined;
  const extra = directories
    .map((place) => (isAbsolute(place) ? place : join(dirname(elf.path), place)))
    .flatMap((place) => [byId, link?.name].flatMap((name) => (name ? [join(place, name)] : [])));
  const inside = [
    ...(byId ? [join(DEBUG_DIRECTORY, byId)] : []),
    ...(link ? [directory, join(directory, ".debug"), join(DEBUG_DIRECTORY, directory)] : []).map((place) =>
      join(place, link!.name),
    ),
  ];
  // What is not in a container's own file system may be in ours.
  const roots = root === "" ? [""] : [root, ""];
  const paths = [...extra, ...roots.flatMap((prefix) => inside.map((path) => prefix + path))];
  return [...new Set(paths)].filter((path) => path !== elf.path);
}

/**
 * The file with the symbols and debug information of a stripped one, open; undefined where there is none of the same build.
 * `root`: what the file's own path and the debug directories lie below, as in /proc/PID/root.
 */
export function debugFileOf(
  elf: ElfFile,
  root = "",
  directories: readonly string[] = [],
): ElfFile | undefined {
  const id = elf.buildId();
  const link = debugLink(elf);
  for (const path of debugFilePaths(elf, root, directories)) {
    const found = openSame(path, id, link?.crc);
    if (found) return found;
  }
  return undefined;
}
