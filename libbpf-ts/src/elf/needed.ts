// The libraries that a program names for the loader, and where it says to look for them first.

import type { ElfFile } from "./file.ts";
import { stringAt } from "./file.ts";

const Tag = { needed: 1, rpath: 15, runpath: 29 } as const;
const DYNAMIC = 6;
/** Libraries and directories of one program. */
const MOST = 1024;

export interface NeededLibraries {
  /** "libm.so.6" */
  names: string[];
  /** Directories, `$ORIGIN` as it is written. */
  searchPaths: string[];
}

/** Empty for static programs. */
export function neededLibraries(elf: ElfFile): NeededLibraries {
  const needed: NeededLibraries = { names: [], searchPaths: [] };
  const section = elf.sections.find(({ type }) => type === DYNAMIC);
  const strings = section && elf.sections[section.link];
  if (!section || !strings) return needed;
  const entries = elf.sectionData(section);
  const names = elf.sectionData(strings);
  for (let at = 0; at + 16 <= entries.length; at += 16) {
    if (needed.names.length + needed.searchPaths.length > MOST) break;
    const tag = entries.readUInt32LE(at);
    const value = entries.readUInt32LE(at + 8);
    if (tag === Tag.needed) needed.names.push(stringAt(names, value));
    else if (tag === Tag.rpath || tag === Tag.runpath) {
      needed.searchPaths.push(...stringAt(names, value).split(":"));
    }
  }
  return needed;
}
