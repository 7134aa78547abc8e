// Symbols of an ELF file: .symtab, and .dynsym, which is what stripped libraries keep. Held in typed arrays, 24 bytes of
// each are read and a name becomes a string when somebody looks at it. What a stripped file lacks may be elsewhere: in a
// separate debug file, or packed in its section .gnu_debugdata.

import { lastAtMost, orderByAddress } from "../order.ts";
import { debugFileOf } from "./debugFile.ts";
import { ElfFile, nameOffsets, SectionType, stringAt } from "./file.ts";
import { unpackXz } from "./xz.ts";

export interface ElfSymbol {
  name: string;
  /** As linked: add what the loader added to get the address in a process. */
  address: number;
  size: number;
  kind: "function" | "ifunc" | "object" | "other";
}

/** Bytes and 32-bit words of one entry: name, info|other|section, address (2 words), size (2 words). */
const ENTRY = 24;
const WORDS = 6;
const EXECUTABLE = 4;
const DOLLAR = 0x24;
const UNDERSCORE = 0x5f;
/** How many symbols before an address are looked at. */
const MOST_STEPS = 16;
/** How many names of one place are compared, and as how many bytes of underscores. */
const MOST_ALIASES = 256;
const MOST_UNDERSCORES = 16;
/** Names listed may take this many times the bytes of their symbols and strings: some share a string, or its tail. */
const MOST_SHARED = 16;
const kinds: Record<number, ElfSymbol["kind"]> = { 1: "object", 2: "function", 10: "ifunc" };

interface Table {
  words: Uint32Array;
  names: Buffer;
  /** By section: whether it holds code. */
  code: readonly boolean[];
  /** Another table of the same file has all of these too. */
  covered: boolean;
}

interface Index {
  addresses: Float64Array;
  sizes: Float64Array;
  names: Uint32Array;
  /** Which table each is in. */
  tables: Uint8Array;
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
  return { words, names: elf.sectionData(strings), code, covered: false };
}

function tablesOf(elf: ElfFile): Table[] {
  const all = readTable(elf, SectionType.symtab);
  const dynamic = readTable(elf, SectionType.dynsym);
  // Linkers put dynamic symbols into both; a symbol table that was thinned out is the smaller one.
  if (all && dynamic) dynamic.covered = all.words.length >= dynamic.words.length;
  return [all, dynamic].filter((table) => table !== undefined);
}

/** What unpacked symbol tables may take. */
const MOST_UNPACKED = 64 << 20;

/** An ELF file within the file, with the symbols that .dynsym lacks; undefined where there is none or it is damaged. */
function packedSymbols(elf: ElfFile): Table[] {
  const section = elf.section(".gnu_debugdata");
  if (!section) return [];
  try {
    return tablesOf(ElfFile.of(unpackXz(elf.sectionData(section), MOST_UNPACKED), elf.path));
  } catch {
    return [];
  }
}

function symbolsOfDebugFile(elf: ElfFile, root: string, directories: readonly string[]): Table[] {
  using debug = debugFileOf(elf, root, directories);
  return debug ? tablesOf(debug) : [];
}

function number64(words: Uint32Array, at: number): number {
  return words[at] + words[at + 1] * 2 ** 32;
}

/** Defined: in a section, and not at address zero. */
function isDefined(words: Uint32Array, at: number): boolean {
  return words[at + 1] >>> 16 !== 0 && (words[at + 2] !== 0 || words[at + 3] !== 0);
}

function isFunction(words: Uint32Array, at: number): boolean {
  const type = words[at + 1] & 15;
  return type === 2 || type === 10;
}

/** Labels of hand-written assembler have no type; on arm64, "$x" and its kind mark what follows. */
function isLabel({ words, names, code }: Table, at: number): boolean {
  const info = words[at + 1];
  return (info & 15) === 0 && (code[info >>> 16] ?? false) && words[at] !== 0 && names[words[at]] !== DOLLAR;
}

/** The symbols of one file. It may be closed once they are read. */
export class ElfSymbols {
  #tables: Table[];
  #index: Index | undefined;

  private constructor(tables: Table[]) {
    this.#tables = tables;
  }

  static read(elf: ElfFile): ElfSymbols {
    return new ElfSymbols(tablesOf(elf));
  }

  /** With those that a stripped file has elsewhere. `root`, `directories`: see `debugFilePaths`. */
  static readAll(elf: ElfFile, root = "", directories: readonly string[] = []): ElfSymbols {
    const own = tablesOf(elf);
    if (elf.sections.some(({ type }) => type === SectionType.symtab)) return new ElfSymbols(own);
    const separate = symbolsOfDebugFile(elf, root, directories);
    return new ElfSymbols([...separate, ...(separate.length > 0 ? [] : packedSymbols(elf)), ...own]);
  }

