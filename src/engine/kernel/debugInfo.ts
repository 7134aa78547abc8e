/** Debug info of a program: its own, or that of the separate file that its distribution keeps. */
import { Dwarf, debugFileOf, debugFilePaths, ElfFile } from "libbpf-ts";
import type { MissingDebugInfo, UserDebugInfo } from "../compile/kernel.ts";
import { DwarfTypes } from "./dwarfTypes.ts";

/** "/proc/PID/root" of a path in another process's root; else "". */
const rootOf = (path: string): string => /^\/proc\/\d+\/root(?=\/)/.exec(path)?.[0] ?? "";

/** Throws ElfError or DwarfError where a file is damaged. `directories` are looked in before those of the system. */
export function readDebugInfo(
  path: string,
  directories: readonly string[],
): UserDebugInfo | MissingDebugInfo {
  using elf = ElfFile.open(path);
  const root = rootOf(path);
  const own = Dwarf.isIn(elf);
  const file = own ? ElfFile.open(path) : debugFileOf(elf, root, directories);
  if (file && (own || Dwarf.isIn(file))) {
    // The segments are all that is needed of the program once it is closed.
    return new DwarfTypes(Dwarf.of(elf, file), elf);
  }
  file?.[Symbol.dispose]();
  return { tried: debugFilePaths(elf, root, directories), ...(file ? { stripped: file.path } : {}) };
}
