// ELF files: only what tracing needs, read piece by piece, for a binary can be hundreds of megabytes. 64-bit
// little-endian files, which is all that x86-64 and arm64 run natively.
//
//   file:    header | program headers (what is mapped where) | … | section headers (what is where)
//   address: p_vaddr + (file offset − p_offset), for the segment that holds it; before the loader moves a PIE or a library

import { closeSync, readSync } from "node:fs";
import { openFileWithin } from "../within.ts";
import { type ArchiveMember, archiveMember } from "./archive.ts";

export interface ElfSegment {
  type: number;
  /** Bit 0 executable, 1 writable, 2 readable. */
  flags: number;
  offset: number;
  vaddr: number;
  fileSize: number;
  memSize: number;
}

export interface ElfSection {
  name: string;
  type: number;
  flags: number;
  addr: number;
  offset: number;
  size: number;
  link: number;
  entrySize: number;
}

export interface ElfNote {
  name: string;
  type: number;
  desc: Buffer;
  section: string;
}

export const SegmentType = { load: 1, dynamic: 2, interp: 3, note: 4 } as const;
export const SectionType = { symtab: 2, strtab: 3, note: 7, nobits: 8, dynsym: 11 } as const;

/** Not an ELF file, one of another kind, or a damaged one. */
export class ElfError extends Error {
  constructor(path: string, message: string) {
    super(`${path}: ${message}`);
    this.name = "ElfError";
  }
}

const HEADER = 64;
/** Tables longer than this are not of this world. */
const MAX_TABLE = 1 << 28;

function number64(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * 2 ** 32;
}

/** Where the bytes come from; `read` fills the whole buffer, or throws. */
interface Source {
  size: number;
  identity: string;
  read(into: Buffer, offset: number): void;
  close(): void;
}

/** A path may come from another process: nothing but a regular file is read, and opening never waits. */
function openSource(path: string): Source {
  const file = openFileWithin(path);
  if (!file) throw new ElfError(path, "not a regular file");
  const { fd, stat } = file;
  return {
    size: stat.size,
    identity: `${stat.dev}:${stat.ino}:${stat.mtimeMs}`,
    read: (into, offset) => {
      for (let done = 0; done < into.length; ) {
        const got = readSync(fd, into, done, into.length - done, offset + done);
        if (got === 0) throw new ElfError(path, `the file ends before byte ${offset + into.length}`);
        done += got;
      }
    },
    close: () => closeSync(fd),
  };
}

/** A part of a file as if it were all of it. */
const within = (source: Source, { offset: start, size }: ArchiveMember): Source => ({
  ...source,
  size,
  identity: `${source.identity}+${start}`,
  read: (into, offset) => source.read(into, start + offset),
});

/** An open ELF file. Disposing closes it. */
export class ElfFile implements Disposable {
  readonly path: string;
  readonly machine: "x64" | "arm64" | number;
  /** Position-independent: a library or a PIE. */
  readonly relocatable: boolean;
  /** Address of the first instruction of a program; 0 in most libraries. */
  readonly entry: number;
  readonly segments: ElfSegment[];
  readonly sections: ElfSection[];
  /** Device, inode and time of change: what a cache of the file's symbols depends on. */
  readonly identity: string;
  #source: Source;
  #closed = false;

