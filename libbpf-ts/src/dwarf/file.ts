// One file with debug info: its units by offset and signature, with the bytes of a few of them kept.

import { dirname, isAbsolute, join } from "node:path";
import { ElfFile } from "../elf/file.ts";
import { existsWithin, rootOfPath } from "../within.ts";
import { AbbrevTable, type Sizes } from "./abbrev.ts";
import { DwarfError } from "./cursor.ts";
import type { Die } from "./die.ts";
import { type Section, Sections } from "./sections.ts";
import { Unit } from "./unit.ts";

/** Bytes of units that are kept: reading goes back and forth between few of them. */
const MAX_KEPT = 1 << 26;
/** Fewer of these make a unit's root quick to read again. */
const MAX_TABLES = 512;

export class DwarfFile implements Disposable {
  readonly sections: Sections;
  /** 0: the file itself, 1: the one it shares with others (dwz). */
  readonly id: number;
  readonly #elf: ElfFile;
  readonly #tables = new Map<string, AbbrevTable>();
  #last: { offset: number; sizes: Sizes; table: AbbrevTable } | undefined;
  readonly #kept = new Map<Unit, Uint8Array>();
  #keptBytes = 0;
  #units: Unit[] | undefined;
  #typeUnits: Map<bigint, Unit> | undefined;
  #alternate: { file: DwarfFile | undefined } | undefined;

  constructor(elf: ElfFile, id = 0) {
    this.#elf = elf;
    this.id = id;
    this.sections = new Sections(elf);
  }

  /** All units of .debug_info by their offset, then those of .debug_types. */
  get units(): readonly Unit[] {
    this.#units ??= [...this.#read(this.sections.get("info")), ...this.#read(this.sections.get("types"))];
    return this.#units;
  }

  #read(section: Section | undefined): Unit[] {
    const units: Unit[] = [];
    for (let offset = 0; section && offset < section.size; ) {
      const unit = new Unit(this, section, offset);
      units.push(unit);
      offset = unit.end;
    }
    return units;
  }

  /** The unit of .debug_info that holds an offset. */
  unitAt(offset: number): Unit {
    const info = this.sections.get("info");
    const { units } = this;
    let low = 0;
    let high = units.length - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const unit = units[middle];
      if (unit.section !== info || offset < unit.offset) high = middle - 1;
      else if (offset >= unit.end) low = middle + 1;
      else return unit;
    }
    throw new DwarfError("the debug info is damaged: it refers outside itself");
  }

  dieAt(offset: number): Die {
    const unit = this.unitAt(offset);
    return unit.die(offset - unit.offset);
  }

  /** The type that a signature names; undefined: not in this file. */
  typeOf(signature: bigint): Die | undefined {
    if (!this.#typeUnits) {
      this.#typeUnits = new Map();
      for (const unit of this.units)
        if (unit.signature !== undefined) this.#typeUnits.set(unit.signature, unit);
    }
    const unit = this.#typeUnits.get(signature);
    return unit?.die(unit.typeOffset);
  }

  /** One unit's entries are read after another: the table asked for last is asked for again. */
  abbrevs(offset: number, sizes: Sizes): AbbrevTable {
    const last = this.#last;
    if (last?.sizes === sizes && last.offset === offset) return last.table;
    const table = this.#table(offset, sizes);
    this.#last = { offset, sizes, table };
    return table;
  }

  #table(offset: number, sizes: Sizes): AbbrevTable {
    const key = `${offset} ${sizes.address} ${sizes.version <= 2}`;
    let table = this.#tables.get(key);
    if (!table) {
      if (this.#tables.size >= MAX_TABLES) this.#tables.clear();
      table = AbbrevTable.read(this.sections.need("abbrev"), offset, sizes);
      this.#tables.set(key, table);
    }
    return table;
  }

  bytesOf(unit: Unit): Uint8Array {
    const known = this.#kept.get(unit);
    if (known) return known;
    const bytes = unit.section.bytes(unit.offset, unit.end - unit.offset);
    for (const [oldest, { length }] of this.#kept) {
      if (this.#keptBytes + bytes.length <= MAX_KEPT) break;
      this.#kept.delete(oldest);
      this.#keptBytes -= length;
    }
    this.#kept.set(unit, bytes);
    this.#keptBytes += bytes.length;
    return bytes;
  }

  /** The file with what dwz found in several files, when this one refers to it and it is here. */
  get alternate(): DwarfFile | undefined {
    this.#alternate ??= { file: this.#openAlternate() };
    return this.#alternate.file;
  }

  #openAlternate(): DwarfFile | undefined {
    const link = this.#elf.section(".gnu_debugaltlink");
    if (!link || this.id !== 0) return undefined;
    const bytes = this.#elf.sectionData(link);
    const end = bytes.indexOf(0);
    if (end <= 0) return undefined;
    const name = bytes.toString("utf8", 0, end);
    const id = bytes.toString("hex", end + 1);
    const root = rootOfPath(this.#elf.path);
    const byId = `/usr/lib/debug/.build-id/${id.slice(0, 2)}/${id.slice(2)}.debug`;
    const paths = [
      root + (isAbsolute(name) ? name : join(dirname(this.#elf.path.slice(root.length)), name)),
      root + byId,
      byId,
    ];
    for (const path of paths.filter(existsWithin)) {
      const elf = ElfFile.open(path);
      if (elf.buildId() === id) return new DwarfFile(elf, 1);
      elf[Symbol.dispose]();
    }
    return undefined;
  }

  [Symbol.dispose](): void {
    this.#alternate?.file?.[Symbol.dispose]();
    this.#elf[Symbol.dispose]();
  }
}
