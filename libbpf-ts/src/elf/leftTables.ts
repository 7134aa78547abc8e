// What a stripped file still has of its symbols, beside .dynsym: packed in its section .gnu_debugdata, or what Go's runtime needs.

import { ElfFile } from "./file.ts";
import { goTable } from "./goTable.ts";
import { type Table, tablesOf } from "./symbolTables.ts";
import { unpackXz } from "./xz.ts";

/** What unpacked symbol tables may take. */
const MOST_UNPACKED = 64 << 20;

function packedTables(elf: ElfFile): Table[] {
  const section = elf.section(".gnu_debugdata");
  return section ? tablesOf(ElfFile.of(unpackXz(elf.sectionData(section), MOST_UNPACKED), elf.path)) : [];
}

/** Empty where there is nothing, or it is damaged. */
export function leftTables(elf: ElfFile): Table[] {
  return [packedTables, (file: ElfFile) => goTable(file) ?? []].flatMap((read) => {
    try {
      return read(elf);
    } catch {
      return [];
    }
  });
}
