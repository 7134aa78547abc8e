// Symbols of the running kernel and its modules, from /proc/kallsyms, which has a line for each:
//
//   ffffffff81234560 T vfs_read
//   ffffffffc0123450 t ext4_readdir	[ext4]
//
// A name is found by searching the text; only asking for an address makes the sorted index. Kernel addresses are beyond
// what a number holds exactly, so that the index counts from KERNEL_BASE.

import { closeSync, openSync, readSync } from "node:fs";
import { UnsupportedError } from "./errno.ts";
import { lastAtMost, sortAddresses } from "./order.ts";

/** Every kernel address on x86-64 and arm64 lies above. */
const KERNEL_BASE = 0xffff000000000000n;
const NEWLINE = 10;
const TAB = 9;
const F = 0x66;
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

/** procfs hands out a page at a time: gathered into one buffer, without the copies that readFileSync makes. */
function readKallsyms(): Buffer {
  const fd = openSync("/proc/kallsyms", "r");
  try {
    let buffer = Buffer.allocUnsafe(16 << 20);
    for (let length = 0; ; ) {
      if (length === buffer.length) buffer = Buffer.concat([buffer], length * 2);
      const got = readSync(fd, buffer, length, buffer.length - length, null);
      if (got === 0) return buffer.subarray(0, length);
      length += got;
    }
  } finally {
    closeSync(fd);
  }
}

/** One reading of the kernel's symbols. */
export class Kallsyms {
  #text: Buffer;
  #index: Index | undefined;

  private constructor(text: Buffer) {
    this.#text = text;
  }

  /** Reads /proc/kallsyms, or takes its text. Modules and programs loaded later are not in it. */
  static load(text: Buffer = readKallsyms()): Kallsyms {
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
  addressOf(name: string, module?: string): bigint | undefined {
    return this.find(name, module)?.address || undefined;
  }

  /** The addresses of all functions of some names, each name with its module in front ("kvm:kvm_init") or not. */
  functionAddresses(names: ReadonlySet<string>): Map<string, bigint[]> {
    const found = new Map<string, bigint[]>();
    const add = (name: string, address: bigint) => {
      const known = found.get(name);
      if (known) known.push(address);
      else found.set(name, [address]);
    };
    this.#eachNamed((name, module, begin) => {
      const full = module ? `${module}:${name}` : name;
      if (names.has(full)) add(full, BigInt(`0x${this.#text.toString("latin1", begin, begin + 16)}`));
    });
    return found;
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
    this.#eachNamed((name, module) => callback(name, module));
  }

  /** Name, module and where the line begins of every function. */
  #eachNamed(callback: (name: string, module: string, begin: number) => void): void {
    const text = this.#text;
    let tab = -1;
    this.#eachFunction((begin, end) => {
      if (tab < begin) tab = text.indexOf(TAB, begin);
      // No symbol after this one is of a module.
      if (tab < 0) tab = text.length;
      const name = text.toString("latin1", begin + 19, Math.min(tab, end));
      callback(name, tab < end ? text.toString("latin1", tab + 2, end - 1) : "", begin);
    });
  }

  /** Begin and end of every function's line. */
  #eachFunction(callback: (begin: number, end: number) => void): void {
    const text = this.#text;
    for (let begin = 0; begin + 20 < text.length; ) {
      const newline = text.indexOf(NEWLINE, begin);
      const end = newline < 0 ? text.length : newline;
      if (functionTypes[text[begin + 17]] === 1) callback(begin, end);
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
    let base = Number.POSITIVE_INFINITY;
    for (let begin = 0; begin + 20 < text.length; ) {
      if (functionTypes[text[begin + 17]] === 1 && text[begin] === F && text[begin + 3] === F) {
        if (count === room) {
          room *= 2;
          distances = withRoom(new Float64Array(room), distances);
          lines = withRoom(new Uint32Array(room), lines);
        }
        // The first four digits are "ffff": the remaining twelve are the distance.
        let distance = 0;
        for (let i = begin + 4; i < begin + 16; i++) distance = distance * 16 + hexDigit[text[i]];
        if (distance < base) base = distance;
        distances[count] = distance;
        lines[count++] = begin;
      }
      begin += 20;
      while (begin < text.length && text[begin] !== NEWLINE) begin++;
      begin++;
    }
    const { sorted, order } = sortAddresses(distances, count, base);
    return { distances: sorted, lines: order.map((i) => lines[i]) };
  }
}

function withRoom<T extends Float64Array | Uint32Array>(bigger: T, filled: T): T {
  bigger.set(filled);
  return bigger;
}
