/** Debug info of a program: its own, or that of the separate file that its distribution keeps. */
import { Dwarf, debugFileOf, debugFilePaths, ElfFile } from "libbpf-ts";
import type { MissingDebugInfo, UserDebugInfo } from "../compile/kernel.ts";
import { DwarfTypes } from "./dwarfTypes.ts";

/** Throws ElfError or DwarfError where a file is damaged. `root` and `directories`: see `debugFilePaths`. */
export function readDebugInfo(
  path: string,
  root: string,
  directories: readonly string[],
): UserDebugInfo | MissingDebugInfo {
  using elf = ElfFile.open(path);
  const own = Dwarf.isIn(elf);
  const file = own ? ElfFile.open(path) : debugFileOf(elf, root, directories);
  if (file && (own || Dwarf.isIn(file))) {
    // The segments are all that is needed of the program once it is closed.
    return new DwarfTypes(Dwarf.of(elf, file), elf);
  }
  file?.[Symbol.dispose]();
  return { tried: debugFilePaths(elf, root, directories), ...(file ? { stripped: file.path } : {}) };
}
