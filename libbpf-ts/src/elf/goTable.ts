// Go's own table of functions, .gopclntab, which its runtime needs and `strip` leaves in place (since Go 1.16):
//
//   u32 magic · u8 0 0 · u8 quantum · u8 pointer size · words: functions, files, [start of the text,] names, compilation units,
//   files, lines, function table: offsets from the header
//   function table: pairs (entry, place of the function's data from the table's start), then the end of the last function
//   function's data: entry · u32 offset of its name
//
// Before Go 1.18 entries are 64-bit addresses; since then they are 32 bits, counted from the start of the text.

import type { ElfFile } from "./file.ts";
import { StringTable } from "./strings.ts";
import { FUNCTION, type Table, WORDS } from "./symbolTables.ts";

interface Format {
  magic: number;
  /** Whether entries are counted from the start of the text, which the header has. */
  relative: boolean;
}

const FORMATS: readonly Format[] = [
  { magic: 0xfffffff1, relative: true },
  { magic: 0xfffffff0, relative: true },
  { magic: 0xfffffffa, relative: false },
];

const SECTIONS = [".gopclntab", ".data.rel.ro.gopclntab"];
const HEADER = 8 + 8 * 8;
const MOST_BYTES = 128 << 20;

/** The functions of a Go program as a symbol table; undefined: it is none, or of another Go. Throws ElfError where damaged. */
export function goTable(elf: ElfFile): Table | undefined {
  const section = SECTIONS.map((name) => elf.section(name)).find((found) => found !== undefined);
  if (!section || section.size < HEADER) return undefined;
  const header = elf.read(section.offset, HEADER);
  const format = FORMATS.find(({ magic }) => magic === header.readUInt32LE(0));
  if (!format || header[7] !== 8) return undefined;
  const fields = Array.from({ length: 8 }, (_, i) => Number(header.readBigUInt64LE(8 + i * 8)));
  const [count, , ...rest] = fields;
  const text = format.relative ? rest.shift()! : 0;
  const [names, units, , , table] = rest;
  if (table > section.size || names > units || units > section.size || section.size - table > MOST_BYTES) {
    return undefined;
  }
  const functions = elf.read(section.offset + table, section.size - table);
  return {
    words: wordsOf(functions, format, count, text),
    names: new StringTable(elf, { ...section, offset: section.offset + names, size: units - names }),
    code: [],
    covered: false,
  };
}

function wordsOf(bytes: Buffer, { relative }: Format, count: number, text: number): Uint32Array {
  const width = relative ? 4 : 8;
  const number = relative
    ? (at: number) => bytes.readUInt32LE(at)
    : (at: number) => Number(bytes.readBigUInt64LE(at));
  const whole = Math.min(count, Math.floor((bytes.length - width) / (2 * width)));
  const words = new Uint32Array(Math.max(0, whole) * WORDS);
  for (let i = 0, at = 0; i < whole; i++, at += WORDS) {
    const entry = number(i * 2 * width);
    const data = number((i * 2 + 1) * width);
    const end = number((i + 1) * 2 * width);
    if (data + width + 4 > bytes.length || end < entry) continue;
    const address = text + entry;
    words[at] = bytes.readUInt32LE(data + width);
    words[at + 1] = FUNCTION;
    words[at + 2] = address;
    words[at + 3] = Math.floor(address / 2 ** 32);
    words[at + 4] = end - entry;
  }
  return words;
}
