// String tables of ELF files. A browser's takes a hundred megabytes, of which a stack needs some names: a long one stays in
// the file, and each name is read when it is asked for.

import { type ElfFile, type ElfSection, LONGEST_NAME, stringAt } from "./file.ts";

/** Bytes of the longest table that is read as a whole. */
const MOST_HELD = 4 << 20;
/** A name is read in pieces of so many bytes. */
const PIECE = 512;
const UNDERSCORE = 0x5f;

export class StringTable {
  readonly #elf: ElfFile;
  readonly #section: ElfSection;
  #bytes: Buffer | undefined;

  constructor(elf: ElfFile, section: ElfSection) {
    this.#elf = elf;
    this.#section = section;
    if (section.size <= MOST_HELD) this.#bytes = elf.sectionData(section);
  }

  /** The whole table, from now on in memory: the file may be closed. */
  hold(): Buffer {
    this.#bytes ??= this.#elf.sectionData(this.#section);
    return this.#bytes;
  }

  /** What the names are read from one by one; it must stay open meanwhile. */
  get file(): ElfFile | undefined {
    return this.#bytes ? undefined : this.#elf;
  }

  /** Memory that it takes. */
  get bytes(): number {
    return this.#bytes?.length ?? 0;
  }

  /** The name at an offset; "" beyond the end, or where the file can't be read any more. */
  at(offset: number): string {
    if (this.#bytes) return stringAt(this.#bytes, offset);
    for (let size = PIECE; ; size *= 4) {
      const piece = this.#read(offset, Math.min(size, LONGEST_NAME));
      if (piece.includes(0) || piece.length < size) return stringAt(piece, 0);
    }
  }

  /** How many underscores a name begins with, counted up to `most`. */
  underscores(offset: number, most: number): number {
    const bytes = this.#bytes ? this.#bytes.subarray(offset, offset + most) : this.#read(offset, most);
    const count = bytes.findIndex((byte) => byte !== UNDERSCORE);
    return count < 0 ? bytes.length : count;
  }

  /** 0 beyond the end. */
  firstByte(offset: number): number {
    return (this.#bytes ? this.#bytes[offset] : this.#read(offset, 1)[0]) ?? 0;
  }

  #read(offset: number, size: number): Buffer {
    const left = Math.max(0, this.#section.size - offset);
    try {
      return this.#elf.read(this.#section.offset + offset, Math.min(size, left));
    } catch {
      return Buffer.alloc(0);
    }
  }
}
