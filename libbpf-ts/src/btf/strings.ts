// The string section of BTF. A module's goes on where the kernel's ends, so that an offset may lead into either.

import { BtfError } from "./format.ts";

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** Where `needle` (with its zero bytes around it) is in `haystack`, or -1. */
function indexOfBytes(haystack: Uint8Array, needle: Uint8Array): number {
  // Node's Buffer searches natively; the loop is for other runtimes.
  const native = (globalThis as { Buffer?: typeof Buffer }).Buffer;
  if (native) return native.from(haystack.buffer, haystack.byteOffset, haystack.byteLength).indexOf(needle);
  outer: for (let at = haystack.indexOf(needle[0]); at >= 0; at = haystack.indexOf(needle[0], at + 1)) {
    for (let i = 1; i < needle.length; i++) if (haystack[at + i] !== needle[i]) continue outer;
    return at;
  }
  return -1;
}

const FNV_BASIS = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** FNV-1a of a name; the kernel refuses any that is not ASCII. */
export function hashOfName(name: string): number {
  let value = FNV_BASIS;
  for (let at = 0; at < name.length; at++) value = Math.imul(value ^ name.charCodeAt(at), FNV_PRIME);
  return value >>> 0;
}

export class BtfStrings {
  readonly bytes: Uint8Array;
  readonly base: BtfStrings | undefined;
  /** The offset of the first byte as types refer to it. */
  readonly begin: number;

  constructor(bytes: Uint8Array, base: BtfStrings | undefined) {
    this.bytes = bytes;
    this.base = base;
    this.begin = base ? base.begin + base.bytes.byteLength : 0;
  }

  /** The section that an offset leads into. */
  holder(offset: number): BtfStrings {
    return offset < this.begin && this.base ? this.base.holder(offset) : this;
  }

  text(offset: number): string {
    if (offset === 0) return "";
    if (offset < this.begin && this.base) return this.base.text(offset);
    const { bytes } = this;
    const begin = offset - this.begin;
    const end = bytes.indexOf(0, begin);
    if (begin >= bytes.byteLength || end < 0) throw new BtfError(`string ${offset} is out of range`);
    // Names are short and plain: cheaper than a decoder up to about 20 characters.
    if (end - begin > 24) return decoder.decode(bytes.subarray(begin, end));
    let text = "";
    for (let at = begin; at < end; at++) {
      const code = bytes[at];
      if (code >= 0x80) return decoder.decode(bytes.subarray(begin, end));
      text += String.fromCharCode(code);
    }
    return text;
  }

  /** The offset of a string in this section alone. */
  ownOffsetOf(name: string): number | undefined {
    const at = indexOfBytes(this.bytes, encoder.encode(`\0${name}\0`));
    return at < 0 ? undefined : at + 1 + this.begin;
  }

  /** The offset of a string as types refer to it: a module refers to the kernel's where they exist. */
  offsetOf(name: string): number | undefined {
    return this.base?.offsetOf(name) ?? this.ownOffsetOf(name);
  }

  /** FNV-1a of the string at an offset. */
  hashAt(offset: number): number {
    const { bytes, begin } = this.holder(offset);
    let value = FNV_BASIS;
    for (let at = offset - begin; bytes[at] > 0; at++) value = Math.imul(value ^ bytes[at], FNV_PRIME);
    return value >>> 0;
  }

  isAt(offset: number, name: string): boolean {
    const { bytes, begin } = this.holder(offset);
    return bytes[offset - begin + name.length] === 0 && this.startsAt(offset, name);
  }

  /** Whether the string at an offset begins with a prefix. */
  startsAt(offset: number, prefix: string): boolean {
    const { bytes, begin } = this.holder(offset);
    for (let i = 0, at = offset - begin; i < prefix.length; i++, at++)
      if (bytes[at] !== prefix.charCodeAt(i)) return false;
    return true;
  }
}
