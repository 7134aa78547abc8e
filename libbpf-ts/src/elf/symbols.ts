// Symbols of an ELF file by their names. Held in typed arrays, a name becomes a string when somebody looks at it. What a
// stripped file lacks may be elsewhere: in a separate debug file, or packed within it.

import { debugFileOf } from "./debugFile.ts";
import { type ElfFile, nameOffsets, SectionType, stringAt } from "./file.ts";
import { FunctionIndex } from "./functionIndex.ts";
import { leftTables } from "./leftTables.ts";
import { isDefined, isFunction, type Table, tablesOf, WORDS } from "./symbolTables.ts";

export interface ElfSymbol {
  name: string;
  /** As linked: add what the loader added to get the address in a process. */
  address: number;
  size: number;
  kind: "function" | "ifunc" | "object" | "other";
}

/** Names listed may take this many times the bytes of their symbols and strings: some share a string, or its tail. */
const MOST_SHARED = 16;
const kinds: Record<number, ElfSymbol["kind"]> = { 1: "object", 2: "function", 10: "ifunc" };

function held(tables: Table[]): Table[] {
  for (const { names } of tables) names.hold();
  return tables;
}

function tablesOfDebugFile(elf: ElfFile, root: string, directories: readonly string[]): Table[] {
  using debug = debugFileOf(elf, root, directories);
  return debug ? held(tablesOf(debug)) : [];
}

function number64(words: Uint32Array, at: number): number {
  return words[at] + words[at + 1] * 2 ** 32;
}

/** The symbols of one file. It may be closed once they are read. */
export class ElfSymbols {
  #tables: Table[];
  #index: FunctionIndex | undefined;

  private constructor(tables: Table[]) {
    this.#tables = held(tables);
  }

  static read(elf: ElfFile): ElfSymbols {
    return new ElfSymbols(tablesOf(elf));
  }

  /** With those that a stripped file has elsewhere. `root`, `directories`: see `debugFilePaths`. */
  static readAll(elf: ElfFile, root = "", directories: readonly string[] = []): ElfSymbols {
    const own = tablesOf(elf);
    if (elf.sections.some(({ type }) => type === SectionType.symtab)) return new ElfSymbols(own);
    const separate = tablesOfDebugFile(elf, root, directories);
    return new ElfSymbols([...separate, ...(separate.length > 0 ? [] : leftTables(elf)), ...own]);
  }

  /** A defined symbol by its exact name: functions before objects. */
  find(name: string): ElfSymbol | undefined {
    let other: ElfSymbol | undefined;
    for (const table of this.#tables) {
      const { words } = table;
      const offsets = nameOffsets(table.names.hold(), name);
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
      const offsets = nameOffsets(table.names.hold(), name);
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
      let left = MOST_SHARED * (words.byteLength + table.names.hold().length);
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
    this.#index ??= new FunctionIndex(this.#tables);
    return this.#index.at(address);
  }
}

function symbolIn({ words, names }: Table, at: number): ElfSymbol {
  return {
    name: stringAt(names.hold(), words[at]),
    address: number64(words, at + 2),
    size: number64(words, at + 4),
    kind: kinds[words[at + 1] & 15] ?? "other",
  };
}