  private constructor(path: string, source: Source) {
    this.path = path;
    this.#source = source;
    this.identity = source.identity;
    const header = this.read(0, HEADER);
    if (header.readUInt32BE(0) !== 0x7f454c46) throw new ElfError(path, "not an ELF file");
    if (header[4] !== 2 || header[5] !== 1)
      throw new ElfError(path, "only 64-bit little-endian ELF files can be read");
    const machine = header.readUInt16LE(18);
    this.machine = machine === 62 ? "x64" : machine === 183 ? "arm64" : machine;
    this.relocatable = header.readUInt16LE(16) === 3;
    this.entry = number64(header, 24);
    this.segments = this.#readSegments(
      number64(header, 32),
      header.readUInt16LE(54),
      header.readUInt16LE(56),
    );
    this.sections = this.#readSections(
      number64(header, 40),
      header.readUInt16LE(58),
      header.readUInt16LE(60),
      header.readUInt16LE(62),
    );
  }

  /** Opens a file, or a member of an archive (`archive.ts`); throws ElfError, or Node's error where it can't be opened. */
  static open(path: string): ElfFile {
    const member = archiveMember(path);
    const source = member ? within(openSource(member.archive), member) : openSource(path);
    try {
      return new ElfFile(path, source);
    } catch (error) {
      source.close();
      throw error;
    }
  }

  /** One that is in memory; `path` is its name in messages. Throws ElfError. */
  static of(bytes: Uint8Array, path: string): ElfFile {
    return new ElfFile(path, {
      size: bytes.length,
      identity: path,
      read: (into, offset) => into.set(bytes.subarray(offset, offset + into.length)),
      close: () => {},
    });
  }

  /** Bytes of the file; throws ElfError beyond its end, and once it is closed. */
  read(offset: number, size: number): Buffer {
    // The descriptor's number may be another file's by now.
    if (this.#closed) throw new ElfError(this.path, "it is closed");
    if (size < 0 || size > MAX_TABLE || offset < 0 || offset + size > this.#source.size) {
      throw new ElfError(this.path, `the file ends before byte ${offset + size}`);
    }
    const bytes = Buffer.allocUnsafe(size);
    this.#source.read(bytes, offset);
    return bytes;
  }

  /** Bytes of the whole file. */
  get size(): number {
    return this.#source.size;
  }

  section(name: string): ElfSection | undefined {
    return this.sections.find((section) => section.name === name);
  }

  sectionData(section: ElfSection): Buffer {
    return section.type === SectionType.nobits ? Buffer.alloc(0) : this.read(section.offset, section.size);
  }

  /** Where in the file the byte at an address is, for uprobes; undefined for addresses that no segment loads. */
  fileOffset(address: number): number | undefined {
    const segment = this.segments.find(
      ({ type, vaddr, fileSize }) =>
        type === SegmentType.load && address >= vaddr && address < vaddr + fileSize,
    );
    return segment && address - segment.vaddr + segment.offset;
  }

  /** The address at which a byte of the file is loaded; for the executable segment first. */
  address(fileOffset: number): number | undefined {
    const holders = this.segments.filter(
      ({ type, offset, fileSize }) =>
        type === SegmentType.load && fileOffset >= offset && fileOffset < offset + fileSize,
    );
    const segment = holders.find(({ flags }) => flags & 1) ?? holders[0];
    return segment && fileOffset - segment.offset + segment.vaddr;
  }

  /** Every note of the file's note sections, or of its note segments where it has no sections. */
  notes(): ElfNote[] {
    const sections = this.sections.filter(({ type }) => type === SectionType.note);
    const segments = this.segments.filter(({ type }) => type === SegmentType.note);
    const parts =
      sections.length > 0 ? sections : segments.map((s) => ({ ...s, size: s.fileSize, name: "" }));
    if (parts.reduce((sum, { size }) => sum + size, 0) > this.size)
      throw new ElfError(this.path, "its notes are larger than the file");
    return parts.flatMap(({ offset, size, name }) => parseNotes(this.read(offset, size), name));
  }

  /** The build id in hexadecimal. */
  buildId(): string | undefined {
    return this.notes()
      .find(({ name, type }) => name === "GNU" && type === 3)
      ?.desc.toString("hex");
  }

  [Symbol.dispose](): void {
    if (!this.#closed) this.#source.close();
    this.#closed = true;
  }

  #readSegments(offset: number, entrySize: number, count: number): ElfSegment[] {
    if (count === 0) return [];
    if (entrySize < 56) throw new ElfError(this.path, "its program headers are too small");
    const table = this.read(offset, entrySize * count);
    return Array.from({ length: count }, (_, i) => {
      const at = i * entrySize;
      return {
        type: table.readUInt32LE(at),
        flags: table.readUInt32LE(at + 4),
        offset: number64(table, at + 8),
        vaddr: number64(table, at + 16),
        fileSize: number64(table, at + 32),
        memSize: number64(table, at + 40),
      };
    });
  }

  #readSections(offset: number, entrySize: number, count: number, namesIndex: number): ElfSection[] {
    if (offset === 0 || count === 0) return [];
    if (entrySize < 64) throw new ElfError(this.path, "its section headers are too small");
    const table = this.read(offset, entrySize * count);
    const sections = Array.from({ length: count }, (_, i) => {
      const at = i * entrySize;
      return {
        nameOffset: table.readUInt32LE(at),
        name: "",
        type: table.readUInt32LE(at + 4),
        flags: number64(table, at + 8),
        addr: number64(table, at + 16),
        offset: number64(table, at + 24),
        size: number64(table, at + 32),
        link: table.readUInt32LE(at + 40),
        entrySize: number64(table, at + 56),
      };
    });
    const names = sections[namesIndex]
      ? this.read(sections[namesIndex].offset, sections[namesIndex].size)
      : Buffer.alloc(0);
    return sections.map(({ nameOffset, ...section }) => ({
      ...section,
      name: stringAt(names, nameOffset, LONGEST_SECTION_NAME),
    }));
  }
}

/** Bytes of one name: without an end, every symbol could have the whole table for its name. */
export const LONGEST_NAME = 1 << 16;
const LONGEST_SECTION_NAME = 256;

/** The zero-terminated text at an offset, cut where it is longer than names are; "" beyond the end. */
export function stringAt(bytes: Buffer, offset: number, most = LONGEST_NAME): string {
  const from = bytes.subarray(offset, offset + most);
  const end = from.indexOf(0);
  return from.toString("utf8", 0, end < 0 ? from.length : end);
}

/** Offsets at which `name` stands in a string table, also as the tail of a longer string, which linkers share. */
export function nameOffsets(names: Buffer, name: string): Set<number> {
  const offsets = new Set<number>();
  const needle = Buffer.from(`${name}\0`, "utf8");
  for (let at = names.indexOf(needle); at >= 0; at = names.indexOf(needle, at + 1)) offsets.add(at);
  return offsets;
}

/** Notes: u32 name length, u32 description length, u32 type, then both, each padded to 4 bytes. */
export function parseNotes(bytes: Buffer, section: string): ElfNote[] {
  const notes: ElfNote[] = [];
  for (let at = 0; at + 12 <= bytes.length; ) {
    const nameSize = bytes.readUInt32LE(at);
    const descSize = bytes.readUInt32LE(at + 4);
    const type = bytes.readUInt32LE(at + 8);
    const descAt = at + 12 + Math.ceil(nameSize / 4) * 4;
    if (descAt + descSize > bytes.length) break;
    const name = bytes.toString("latin1", at + 12, at + 12 + Math.max(0, nameSize - 1));
    notes.push({ name, type, desc: bytes.subarray(descAt, descAt + descSize), section });
    at = descAt + Math.ceil(descSize / 4) * 4;
  }
  return notes;
}