  /** A defined symbol by its exact name: functions before objects. */
  find(name: string): ElfSymbol | undefined {
    let other: ElfSymbol | undefined;
    for (const table of this.#tables) {
      const { words } = table;
      const offsets = nameOffsets(table.names, name);
      if (offsets.size === 0) continue;
      for (let at = 0; at < words.length; at += WORDS) {
        if (!offsets.has(words[at]) || !isDefined(words, at)) continue;
        if (isFunction(words, at)) return symbolIn(table, at);
        other ??= symbolIn(table, at);
      }
    }
    return other;
  }

  /** The functions of exactly this name, once for each address. */
  functionsNamed(name: string): ElfSymbol[] {
    const found = new Map<number, ElfSymbol>();
    for (const table of this.#tables) {
      const { words } = table;
      const offsets = nameOffsets(table.names, name);
      if (offsets.size === 0) continue;
      for (let at = 0; at < words.length; at += WORDS) {
        if (!offsets.has(words[at]) || !isFunction(words, at) || !isDefined(words, at)) continue;
        const symbol = symbolIn(table, at);
        if (!found.has(symbol.address)) found.set(symbol.address, symbol);
      }
    }
    return [...found.values()];
  }

  /** Every function, once for each name and address; a file whose names take many times its size is cut short. */
  functions(): ElfSymbol[] {
    const seen = new Set<string>();
    const found: ElfSymbol[] = [];
    for (const table of this.#tables) {
      const { words } = table;
      let left = MOST_SHARED * (words.byteLength + table.names.length);
      for (let at = 0; at < words.length; at += WORDS) {
        if (!isFunction(words, at) || !isDefined(words, at)) continue;
        const symbol = symbolIn(table, at);
        left -= symbol.name.length;
        if (left < 0) break;
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
    const { addresses, sizes } = this.#index;
    const nearest = lastAtMost(addresses, address);
    // The nearest before may be a small one within the one that is looked for.
    for (let i = nearest; i >= 0 && i > nearest - MOST_STEPS; i--) {
      if (address < addresses[i] + sizes[i]) return { name: this.#nameAt(i), offset: address - addresses[i] };
    }
    // Hand-written assembler has size 0, and reaches to the next one.
    if (nearest < 0 || sizes[nearest] !== 0) return undefined;
    return { name: this.#nameAt(nearest), offset: address - addresses[nearest] };
  }

  /** Of the names that the place has the one that people know: the fewest underscores before it, then the first. */
  #nameAt(i: number): string {
    const { addresses, sizes, names, tables } = this.#index!;
    const bytesOf = (n: number) => this.#tables[tables[n]].names;
    let best = i;
    let fewest = Number.POSITIVE_INFINITY;
    for (let n = i; n >= 0 && n > i - MOST_ALIASES; n--) {
      if (addresses[n] !== addresses[i] || sizes[n] !== sizes[i]) break;
      const count = underscores(bytesOf(n), names[n]);
      if (count > fewest) continue;
      best = n;
      fewest = count;
    }
    return stringAt(bytesOf(best), names[best]);
  }

  /** Bytes that the symbols take. */
  get bytes(): number {
    const index = this.#index ? this.#index.addresses.length * 21 : 0;
    return this.#tables.reduce((sum, { words, names }) => sum + words.byteLength + names.length, index);
  }

  #makeIndex(): Index {
    const listed = this.#tables.filter(({ covered }) => !covered);
    const most = listed.reduce((sum, { words }) => sum + words.length / WORDS, 0);
    const addresses = new Float64Array(most);
    const places = new Uint32Array(most);
    const tableOf = new Uint8Array(most);
    let count = 0;
    for (const table of listed) {
      const { words } = table;
      const number = this.#tables.indexOf(table);
      for (let at = 0; at < words.length; at += WORDS) {
        if (!isFunction(words, at) && !isLabel(table, at)) continue;
        if (!isDefined(words, at)) continue;
        addresses[count] = words[at + 2] + words[at + 3] * 2 ** 32;
        tableOf[count] = number;
        places[count++] = at;
      }
    }
    const order = orderByAddress(addresses, count, 0);
    const index: Index = {
      addresses: new Float64Array(count),
      sizes: new Float64Array(count),
      names: new Uint32Array(count),
      tables: new Uint8Array(count),
    };
    for (let i = 0; i < count; i++) {
      const from = order[i];
      const { words } = this.#tables[tableOf[from]];
      const at = places[from];
      index.addresses[i] = addresses[from];
      index.sizes[i] = words[at + 4] + words[at + 5] * 2 ** 32;
      index.names[i] = words[at];
      index.tables[i] = tableOf[from];
    }
    return index;
  }
}

function underscores(names: Buffer, at: number): number {
  let count = 0;
  while (count < MOST_UNDERSCORES && names[at + count] === UNDERSCORE) count++;
  return count;
}

function symbolIn({ words, names }: Table, at: number): ElfSymbol {
  return {
    name: stringAt(names, words[at]),
    address: number64(words, at + 2),
    size: number64(words, at + 4),
    kind: kinds[words[at + 1] & 15] ?? "other",
  };
}
