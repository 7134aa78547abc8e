/**
 * Where output is put together: a growing buffer of bytes, not strings. Traced data is bytes, may be any, and reaches
 * files and pipes unchanged; and a flood of printf lines is formatted without making a string per value.
 *
 * What a script's author wrote goes in with `ascii` and `text`. What traced programs chose (strings, names of symbols
 * and files) goes in with `data` and `name`, which show control characters instead of passing them on when the
 * writer is `visible`: a terminal is on the other side.
 */

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder();
const HEX = ENCODER.encode("0123456789abcdef");
const MINUS = 0x2d;
const ZERO = 0x30;
const BACKSLASH = 0x5c;
const TAB = 0x09;
const NEWLINE = 0x0a;

/** Characters beyond ASCII that move the cursor, hide text or reorder it on some terminals. */
const isUnsafeCharacter = (code: number): boolean =>
  code < 0xa0 ||
  code === 0x061c ||
  (code >= 0x200b && code <= 0x200f) ||
  (code >= 0x2028 && code <= 0x202e) ||
  (code >= 0x2060 && code <= 0x2069) ||
  code === 0xfeff ||
  code >= 0xe0000;

export class ByteWriter {
  bytes: Uint8Array;
  length = 0;
  /** Data that would drive a terminal is shown as \xNN. */
  readonly visible: boolean;

  constructor(capacity = 256, visible = false) {
    this.bytes = new Uint8Array(capacity);
    this.visible = visible;
  }

  /** Makes room for `count` more bytes. */
  reserve(count: number): void {
    const needed = this.length + count;
    if (needed <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }

  clear(): void {
    this.length = 0;
  }

  /** The bytes so far, in place: valid until the next write. */
  view(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }

  /** As text. Bytes that are not UTF-8 become U+FFFD. */
  toString(): string {
    const { bytes, length } = this;
    if (length < 24) {
      let text = "";
      let i = 0;
      for (; i < length; i++) {
        if (bytes[i] >= 0x80) break;
        text += String.fromCharCode(bytes[i]);
      }
      if (i === length) return text;
    }
    return DECODER.decode(bytes.subarray(0, length));
  }

  byte(value: number): void {
    if (this.length === this.bytes.length) this.reserve(1);
    this.bytes[this.length++] = value;
  }

  /** Text of which every character is known to be ASCII. */
  ascii(text: string): void {
    this.reserve(text.length);
    const { bytes } = this;
    let at = this.length;
    for (let i = 0; i < text.length; i++) bytes[at++] = text.charCodeAt(i);
    this.length = at;
  }

  /** The script's own text, as UTF-8. */
  text(text: string): void {
    this.reserve(text.length * 3);
    this.length += ENCODER.encodeInto(text, this.bytes.subarray(this.length)).written;
  }

  /** Bytes as they are. */
  raw(source: Uint8Array): void {
    this.reserve(source.length);
    if (source.length < 32) {
      const { bytes } = this;
      let at = this.length;
      for (let i = 0; i < source.length; i++) bytes[at++] = source[i];
    } else {
      this.bytes.set(source, this.length);
    }
    this.length += source.length;
  }

  /** Text that came from the traced system. */
  name(text: string): void {
    this.reserve(text.length);
    let at = this.length;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code < 0x20 || code >= 0x7f) {
        this.#encodedName(text);
        return;
      }
      this.bytes[at++] = code;
    }
    this.length = at;
  }

  #encodedName(text: string): void {
    const bytes = ENCODER.encode(text);
    this.data(new DataView(bytes.buffer), 0, bytes.length);
  }

  /** Traced bytes [start, end). `lines`: newlines pass, for the output of cat and system. */
  data(view: DataView, start: number, end: number, lines = false): void {
    this.reserve(end - start);
    const { bytes, visible } = this;
    let at = this.length;
    for (let i = start; i < end; i++) {
      const byte = view.getUint8(i);
      if (visible && (byte < 0x20 || byte >= 0x7f) && byte !== TAB && !(lines && byte === NEWLINE)) {
        this.length = at;
        this.#visibleData(view, i, end, lines);
        return;
      }
      bytes[at++] = byte;
    }
    this.length = at;
  }

  #visibleData(view: DataView, start: number, end: number, lines: boolean): void {
    for (let i = start; i < end; ) {
      const byte = view.getUint8(i);
      if (byte < 0x80) {
        i++;
        if ((byte >= 0x20 && byte !== 0x7f) || byte === TAB || (lines && byte === NEWLINE)) this.byte(byte);
        else this.escaped(byte);
        continue;
      }
      const size = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc2 ? 2 : 0;
      const code = size && i + size <= end ? decodeCharacter(view, i, size) : -1;
      if (code < 0) {
        this.escaped(byte);
        i++;
        continue;
      }
      for (let j = 0; j < size; j++) {
        if (isUnsafeCharacter(code)) this.escaped(view.getUint8(i + j));
        else this.byte(view.getUint8(i + j));
      }
      i += size;
    }
  }

  /** \x1b */
  escaped(byte: number): void {
    this.byte(BACKSLASH);
    this.byte(0x78);
    this.hexByte(byte);
  }

  hexByte(byte: number): void {
    this.byte(HEX[byte >> 4]);
    this.byte(HEX[byte & 15]);
  }

  /** An integer within ±2^53. */
  decimal(value: number): void {
    this.reserve(20);
    if (value < 0) {
      this.bytes[this.length++] = MINUS;
      value = -value;
    }
    if (value > 0xffff_ffff) {
      const high = Math.floor(value / 1e9);
      this.decimal(high);
      this.#digits(value - high * 1e9, 9);
      return;
    }
    let digits = 1;
    for (let limit = 10; digits < 10 && value >= limit; limit *= 10) digits++;
    this.#digits(value, digits);
  }

  #digits(value: number, digits: number): void {
    const { bytes } = this;
    let at = this.length + digits;
    this.length = at;
    if (value > 0x7fff_ffff) {
      const rest = Math.floor(value / 10);
      bytes[--at] = ZERO + (value - rest * 10);
      value = rest;
      digits--;
    }
    let left = value | 0;
    for (; digits > 0; digits--) {
      const rest = (left / 10) | 0;
      bytes[--at] = ZERO + (left - rest * 10);
      left = rest;
    }
  }

  /** The 64-bit integer at `offset`. */
  decimal64(view: DataView, offset: number, signed: boolean): void {
    const low = view.getUint32(offset, true);
    const high = view.getUint32(offset + 4, true);
    if (high === 0) this.decimal(low);
    else if (high < 0x20_0000) this.decimal(high * 0x1_0000_0000 + low);
    else if (signed && high >= 0xffe0_0000) this.decimal((high | 0) * 0x1_0000_0000 + low);
    else this.ascii(String(signed ? view.getBigInt64(offset, true) : view.getBigUint64(offset, true)));
  }
}

/** The code point of a UTF-8 sequence, -1 when it is none. */
function decodeCharacter(view: DataView, offset: number, size: number): number {
  let code = view.getUint8(offset) & (0x7f >> size);
  for (let i = 1; i < size; i++) {
    const next = view.getUint8(offset + i);
    if ((next & 0xc0) !== 0x80) return -1;
    code = (code << 6) | (next & 0x3f);
  }
  const shortest = size === 2 ? 0x80 : size === 3 ? 0x800 : 0x1_0000;
  const surrogate = code >= 0xd800 && code <= 0xdfff;
  return code < shortest || surrogate || code > 0x10_ffff ? -1 : code;
}
