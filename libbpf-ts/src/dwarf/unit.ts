// Units: what was compiled in one go, a tree of entries with one root. Its header says how to read them.
//
//   v2–4: u32 length · u16 version · u32 abbreviations · u8 address size          [types: u64 signature · u32 type]
//   v5:   u32 length · u16 version · u8 kind · u8 address size · u32 abbreviations [types: u64 signature · u32 type]
//         [skeleton, split: u64 id]

import type { AbbrevTable, Sizes } from "./abbrev.ts";
import { At, Tag, UnitType } from "./constants.ts";
import { Cursor, DwarfError } from "./cursor.ts";
import { Die } from "./die.ts";
import type { DwarfFile } from "./file.ts";
import type { Section } from "./sections.ts";

const MAX_HEADER = 40;
/** Enough for the root entry of nearly every unit. */
const HEAD = 1024;

export class Unit implements Sizes {
  readonly file: DwarfFile;
  readonly section: Section;
  /** Where it begins and ends in its section. */
  readonly offset: number;
  readonly end: number;
  readonly version: number;
  readonly address: number;
  readonly type: number;
  /** Of a type unit: what refers to it, and where in it the type is. */
  readonly signature: bigint | undefined;
  readonly typeOffset: number;
  /** Where the root entry is, from the unit's beginning. */
  readonly first: number;
  readonly #abbrevOffset: number;
  #root: Die | undefined;

  constructor(file: DwarfFile, section: Section, offset: number) {
    this.file = file;
    this.section = section;
    this.offset = offset;
    const cursor = new Cursor(section.upTo(offset, MAX_HEADER));
    const length = cursor.u32();
    if (length === 0xffffffff)
      throw new DwarfError("the debug info is in the 64-bit format, which is not read: build with -gdwarf32");
    this.end = offset + 4 + length;
    this.version = cursor.u16();
    if (this.version < 2 || this.version > 5)
      throw new DwarfError(`the debug info is DWARF ${this.version}; versions 2 to 5 are read`);
    if (this.end > section.size) throw new DwarfError("the debug info is damaged: a unit ends outside it");
    const isTypes = file.sections.get("types") === section;
    this.type = this.version >= 5 ? cursor.u8() : isTypes ? UnitType.type : UnitType.compile;
    if (this.version >= 5) {
      this.address = cursor.u8();
      this.#abbrevOffset = cursor.u32();
    } else {
      this.#abbrevOffset = cursor.u32();
      this.address = cursor.u8();
    }
    if (this.address !== 4 && this.address !== 8)
      throw new DwarfError(`the debug info has addresses of ${this.address} bytes`);
    const isType = this.type === UnitType.type || this.type === UnitType.splitType;
    const hasId = this.type === UnitType.skeleton || this.type === UnitType.splitCompile;
    if (isType) {
      const at = cursor.take(8);
      this.signature = new DataView(cursor.bytes.buffer, cursor.bytes.byteOffset).getBigUint64(at, true);
      this.typeOffset = cursor.u32();
    } else {
      if (hasId) cursor.take(8);
      this.typeOffset = 0;
    }
    this.first = cursor.at;
    if (offset + this.first > this.end)
      throw new DwarfError("the debug info is damaged: a unit is too short");
  }

  get abbrevs(): AbbrevTable {
    return this.file.abbrevs(this.#abbrevOffset, this);
  }

  /** The whole unit; positions in it count from its beginning. */
  get bytes(): Uint8Array {
    return this.file.bytesOf(this);
  }

  /** The entry that describes the unit itself, read without the rest where it is small enough. */
  get root(): Die {
    if (!this.#root) {
      const head = this.section.upTo(this.offset, Math.min(HEAD, this.end - this.offset));
      try {
        const root = new Die(this, this.first, Uint8Array.from(head));
        root.check();
        this.#root = root;
      } catch (error) {
        if (!(error instanceof DwarfError)) throw error;
        this.#root = new Die(this, this.first);
      }
    }
    return this.#root;
  }

  /** The base of one of the tables that values refer to by number. */
  base(attribute: number, otherwise: number): number {
    return this.root.number(attribute) ?? otherwise;
  }

  get lowPc(): number {
    return this.root.address(At.lowPc) ?? 0;
  }

  get language(): number | undefined {
    return this.root.number(At.language);
  }

  /** Its entries are in a file of their own, which -gsplit-dwarf made. */
  get split(): string | undefined {
    const { root } = this;
    const isSkeleton = this.type === UnitType.skeleton || root.tag === Tag.skeletonUnit;
    return root.text(At.dwoName) ?? root.text(At.gnuDwoName) ?? (isSkeleton ? "" : undefined);
  }

  /** The entry at a position from the unit's beginning. */
  die(at: number): Die {
    if (!(at >= this.first) || this.offset + at >= this.end)
      throw new DwarfError("the debug info is damaged: it refers outside its unit");
    return new Die(this, at);
  }

  /**
   * Visits every entry in the order of the file, with its depth (the root has 0). Far faster than making an object of
   * each: `visit` gets the tag and the position, and makes the entry when it wants it.
   */
  walk(visit: (tag: number, at: number, depth: number) => void): void {
    const { abbrevs, bytes } = this;
    const cursor = new Cursor(bytes, this.first);
    let depth = 0;
    while (!cursor.done) {
      const { at } = cursor;
      const code = cursor.uleb();
      if (code === 0) {
        if (--depth <= 0) return;
        continue;
      }
      const abbrev = abbrevs.get(code);
      visit(abbrev.tag, at, depth);
      abbrevs.skip(cursor, abbrev, this);
      if (abbrev.children) depth++;
      else if (depth === 0) return;
    }
  }
}
