// Which function an address lies in: symbols by address, 21 bytes for each. A name becomes a string when somebody looks at it.

import { lastAtMost, type Ordered, sortAddresses } from "../order.ts";
import { debugFileOf } from "./debugFile.ts";
import { type ElfFile, SectionType } from "./file.ts";
import { leftTables } from "./leftTables.ts";
import type { StringTable } from "./strings.ts";
import { isDefined, isFunction, isLabel, type Table, tablesOf, WORDS } from "./symbolTables.ts";

/** How many symbols before an address are looked at. */
const MOST_STEPS = 16;
/** How many names of one place are compared, and as how many bytes of underscores. */
const MOST_ALIASES = 256;
const MOST_UNDERSCORES = 16;
const BYTES = 21;
const LARGEST_SIZE = 0xffffffff;

export class FunctionIndex implements Disposable {
  #functions: Ordered;
  /** Of each function before they were ordered: its size, where its name is, and in which table's strings. */
  #sizes: Uint32Array;
  #names: Uint32Array;
  #tables: Uint8Array;
  #strings: StringTable[];
  #open: ElfFile[] = [];

  constructor(tables: readonly Table[]) {
    const listed = tables.filter(({ covered }) => !covered);
    const most = listed.reduce((sum, { words }) => sum + words.length / WORDS, 0);
    const addresses = new Float64Array(most);
    const sizes = new Uint32Array(most);
    const names = new Uint32Array(most);
    const tableOf = new Uint8Array(most);
    let count = 0;
    for (let number = 0; number < listed.length; number++) {
      const table = listed[number];
      const { words } = table;
      for (let at = 0; at < words.length; at += WORDS) {
        if (!isFunction(words, at) && !isLabel(table, at)) continue;
        if (!isDefined(words, at)) continue;
        addresses[count] = words[at + 2] + words[at + 3] * 2 ** 32;
        sizes[count] = words[at + 5] === 0 ? words[at + 4] : LARGEST_SIZE;
        names[count] = words[at];
        tableOf[count++] = number;
      }
    }
    this.#functions = sortAddresses(addresses, count, 0);
    this.#sizes = sizes.slice(0, count);
    this.#names = names.slice(0, count);
    this.#tables = tableOf.slice(0, count);
    this.#strings = listed.map(({ names }) => names);
  }

  /**
   * Of a file with the symbols that a stripped one has elsewhere. The file is the index's from now on. `root`, `directories`:
   * see `debugFilePaths`.
   */
  static of(elf: ElfFile, root = "", directories: readonly string[] = []): FunctionIndex {
    const files = [elf];
    try {
      const own = tablesOf(elf);
      const stripped = !elf.sections.some(({ type }) => type === SectionType.symtab);
      const debug = stripped ? debugFileOf(elf, root, directories) : undefined;
      if (debug) files.push(debug);
      const more = debug ? tablesOf(debug) : [];
      const index = new FunctionIndex([
        ...more,
        ...(stripped && more.length === 0 ? leftTables(elf) : []),
        ...own,
      ]);
      const needed = new Set(index.#strings.map(({ file }) => file));
      index.#open = files.filter((file) => needed.has(file));
      for (const file of files) if (!needed.has(file)) file[Symbol.dispose]();
      return index;
    } catch (error) {
      for (const file of files) file[Symbol.dispose]();
      throw error;
    }
  }

  /** The function that contains an address (as linked), with the distance from its beginning. */
  at(address: number): { name: string; offset: number } | undefined {
    const { sorted } = this.#functions;
    const nearest = lastAtMost(sorted, address);
    // The nearest before may be a small one within the one that is looked for.
    for (let i = nearest; i >= 0 && i > nearest - MOST_STEPS; i--) {
      if (address < sorted[i] + this.#sizeOf(i))
        return { name: this.#nameAt(i), offset: address - sorted[i] };
    }
    // Hand-written assembler has size 0, and reaches to the next one.
    if (nearest < 0 || this.#sizeOf(nearest) !== 0) return undefined;
    return { name: this.#nameAt(nearest), offset: address - sorted[nearest] };
  }

  #sizeOf(i: number): number {
    return this.#sizes[this.#functions.order[i]];
  }

  /** Of the names that the place has the one that people know: the fewest underscores before it, then the first. */
  #nameAt(i: number): string {
    const { sorted, order } = this.#functions;
    let best = order[i];
    let fewest = Number.POSITIVE_INFINITY;
    for (let n = i; n >= 0 && n > i - MOST_ALIASES; n--) {
      if (sorted[n] !== sorted[i] || this.#sizeOf(n) !== this.#sizeOf(i)) break;
      const at = order[n];
      const count = this.#strings[this.#tables[at]].underscores(this.#names[at], MOST_UNDERSCORES);
      if (count > fewest) continue;
      best = at;
      fewest = count;
    }
    return this.#strings[this.#tables[best]].at(this.#names[best]);
  }

  /** Memory that it takes. */
  get bytes(): number {
    return this.#strings.reduce((sum, { bytes }) => sum + bytes, this.#sizes.length * BYTES);
  }

  /** How many files it keeps open for names. */
  get openFiles(): number {
    return this.#open.length;
  }

  /** Closes them: there are no names after that. */
  [Symbol.dispose](): void {
    for (const file of this.#open) file[Symbol.dispose]();
    this.#open = [];
  }
}
