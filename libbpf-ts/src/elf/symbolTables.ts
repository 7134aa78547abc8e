// The symbol tables of an ELF file as they lie there: .symtab, and .dynsym, which is what stripped libraries keep.

import { type ElfFile, SectionType } from "./file.ts";
import { StringTable } from "./strings.ts";

/** Bytes and 32-bit words of one entry: name, info|other|section, address (2 words), size (2 words). */
const ENTRY = 24;
export const WORDS = 6;
/** The second word of a function that is in some section. */
export const FUNCTION = 0x10002;
const EXECUTABLE = 4;
const DOLLAR = 0x24;

export interface Table {
  words: Uint32Array;
  names: StringTable;
  /** By section: whether it holds code. */
  code: readonly boolean[];
  /** Another table of the same file has all of these too. */
  covered: boolean;
}

function readTable(elf: ElfFile, type: number): Table | undefined {
  const section = elf.sections.find((candidate) => candidate.type === type);
  const strings = section && elf.sections[section.link];
  if (!section || !strings || section.size === 0) return undefined;
  const entries = elf.sectionData(section);
  const count = Math.floor(entries.length / ENTRY);
  const words =
    entries.byteOffset % 4 === 0
      ? new Uint32Array(entries.buffer, entries.byteOffset, count * WORDS)
      : new Uint32Array(new Uint8Array(entries).buffer, 0, count * WORDS);
  const code = elf.sections.map(({ flags }) => (flags & EXECUTABLE) !== 0);
  return { words, names: new StringTable(elf, strings), code, covered: false };
}

/** Those that the file itself has. */
export function tablesOf(elf: ElfFile): Table[] {
  const all = readTable(elf, SectionType.symtab);
  const dynamic = readTable(elf, SectionType.dynsym);
  // Linkers put dynamic symbols into both; a symbol table that was thinned out is the smaller one.
  if (all && dynamic) dynamic.covered = all.words.length >= dynamic.words.length;
  return [all, dynamic].filter((table) => table !== undefined);
}

/** Defined: in a section, and not at address zero. */
export function isDefined(words: Uint32Array, at: number): boolean {
  return words[at + 1] >>> 16 !== 0 && (words[at + 2] !== 0 || words[at + 3] !== 0);
}

export function isFunction(words: Uint32Array, at: number): boolean {
  const type = words[at + 1] & 15;
  return type === 2 || type === 10;
}

/** Labels of hand-written assembler have no type; on arm64, "$x" and its kind mark what follows. */
export function isLabel({ words, names, code }: Table, at: number): boolean {
  const info = words[at + 1];
  return (
    (info & 15) === 0 &&
    (code[info >>> 16] ?? false) &&
    words[at] !== 0 &&
    names.firstByte(words[at]) !== DOLLAR
  );
}
