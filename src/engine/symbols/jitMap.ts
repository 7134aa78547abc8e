/**
 * What JITs write to /tmp/perf-PID.map: lines "start size name" in hexadecimal, appended as code is made. The file is the
 * process's own and may hold anything: only as much as is sane is read, and names stay bytes until one is shown.
 */
import { closeSync, constants, fstatSync, readSync } from "node:fs";
import { openWithin } from "libbpf-ts";

const MOST_BYTES = 64 << 20;
const LONGEST_NAME = 512;
const NEWLINE = 10;
const SPACE = 32;

const hexDigit = new Int8Array(256).fill(-1);
for (let i = 0; i < 16; i++) {
  hexDigit["0123456789abcdef".charCodeAt(i)] = i;
  hexDigit["0123456789ABCDEF".charCodeAt(i)] = i;
}

export interface JitSymbol {
  name: string;
  /** Bytes from its start. */
  offset: number;
}

/** The text of a map, indexed by address. Of two entries at one place the later counts. */
export class JitMap {
  readonly #text: Buffer;
  readonly #starts: Float64Array;
  readonly #sizes: Float64Array;
  /** Where in the text each name begins. */
  readonly #names: Uint32Array;

  constructor(text: Buffer) {
    this.#text = text;
    let most = 1;
    for (let at = text.indexOf(NEWLINE); at >= 0; at = text.indexOf(NEWLINE, at + 1)) most++;
    const starts = new Float64Array(most);
    const sizes = new Float64Array(most);
    const names = new Uint32Array(most);
    let count = 0;
    for (let at = 0; at < text.length; ) {
      const line = at;
      const newline = text.indexOf(NEWLINE, at);
      const end = newline < 0 ? text.length : newline;
      at = end + 1;
      const size = this.#number(line, end);
      const name = size && this.#number(size.end + 1, end);
      if (!name || name.end + 1 >= end) continue;
      starts[count] = size.value;
      sizes[count] = name.value;
      names[count++] = name.end + 1;
    }
    const order = new Uint32Array(count);
    for (let i = 0; i < count; i++) order[i] = i;
    order.sort((a, b) => starts[a] - starts[b] || a - b);
    this.#starts = Float64Array.from(order, (i) => starts[i]);
    this.#sizes = Float64Array.from(order, (i) => sizes[i]);
    this.#names = Uint32Array.from(order, (i) => names[i]);
  }

  /** Hexadecimal digits up to a space; undefined: something else is there. */
  #number(from: number, end: number): { value: number; end: number } | undefined {
    const text = this.#text;
    let at = from;
    if (text[at] === 0x30 && (text[at + 1] | 0x20) === 0x78) at += 2;
    const first = at;
    let value = 0;
    for (; at < end && text[at] !== SPACE; at++) {
      const digit = hexDigit[text[at]];
      if (digit < 0 || at - first >= 16) return undefined;
      value = value * 16 + digit;
    }
    return at > first && at < end ? { value, end: at } : undefined;
  }

  get count(): number {
    return this.#starts.length;
  }

  at(address: number): JitSymbol | undefined {
    let low = 0;
    let high = this.#starts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#starts[middle] <= address) low = middle + 1;
      else high = middle;
    }
    const offset = address - this.#starts[low - 1];
    if (low === 0 || offset >= this.#sizes[low - 1]) return undefined;
    const from = this.#names[low - 1];
    const newline = this.#text.indexOf(NEWLINE, from);
    const end = Math.min(newline < 0 ? this.#text.length : newline, from + LONGEST_NAME);
    return { name: this.#text.toString("utf8", from, end), offset };
  }
}

/** A file that is read again when it has grown. */
export class JitMapFile {
  readonly path: string;
  #identity = "";
  #map: JitMap | undefined;

  constructor(path: string) {
    this.path = path;
  }

  /** `uid`: whose the file must be. */
  at(address: number, uid: number): JitSymbol | undefined {
    return this.#map?.at(address) ?? (this.#read(uid) ? this.#map?.at(address) : undefined);
  }

  /** Whether there is something new. Links, pipes and other users' files are not followed. */
  #read(uid: number): boolean {
    let fd: number;
    try {
      fd = openWithin(this.path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
    } catch {
      return false;
    }
    try {
      const stat = fstatSync(fd);
      const identity = `${stat.ino} ${stat.size} ${stat.mtimeMs}`;
      if (!stat.isFile() || stat.uid !== uid || identity === this.#identity) return false;
      this.#identity = identity;
      const text = Buffer.allocUnsafe(Math.min(stat.size, MOST_BYTES));
      const length = readSync(fd, text, 0, text.length, 0);
      this.#map = new JitMap(text.subarray(0, length));
      return true;
    } catch {
      return false;
    } finally {
      closeSync(fd);
    }
  }
}
