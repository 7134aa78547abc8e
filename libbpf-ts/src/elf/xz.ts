// .xz, as far as `.gnu_debugdata` sections go: the LZMA2 filter alone. The registry's decoders are streams that answer later,
// and names are asked for in the middle of printing.
//
//   file:   FD "7zXZ" 00, 2 bytes of flags, CRC32 | block … | index | footer
//   block:  header size / 4 − 1, flags, [sizes], filters …, CRC32 | LZMA2 chunks, 0 | padding to 4 | check
//   chunk:  1, 2          stored: u16 size − 1, bytes
//           80…FF         LZMA: 5 bits and u16 of plain size − 1, u16 of packed size − 1, [properties], range-coded bits
//
// LZMA predicts every bit: `probabilities` holds one chance in 2048 for each bit in its context, in tables one after the other.

const MAGIC = Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]);
const LZMA2 = 0x21;
/** Bytes of a block's check, by its kind. */
const CHECK_SIZE = [0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64];

const STATES = 12;
const MOST_POSITIONS = 16;
const IS_MATCH = 0;
const IS_REP = IS_MATCH + STATES * MOST_POSITIONS;
const IS_REP_0 = IS_REP + STATES;
const IS_REP_1 = IS_REP_0 + STATES;
const IS_REP_2 = IS_REP_1 + STATES;
const IS_REP_0_LONG = IS_REP_2 + STATES;
const DISTANCE_SLOT = IS_REP_0_LONG + STATES * MOST_POSITIONS;
const DISTANCE_LOW = DISTANCE_SLOT + 4 * 64;
const DISTANCE_ALIGN = DISTANCE_LOW + 115;
/** Length: choice, choice2, 8 short ones and 8 middle ones for each position, 256 long ones. */
const LENGTH = DISTANCE_ALIGN + 16;
const LENGTH_SIZE = 2 + 2 * 8 * MOST_POSITIONS + 256;
const REP_LENGTH = LENGTH + LENGTH_SIZE;
const LITERAL = REP_LENGTH + LENGTH_SIZE;
const LITERAL_SIZE = 0x300;
const EVEN = 1024;

/** Damaged, of a kind not known, or too big. */
export class XzError extends Error {
  constructor(message: string) {
    super(`xz: ${message}`);
    this.name = "XzError";
  }
}

class Lzma2 {
  readonly #in: Uint8Array;
  readonly #limit: number;
  #at: number;
  #out = new Uint8Array(1 << 16);
  #length = 0;
  #range = 0;
  #code = 0;
  #probabilities = new Uint16Array(0);
  #literalBits = 0;
  #literalPositionMask = 0;
  #positionMask = 0;
  #state = 0;
  #rep0 = 0;
  #rep1 = 0;
  #rep2 = 0;
  #rep3 = 0;
  #dictionaryStart = 0;

  constructor(input: Uint8Array, at: number, limit: number) {
    this.#in = input;
    this.#at = at;
    this.#limit = limit;
  }

  get output(): Uint8Array {
    return this.#out.subarray(0, this.#length);
  }

  /** Reads the chunks of one block that begin at `at`; the place behind them. */
  block(at: number): number {
    this.#at = at;
    for (;;) {
      const control = this.#byte();
      if (control === 0) return this.#at;
      if (control === 1 || control >= 0xe0) this.#dictionaryStart = this.#length;
      if (control >= 0x80) this.#packed(control);
      else if (control <= 2) this.#stored();
      else throw new XzError("a damaged chunk");
    }
  }

  #byte(): number {
    if (this.#at >= this.#in.length) throw new XzError("it ends too early");
    return this.#in[this.#at++];
  }

