// Symbols of the running kernel and its modules, from /proc/kallsyms, which has a line for each:
//
//   ffffffff81234560 T vfs_read
//   ffffffffc0123450 t ext4_readdir	[ext4]
//
// A name is found by searching the text; only asking for an address makes the sorted index. Kernel addresses are beyond
// what a number holds exactly, so that the index counts from KERNEL_BASE.

import { readFileSync } from "node:fs";
import { UnsupportedError } from "./errno.ts";
import { lastAtMost, orderByAddress } from "./order.ts";

/** Every kernel address on x86-64 and arm64 lies above. */
const KERNEL_BASE = 0xffff000000000000n;
const NEWLINE = 10;
const TAB = 9;
/** Types of functions: t, T, w, W, and i for ifuncs. */
const functionTypes = new Uint8Array(256);
for (const letter of "tTwWi") functionTypes[letter.charCodeAt(0)] = 1;

export interface KernelSymbol {
  name: string;
  address: bigint;
  /** The letter of nm(1): "T", "t" functions, "D", "d" data, … */
  type: string;
  /** "" for the kernel itself. */
  module: string;
}

export interface KernelAddress {
  name: string;
  /** Bytes from the symbol's beginning. */
  offset: number;
  module: string;
}

interface Index {
  /** Distances from KERNEL_BASE, ascending. */
  distances: Float64Array;
  /** Where the line of each begins. */
  lines: Uint32Array;
}

const hexDigit = new Uint8Array(256);
for (let i = 0; i < 16; i++) {
  hexDigit["0123456789abcdef".charCodeAt(i)] = i;
  hexDigit["0123456789ABCDEF".charCodeAt(i)] = i;
}

/** One reading of the kernel's symbols. */
export class Kallsyms {
  #text: Buffer;
  #index: Index | undefined;

  private constructor(text: Buffer) {
    this.#text = text;
  }

  /** Reads /proc/kallsyms, or takes its text. Modules and programs loaded later are not in it. */
  static load(text: Buffer = readFileSync("/proc/kallsyms")): Kallsyms {
    return new Kallsyms(text);
  }

  /** Whether the kernel shows addresses to this user (all are zero otherwise). */
  get hasAddresses(): boolean {
    // The first lines may be per-CPU variables, which count from zero.
    return (
      this.#text.indexOf("\nffff", 0, "latin1") >= 0 ||
      this.#text.subarray(0, 4).toString("latin1") === "ffff"
    );
  }

  /** Throws UnsupportedError with the remedy unless addresses are shown. */
  requireAddresses(): void {
    if (this.hasAddresses) return;
    throw new UnsupportedError(
      "kernel addresses",
      "hidden from this user: run it as root or with CAP_SYSLOG, and with sysctl kernel.kptr_restrict below 2",
    );
  }

  /** The first symbol of this name (of this module, where given; "" is the kernel). */
  find(name: string, module?: string): KernelSymbol | undefined {
    for (let from = 0; ; ) {
      const at = this.#text.indexOf(` ${name}`, from, "latin1");
      if (at < 0) return undefined;
      const after = this.#text[at + 1 + name.length];
      from = at + 1;
      if (after !== NEWLINE && after !== TAB) continue;
      const symbol = this.#line(this.#text.lastIndexOf(NEWLINE, at) + 1);
      if (symbol.name === name && (module === undefined || symbol.module === module)) return symbol;
    }
  }

  /** The address of a symbol, or undefined where there is none or it is hidden. */
  addressOf(name: string): bigint | undefined {
    return this.find(name)?.address || undefined;
  }

  /** The function that contains an address, or undefined. */
  symbolAt(address: bigint): KernelAddress | undefined {
    if (address < KERNEL_BASE) return undefined;
    this.#index ??= this.#makeIndex();
    const distance = Number(address - KERNEL_BASE);
    const place = lastAtMost(this.#index.distances, distance);
    if (place < 0) return undefined;
    const { name, module } = this.#line(this.#index.lines[place]);
    return { name, offset: distance - this.#index.distances[place], module };
  }

  /** Every function, in the order of the file; `callback` gets name and module. */
  forEachFunction(callback: (name: string, module: string) => void): void {
    this.#forEachLine((begin) => {
      if (functionTypes[this.#text[begin + 17]] === 0) return;
      const { name, module } = this.#line(begin);
      callback(name, module);
    });
  }

  #forEachLine(visit: (begin: number) => void): void {
    const text = this.#text;
    for (let begin = 0; begin < text.length; ) {
      visit(begin);
      const end = text.indexOf(NEWLINE, begin);
      if (end < 0) return;
      begin = end + 1;
    }
  }

  #line(begin: number): KernelSymbol {
    const end = this.#text.indexOf(NEWLINE, begin);
    const line = this.#text.toString("latin1", begin, end < 0 ? this.#text.length : end);
    const tab = line.indexOf("\t");
    return {
      name: line.slice(19, tab < 0 ? undefined : tab),
      address: BigInt(`0x${line.slice(0, 16)}`),
      type: line[17],
      module: tab < 0 ? "" : line.slice(tab + 2, -1),
    };
  }

  #makeIndex(): Index {
    this.requireAddresses();
    const text = this.#text;
    let room = 1 << 17;
    let distances = new Float64Array(room);
    let lines = new Uint32Array(room);
    let count = 0;
    this.#forEachLine((begin) => {
      if (functionTypes[text[begin + 17]] === 0 || text[begin] !== 0x66 || text[begin + 3] !== 0x66) return;
      if (count === room) {
        room *= 2;
        const moreDistances = new Float64Array(room);
        const moreLines = new Uint32Array(room);
        moreDistances.set(distances);
        moreLines.set(lines);
        [distances, lines] = [moreDistances, moreLines];
      }
      // The first four digits are "ffff": the remaining twelve are the distance.
      let distance = 0;
      for (let i = 4; i < 16; i++) distance = distance * 16 + hexDigit[text[begin + i]];
      distances[count] = distance;
      lines[count++] = begin;
    });
    let base = Number.POSITIVE_INFINITY;
    for (let i = 0; i < count; i++) base = Math.min(base, distances[i]);
    const order = orderByAddress(distances, count, count === 0 ? 0 : base);
    return {
      distances: Float64Array.from(order, (i) => distances[i]),
      lines: Uint32Array.from(order, (i) => lines[i]),
    };
  }
}
