// A place in bytes that never leaves them: damaged debug info ends in a DwarfError that says where, not in nonsense.

/** Debug info that is damaged, or of a kind that is not read here. */
export class DwarfError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "DwarfError";
  }
}

const textDecoder = new TextDecoder();

export class Cursor {
  readonly bytes: Uint8Array;
  at: number;
  /** Reading stops here. */
  readonly end: number;

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    this.bytes = bytes;
    this.at = at;
    this.end = Math.min(end, bytes.length);
    if (at < 0 || at > this.end) throw new DwarfError("the debug info is damaged: it points outside itself");
  }

  get done(): boolean {
    return this.at >= this.end;
  }

  /** Where the next `size` bytes begin; steps over them. */
  take(size: number): number {
    const from = this.at;
    if (!(size >= 0) || from + size > this.end)
      throw new DwarfError("the debug info is damaged: it ends too soon");
    this.at = from + size;
    return from;
  }

  u8(): number {
    return this.bytes[this.take(1)];
  }

  i8(): number {
    return (this.u8() << 24) >> 24;
  }

  u16(): number {
    const at = this.take(2);
    return this.bytes[at] | (this.bytes[at + 1] << 8);
  }

  u24(): number {
    const at = this.take(3);
    return this.bytes[at] | (this.bytes[at + 1] << 8) | (this.bytes[at + 2] << 16);
  }

  u32(): number {
    const { bytes } = this;
    const at = this.take(4);
    return (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)) >>> 0;
  }

  /** Exact up to 2⁵³: addresses of user programs and offsets in files. */
  u64(): number {
    const low = this.u32();
    return low + this.u32() * 2 ** 32;
  }

  unsigned(size: number): number {
    if (size === 1) return this.u8();
    if (size === 2) return this.u16();
    if (size === 3) return this.u24();
    if (size === 4) return this.u32();
    if (size === 8) return this.u64();
    throw new DwarfError(`the debug info has a number of ${size} bytes`);
  }

  /** Exact up to 2⁵³. */
  uleb(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }

  sleb(): bigint {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.u8();
      if (shift < 70n) value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return byte & 0x40 && shift < 63n ? value - (1n << (shift + 7n)) : value;
    }
  }

  skipLeb(): void {
    while (this.u8() >= 0x80);
  }

  /** A zero-terminated text. */
  text(): string {
    const end = this.bytes.indexOf(0, this.at);
    if (end < 0 || end >= this.end) throw new DwarfError("the debug info is damaged: a name does not end");
    const text = textDecoder.decode(this.bytes.subarray(this.at, end));
    this.at = end + 1;
    return text;
  }

  skipText(): void {
    const end = this.bytes.indexOf(0, this.at);
    if (end < 0 || end >= this.end) throw new DwarfError("the debug info is damaged: a name does not end");
    this.at = end + 1;
  }
}
