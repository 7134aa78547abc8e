/**
 * What JITs write to /tmp/perf-PID.map: lines "start size name" in hexadecimal, appended as code is made. The file is the
 * process's own and may hold anything: names stay bytes until one is shown.
 */

/** Functions of one text; later ones have no names. */
const MOST_ENTRIES = 1 << 20;
/** Of the index. */
const ENTRY_BYTES = 20;
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
    for (let at = text.indexOf(NEWLINE); at >= 0 && most < MOST_ENTRIES; at = text.indexOf(NEWLINE, at + 1))
      most++;
    const starts = new Float64Array(most);
    const sizes = new Float64Array(most);
    const names = new Uint32Array(most);
    let count = 0;
    for (let at = 0; at < text.length && count < most; ) {
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

  /** Memory that it takes. */
  get bytes(): number {
    return this.#text.length + this.count * ENTRY_BYTES;
  }

  /** One map of this text and what was written behind its last whole line. */
  with(next: JitMap): JitMap {
    const lines = this.#text.subarray(0, this.#text.lastIndexOf(NEWLINE) + 1);
    return new JitMap(Buffer.concat([lines, next.#text]));
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
