// Symbols of an ELF file: .symtab, and .dynsym, which is what stripped libraries keep. Held in typed arrays, 24 bytes of
// each are read and a name becomes a string when somebody looks at it.

import { lastAtMost, orderByAddress } from "../order.ts";
import { type ElfFile, SectionType, stringAt } from "./file.ts";

export interface ElfSymbol {
  name: string;
  /** As linked: add what the loader added to get the address in a process. */
  address: number;
  size: number;
  kind: "function" | "ifunc" | "object" | "other";
}

const ENTRY = 24;
const kinds: Record<number, ElfSymbol["kind"]> = { 1: "object", 2: "function", 10: "ifunc" };

interface Table {
  entries: Buffer;
  names: Buffer;
  count: number;
}

function readTable(elf: ElfFile, type: number): Table | undefined {
  const section = elf.sections.find((candidate) => candidate.type === type);
  const strings = section && elf.sections[section.link];
  if (!section || !strings || section.size === 0) return undefined;
  const entries = elf.sectionData(section);
  return { entries, names: elf.sectionData(strings), count: Math.floor(entries.length / ENTRY) };
}

function addressIn(entries: Buffer, at: number): number {
  return entries.readUInt32LE(at + 8) + entries.readUInt32LE(at + 12) * 2 ** 32;
}

function sizeIn(entries: Buffer, at: number): number {
  return entries.readUInt32LE(at + 16) + entries.readUInt32LE(at + 20) * 2 ** 32;
}

/** Defined: in a section, and not at address zero. */
function isDefined(entries: Buffer, at: number): boolean {
  return (
    entries.readUInt16LE(at + 6) !== 0 &&
    (entries.readUInt32LE(at + 8) !== 0 || entries.readUInt32LE(at + 12) !== 0)
  );
}

function isFunction(entries: Buffer, at: number): boolean {
  const type = entries[at + 4] & 15;
  return type === 2 || type === 10;
}

/** Offsets at which `name` stands in a string table, also as the tail of a longer string, which linkers share. */
function nameOffsets(names: Buffer, name: string): Set<number> {
  const offsets = new Set<number>();
  const needle = Buffer.from(`${name}\0`, "utf8");
  for (let at = names.indexOf(needle); at >= 0; at = names.indexOf(needle, at + 1)) offsets.add(at);
  return offsets;
}

/** The symbols of one file. It may be closed once they are read. */
export class ElfSymbols {
  #tables: Table[];
  #index: { addresses: Float64Array; tables: Uint8Array; places: Uint32Array } | undefined;

  private constructor(tables: Table[]) {
    this.#tables = tables;
  }

  static read(elf: ElfFile): ElfSymbols {
    const tables = [readTable(elf, SectionType.symtab), readTable(elf, SectionType.dynsym)];
    return new ElfSymbols(tables.filter((table) => table !== undefined));
  }

  /** A defined symbol by its exact name: functions before objects. */
  find(name: string): ElfSymbol | undefined {
    let other: ElfSymbol | undefined;
    for (const table of this.#tables) {
      const offsets = nameOffsets(table.names, name);
      if (offsets.size === 0) continue;
      for (let at = 0; at < table.count * ENTRY; at += ENTRY) {
        if (!offsets.has(table.entries.readUInt32LE(at)) || !isDefined(table.entries, at)) continue;
        if (isFunction(table.entries, at)) return this.#symbol(table, at);
        other ??= this.#symbol(table, at);
      }
    }
    return other;
  }

  /** Every function, once for each name and address. */
  functions(): ElfSymbol[] {
    const seen = new Set<string>();
    const found: ElfSymbol[] = [];
    for (const table of this.#tables) {
      for (let at = 0; at < table.count * ENTRY; at += ENTRY) {
        if (!isFunction(table.entries, at) || !isDefined(table.entries, at)) continue;
        const symbol = this.#symbol(table, at);
        const key = `${symbol.address}:${symbol.name}`;
        if (seen.has(key)) continue;
        seen.add(key);
        found.push(symbol);
      }
    }
    return found;
  }

  /** The function that contains an address (as linked), with the distance from its beginning. */
  at(address: number): { name: string; offset: number } | undefined {
    this.#index ??= this.#makeIndex();
    const { addresses, tables, places } = this.#index;
    let place = lastAtMost(addresses, address);
    if (place < 0) return undefined;
    // Of several names for one address, the first with a size that reaches so far; hand-written assembler has size 0.
    for (const begin = addresses[place]; place > 0 && addresses[place - 1] === begin; ) place--;
    for (let i = place; i < addresses.length && addresses[i] === addresses[place]; i++) {
      const table = this.#tables[tables[i]];
      const size = sizeIn(table.entries, places[i]);
      const offset = address - addresses[i];
      if (size === 0 || offset < size) return { name: this.#symbol(table, places[i]).name, offset };
    }
    return undefined;
  }

  #symbol(table: Table, at: number): ElfSymbol {
    const { entries } = table;
    return {
      name: stringAt(table.names, entries.readUInt32LE(at)),
      address: addressIn(entries, at),
      size: sizeIn(entries, at),
      kind: kinds[entries[at + 4] & 15] ?? "other",
    };
  }

  #makeIndex(): { addresses: Float64Array; tables: Uint8Array; places: Uint32Array } {
    const most = this.#tables.reduce((sum, table) => sum + table.count, 0);
    const addresses = new Float64Array(most);
    const tables = new Uint8Array(most);
    const places = new Uint32Array(most);
    let count = 0;
    this.#tables.forEach((table, tableIndex) => {
      for (let at = 0; at < table.count * ENTRY; at += ENTRY) {
        if (!isFunction(table.entries, at) || !isDefined(table.entries, at)) continue;
        addresses[count] = addressIn(table.entries, at);
        tables[count] = tableIndex;
        places[count++] = at;
      }
    });
    const order = orderByAddress(addresses, count, 0);
    return {
      addresses: Float64Array.from(order, (i) => addresses[i]),
      tables: Uint8Array.from(order, (i) => tables[i]),
      places: Uint32Array.from(order, (i) => places[i]),
    };
  }
}