  #u16(): number {
    const high = this.#byte();
    return (high << 8) | this.#byte();
  }

  #makeRoom(more: number): void {
    const needed = this.#length + more;
    if (needed > this.#limit) throw new XzError(`unpacks to more than ${this.#limit} bytes`);
    if (needed <= this.#out.length) return;
    const bigger = new Uint8Array(Math.max(needed, this.#out.length * 2));
    bigger.set(this.output);
    this.#out = bigger;
  }

  #stored(): void {
    const size = this.#u16() + 1;
    if (this.#at + size > this.#in.length) throw new XzError("it ends too early");
    this.#makeRoom(size);
    this.#out.set(this.#in.subarray(this.#at, this.#at + size), this.#length);
    this.#at += size;
    this.#length += size;
  }

  #packed(control: number): void {
    const size = (((control & 0x1f) << 16) | this.#u16()) + 1;
    const end = this.#u16() + 1;
    if (control >= 0xc0) this.#setProperties(this.#byte());
    if (control >= 0xa0) this.#reset();
    if (this.#probabilities.length === 0) throw new XzError("a damaged chunk");
    const behind = this.#at + end;
    this.#makeRoom(size);
    this.#at++;
    this.#range = 0xffffffff;
    this.#code = ((this.#u16() << 16) | this.#u16()) >>> 0;
    this.#decode(this.#length + size);
    this.#at = behind;
  }

  /** (positionBits × 5 + literalPositionBits) × 9 + literalBits */
  #setProperties(properties: number): void {
    const literalBits = properties % 9;
    const rest = Math.floor(properties / 9);
    if (properties >= 225 || literalBits + (rest % 5) > 4) throw new XzError("damaged properties");
    this.#literalBits = literalBits;
    this.#literalPositionMask = (1 << (rest % 5)) - 1;
    this.#positionMask = (1 << Math.floor(rest / 5)) - 1;
    this.#probabilities = new Uint16Array(LITERAL + (LITERAL_SIZE << (literalBits + (rest % 5))));
  }

  #reset(): void {
    this.#probabilities.fill(EVEN);
    this.#state = 0;
    this.#rep0 = this.#rep1 = this.#rep2 = this.#rep3 = 0;
  }

  #normalise(): void {
    if (this.#range >= 0x1000000) return;
    this.#range = (this.#range << 8) >>> 0;
    this.#code = ((this.#code << 8) | this.#byte()) >>> 0;
  }

  #bit(context: number): 0 | 1 {
    this.#normalise();
    const probability = this.#probabilities[context];
    const bound = (this.#range >>> 11) * probability;
    if (this.#code < bound) {
      this.#range = bound;
      this.#probabilities[context] = probability + ((2048 - probability) >>> 5);
      return 0;
    }
    this.#range -= bound;
    this.#code -= bound;
    this.#probabilities[context] = probability - (probability >>> 5);
    return 1;
  }

  /** The first bit is the highest. */
  #tree(contexts: number, bits: number): number {
    let symbol = 1;
    for (let i = 0; i < bits; i++) symbol = (symbol << 1) | this.#bit(contexts + symbol);
    return symbol - (1 << bits);
  }

  /** The first bit is the lowest. */
  #reverseTree(contexts: number, bits: number): number {
    let symbol = 1;
    let result = 0;
    for (let i = 0; i < bits; i++) {
      const bit = this.#bit(contexts + symbol);
      symbol = (symbol << 1) | bit;
      result |= bit << i;
    }
    return result;
  }

  #directBits(count: number): number {
    let result = 0;
    for (let i = 0; i < count; i++) {
      this.#normalise();
      this.#range >>>= 1;
      const bit = this.#code >= this.#range ? 1 : 0;
      if (bit) this.#code -= this.#range;
      result = (result << 1) | bit;
    }
    return result;
  }

  #decode(end: number): void {
    while (this.#length < end) {
      const position = (this.#length - this.#dictionaryStart) & this.#positionMask;
      if (this.#bit(IS_MATCH + this.#state * MOST_POSITIONS + position) === 0) {
        this.#literal();
        continue;
      }
      const length = this.#bit(IS_REP + this.#state) === 0 ? this.#match(position) : this.#repeat(position);
      this.#copy(length, end);
    }
  }

  #literal(): void {
    const out = this.#out;
    const distance = this.#length - this.#dictionaryStart;
    const previous = distance > 0 ? out[this.#length - 1] : 0;
    const context =
      ((distance & this.#literalPositionMask) << this.#literalBits) + (previous >> (8 - this.#literalBits));
    const contexts = LITERAL + LITERAL_SIZE * context;
    let symbol = 1;
    if (this.#state >= 7) {
      let matched = out[this.#length - this.#rep0 - 1] << 1;
      for (let offset = 0x100; symbol < 0x100; matched <<= 1) {
        const matchedBit = matched & offset;
        const bit = this.#bit(contexts + offset + matchedBit + symbol);
        symbol = (symbol << 1) | bit;
        offset &= bit ? matchedBit : ~matchedBit;
      }
    } else {
      while (symbol < 0x100) symbol = (symbol << 1) | this.#bit(contexts + symbol);
    }
    out[this.#length++] = symbol;
    this.#state = this.#state < 4 ? 0 : this.#state < 10 ? this.#state - 3 : this.#state - 6;
  }

  #length8(contexts: number, position: number): number {
    if (this.#bit(contexts) === 0) return this.#tree(contexts + 2 + position * 8, 3);
    if (this.#bit(contexts + 1) === 0)
      return 8 + this.#tree(contexts + 2 + (MOST_POSITIONS + position) * 8, 3);
    return 16 + this.#tree(contexts + 2 + 2 * MOST_POSITIONS * 8, 8);
  }

  #match(position: number): number {
    this.#rep3 = this.#rep2;
    this.#rep2 = this.#rep1;
    this.#rep1 = this.#rep0;
    const length = this.#length8(LENGTH, position);
    this.#state = this.#state < 7 ? 7 : 10;
    const slot = this.#tree(DISTANCE_SLOT + Math.min(length, 3) * 64, 6);
    const bits = (slot >> 1) - 1;
    if (slot < 4) {
      this.#rep0 = slot;
    } else {
      const base = ((2 | (slot & 1)) << bits) >>> 0;
      this.#rep0 =
        slot < 14
          ? base + this.#reverseTree(DISTANCE_LOW + base - slot, bits)
          : base + ((this.#directBits(bits - 4) << 4) >>> 0) + this.#reverseTree(DISTANCE_ALIGN, 4);
    }
    return length + 2;
  }

  #repeat(position: number): number {
    if (this.#bit(IS_REP_0 + this.#state) === 0) {
      if (this.#bit(IS_REP_0_LONG + this.#state * MOST_POSITIONS + position) === 0) {
        this.#state = this.#state < 7 ? 9 : 11;
        return 1;
      }
    } else {
      let distance = this.#rep1;
      if (this.#bit(IS_REP_1 + this.#state) !== 0) {
        if (this.#bit(IS_REP_2 + this.#state) === 0) {
          distance = this.#rep2;
        } else {
          distance = this.#rep3;
          this.#rep3 = this.#rep2;
        }
        this.#rep2 = this.#rep1;
      }
      this.#rep1 = this.#rep0;
      this.#rep0 = distance;
    }
    const length = this.#length8(REP_LENGTH, position) + 2;
    this.#state = this.#state < 7 ? 8 : 11;
    return length;
  }

  #copy(length: number, end: number): void {
    const from = this.#length - this.#rep0 - 1;
    if (from < this.#dictionaryStart || this.#length + length > end) throw new XzError("a damaged chunk");
    const out = this.#out;
    for (let i = 0; i < length; i++) out[this.#length + i] = out[from + i];
    this.#length += length;
  }
}

/** A number of 7 bits a byte, the lowest first; how many bytes it took. */
function variable(bytes: Uint8Array, at: number): [value: number, size: number] {
  let value = 0;
  for (let size = 0; size < 5; size++) {
    const byte = bytes[at + size];
    if (byte === undefined) break;
    value += (byte & 0x7f) * 2 ** (7 * size);
    if (byte < 0x80) return [value, size + 1];
  }
  throw new XzError("a damaged block header");
}

/** Throws unless the block's only filter is LZMA2. */
function checkFilters(header: Uint8Array): void {
  let at = 2;
  for (const flag of [0x40, 0x80]) if (header[1] & flag) at += variable(header, at)[1];
  const [filter] = variable(header, at);
  if ((header[1] & 3) !== 0 || filter !== LZMA2) throw new XzError("only the LZMA2 filter can be read");
}

/** Unpacks a whole .xz file of at most `limit` bytes unpacked; throws XzError. Checks are not verified. */
export function unpackXz(bytes: Uint8Array, limit: number): Uint8Array {
  if (bytes.length < 12 || MAGIC.compare(bytes.subarray(0, 6)) !== 0) throw new XzError("not an .xz file");
  const checkSize = CHECK_SIZE[bytes[7] & 15];
  const decoder = new Lzma2(bytes, 0, limit);
  for (let at = 12; bytes[at] !== 0; ) {
    if (at >= bytes.length) throw new XzError("it ends too early");
    const headerSize = (bytes[at] + 1) * 4;
    checkFilters(bytes.subarray(at, at + headerSize));
    const end = decoder.block(at + headerSize);
    at += headerSize + Math.ceil((end - at - headerSize) / 4) * 4 + checkSize;
  }
  return decoder.output;
}
