// Text in the making as the bytes it is written as: for lists of 200,000 lines, of which no string need be made.

const encoder = new TextEncoder();

export class ByteText {
  #bytes: Uint8Array;
  #length = 0;

  constructor(room = 1024) {
    this.#bytes = new Uint8Array(room);
  }

  get length(): number {
    return this.#length;
  }

  /** What was added since the last `clear`; overwritten by what is added after that. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  clear(): void {
    this.#length = 0;
  }

  add(text: string): void {
    // In UTF-8 a code unit takes at most three bytes.
    const bytes = this.#room(text.length * 3);
    let end = this.#length;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code >= 0x80) {
        end = this.#length + encoder.encodeInto(text, bytes.subarray(this.#length)).written;
        break;
      }
      bytes[end++] = code;
    }
    this.#length = end;
  }

  /** A part of another. */
  addPart(other: ByteText, begin: number, end: number): void {
    this.copy(other.#bytes, begin, end);
  }

  /** Bytes as they are. */
  copy(source: Uint8Array, begin: number, end: number): void {
    const bytes = this.#room(end - begin);
    let to = this.#length;
    for (let at = begin; at < end; at++) bytes[to++] = source[at];
    this.#length = to;
  }

  /** Bytes up to a zero. */
  copyString(source: Uint8Array, begin: number): void {
    let end = begin;
    while (source[end] > 0) end++;
    this.copy(source, begin, end);
  }

  #room(more: number): Uint8Array {
    const needed = this.#length + more;
    if (needed > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    return this.#bytes;
  }
}
