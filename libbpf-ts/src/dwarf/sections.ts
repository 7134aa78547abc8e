// Debug sections, read piece by piece: debug info of hundreds of megabytes never comes into memory as a whole, unless it
// is compressed, which leaves no other way.
//
//   compressed: SHF_COMPRESSED, then u32 type (1 zlib, 2 zstd), u32, u64 size, u64 alignment, the stream
//   .zdebug_*:  "ZLIB", u64 size (big-endian), the stream: what GNU tools wrote before 2015

import * as zlib from "node:zlib";
import { ElfError, type ElfFile, type ElfSection, SectionType } from "../elf/file.ts";
import { Cursor, DwarfError } from "./cursor.ts";

const SHF_COMPRESSED = 0x800;
/** A window of the file that is kept, for the many small reads beside one another. */
const WINDOW = 1 << 16;
/** More than this is not held in memory. */
const MAX_INFLATED = 2 ** 30;
/** A text longer than this is cut: without an end, every entry could have the whole section for its name. */
const LONGEST_TEXT = 1 << 12;

const textDecoder = new TextDecoder();

export type SectionName =
  | "abbrev"
  | "addr"
  | "aranges"
  | "info"
  | "line"
  | "line_str"
  | "loc"
  | "loclists"
  | "ranges"
  | "rnglists"
  | "str"
  | "str_offsets"
  | "types";

/** Bytes by offset, from memory or from the file. */
export class Section {
  readonly size: number;
  readonly #name: string;
  readonly #read: (offset: number, size: number) => Uint8Array;
  #window: Uint8Array = new Uint8Array(0);
  #windowAt = 0;

  constructor(name: string, size: number, read: (offset: number, size: number) => Uint8Array) {
    this.#name = name;
    this.size = size;
    this.#read = read;
  }

  /** Throws DwarfError outside the section. */
  bytes(offset: number, size: number): Uint8Array {
    if (!(offset >= 0) || !(size >= 0) || offset + size > this.size)
      throw new DwarfError(`the debug info is damaged: it points outside ${this.#name}`);
    return this.#read(offset, size);
  }

  /** At most `most` bytes from an offset; fewer at the section's end. */
  upTo(offset: number, most: number): Uint8Array {
    const size = Math.min(most, this.size - offset);
    if (!(size >= 0) || offset < 0) return this.bytes(offset, most);
    if (most > WINDOW) return this.bytes(offset, size);
    const within = offset - this.#windowAt;
    if (within < 0 || within + size > this.#window.length) {
      this.#window = this.bytes(offset, Math.min(WINDOW, this.size - offset));
      this.#windowAt = offset;
      return this.#window.subarray(0, size);
    }
    return this.#window.subarray(within, within + size);
  }

  /** Reads with a cursor over the bytes from an offset: a little first, all that follows if that is too little. */
  parse<T>(offset: number, read: (cursor: Cursor) => T): T {
    for (let most = 4096; ; most *= 16) {
      const bytes = this.upTo(offset, most);
      const whole = bytes.length < most;
      try {
        return read(new Cursor(bytes));
      } catch (error) {
        if (whole || !(error instanceof DwarfError)) throw error;
      }
    }
  }

  /** The zero-terminated text at an offset, cut where it is longer than names are. */
  text(offset: number): string {
    const bytes = this.upTo(offset, LONGEST_TEXT);
    const end = bytes.indexOf(0);
    return textDecoder.decode(end < 0 ? bytes : bytes.subarray(0, end));
  }
}

function inflate(name: string, kind: number, packed: Uint8Array, size: number): Buffer {
  if (size > MAX_INFLATED)
    throw new DwarfError(`${name} has ${size} bytes when unpacked, more than is held in memory`);
  const limit = { maxOutputLength: Math.max(1, size) };
  const zstd = (zlib as { zstdDecompressSync?: typeof zlib.inflateSync }).zstdDecompressSync;
  if (kind === 2 && !zstd)
    throw new DwarfError(
      `${name} is compressed with zstd, which this Node.js (${process.version}) cannot unpack: use Node.js 22.15 or later, or unpack it with objcopy --decompress-debug-sections`,
    );
  if (kind !== 1 && kind !== 2)
    throw new DwarfError(`${name} is compressed in a way not known (type ${kind})`);
  let bytes: Buffer;
  try {
    bytes = kind === 1 ? zlib.inflateSync(packed, limit) : zstd!(packed, limit);
  } catch {
    throw new DwarfError(`${name} is damaged: it does not unpack`);
  }
  if (bytes.length !== size) throw new DwarfError(`${name} is damaged: it unpacks to another size`);
  return bytes;
}

function unpacked(elf: ElfFile, section: ElfSection): Buffer {
  const bytes = elf.sectionData(section);
  if (section.flags & SHF_COMPRESSED) {
    const head = new Cursor(bytes);
    const kind = head.u32();
    head.take(4);
    const size = head.u64();
    head.take(8);
    return inflate(section.name, kind, bytes.subarray(head.at), size);
  }
  if (bytes.length < 12 || bytes.toString("latin1", 0, 4) !== "ZLIB")
    throw new DwarfError(`${section.name} is damaged: it does not unpack`);
  return inflate(section.name, 1, bytes.subarray(12), Number(bytes.readBigUInt64BE(4)));
}

/** The debug sections of one open file, each prepared when it is first read. */
export class Sections {
  readonly #elf: ElfFile;
  readonly #known = new Map<SectionName, Section | undefined>();

  constructor(elf: ElfFile) {
    this.#elf = elf;
  }

  get(name: SectionName): Section | undefined {
    if (!this.#known.has(name)) this.#known.set(name, this.#open(name));
    return this.#known.get(name);
  }

  /** A section that something refers to. */
  need(name: SectionName): Section {
    const section = this.get(name);
    if (!section) throw new DwarfError(`the debug info refers to .debug_${name}, which is missing`);
    return section;
  }

  #open(name: SectionName): Section | undefined {
    const elf = this.#elf;
    const old = elf.section(`.zdebug_${name}`);
    const found = elf.section(`.debug_${name}`) ?? old;
    if (!found || found.type === SectionType.nobits || found.size === 0) return undefined;
    if (found === old || found.flags & SHF_COMPRESSED) {
      const bytes = unpacked(elf, found);
      return new Section(found.name, bytes.length, (offset, size) => bytes.subarray(offset, offset + size));
    }
    return new Section(found.name, found.size, (offset, size) => {
      try {
        return elf.read(found.offset + offset, size);
      } catch (error) {
        if (error instanceof ElfError) throw new DwarfError(error.message);
        throw error;
      }
    });
  }
}
