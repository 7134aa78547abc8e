// Building BTF: what programs need to say where their functions and source lines are (func_info, line_info), and types for
// maps. Pure: it returns bytes. Equal strings are stored once; types are not merged.

import { BTF_MAGIC, HEADER_SIZE, IntEncoding, Kind } from "./format.ts";

export interface NewMember {
  name: string;
  type: number;
  bitOffset: number;
  /** Width of a bitfield. */
  bitSize?: number;
}

/** Linkage of functions and variables. */
export const Linkage = { static: 0, global: 1, extern: 2 } as const;

const encoder = new TextEncoder();

/** Collects types and strings; each method returns the id of what it added. */
export class BtfWriter {
  #words: number[] = [];
  #nextId = 1;
  #offsets = new Map<string, number>([["", 0]]);
  #strings: Uint8Array[] = [new Uint8Array(1)];
  #stringLength = 1;

  /** The offset of a string; also for file names and source lines of `encodeLineInfo`. */
  string(text: string): number {
    const known = this.#offsets.get(text);
    if (known !== undefined) return known;
    const offset = this.#stringLength;
    const bytes = encoder.encode(`${text.replaceAll("\0", "")}\0`);
    this.#offsets.set(text, offset);
    this.#strings.push(bytes);
    this.#stringLength += bytes.byteLength;
    return offset;
  }

  int(
    name: string,
    size: number,
    options: { signed?: boolean; char?: boolean; bool?: boolean } = {},
  ): number {
    const encoding =
      (options.signed ? IntEncoding.signed : 0) |
      (options.char ? IntEncoding.char : 0) |
      (options.bool ? IntEncoding.bool : 0);
    return this.#add(Kind.int, name, 0, size, [(encoding << 24) | (size * 8)]);
  }
  float(name: string, size: number): number {
    return this.#add(Kind.float, name, 0, size);
  }
  ptr(type: number): number {
    return this.#add(Kind.ptr, "", 0, type);
  }
  array(type: number, indexType: number, count: number): number {
    return this.#add(Kind.array, "", 0, 0, [type, indexType, count]);
  }
  struct(name: string, size: number, members: readonly NewMember[]): number {
    return this.#composite(Kind.struct, name, size, members);
  }
  union(name: string, size: number, members: readonly NewMember[]): number {
    return this.#composite(Kind.union, name, size, members);
  }
  enum(
    name: string,
    size: number,
    values: readonly { name: string; value: number }[],
    signed = false,
  ): number {
    const words = values.flatMap(({ name, value }) => [this.string(name), value]);
    return this.#add(Kind.enum, name, values.length, size, words, signed);
  }
  fwd(name: string, isUnion = false): number {
    return this.#add(Kind.fwd, name, 0, 0, [], isUnion);
  }
  typedef(name: string, type: number): number {
    return this.#add(Kind.typedef, name, 0, type);
  }
  const(type: number): number {
    return this.#add(Kind.const, "", 0, type);
  }
  volatile(type: number): number {
    return this.#add(Kind.volatile, "", 0, type);
  }
  funcProto(returns: number, params: readonly { name: string; type: number }[]): number {
    const words = params.flatMap(({ name, type }) => [this.string(name), type]);
    return this.#add(Kind.func_proto, "", params.length, returns, words);
  }
  /** The main function must be static or global; functions passed to helpers must be static. */
  func(name: string, proto: number, linkage: keyof typeof Linkage = "static"): number {
    return this.#add(Kind.func, name, Linkage[linkage], proto);
  }
  var(name: string, type: number, linkage: keyof typeof Linkage = "global"): number {
    return this.#add(Kind.var, name, 0, type, [Linkage[linkage]]);
  }
  datasec(
    name: string,
    size: number,
    entries: readonly { type: number; offset: number; size: number }[],
  ): number {
    const words = entries.flatMap(({ type, offset, size }) => [type, offset, size]);
    return this.#add(Kind.datasec, name, entries.length, size, words);
  }

  /** The BTF as the kernel loads it. */
  build(): Uint8Array {
    const typeLength = this.#words.length * 4;
    const bytes = new Uint8Array(HEADER_SIZE + typeLength + this.#stringLength);
    const view = new DataView(bytes.buffer);
    view.setUint16(0, BTF_MAGIC, true);
    view.setUint8(2, 1);
    view.setUint32(4, HEADER_SIZE, true);
    view.setUint32(12, typeLength, true);
    view.setUint32(16, typeLength, true);
    view.setUint32(20, this.#stringLength, true);
    let at = HEADER_SIZE;
    for (const word of this.#words) {
      view.setUint32(at, word >>> 0, true);
      at += 4;
    }
    for (const text of this.#strings) {
      bytes.set(text, at);
      at += text.byteLength;
    }
    return bytes;
  }

  #composite(kind: number, name: string, size: number, members: readonly NewMember[]): number {
    const flagged = members.some((member) => member.bitSize);
    const words = members.flatMap(({ name, type, bitOffset, bitSize = 0 }) => [
      this.string(name),
      type,
      flagged ? (bitSize << 24) | bitOffset : bitOffset,
    ]);
    return this.#add(kind, name, members.length, size, words, flagged);
  }

  #add(
    kind: number,
    name: string,
    count: number,
    third: number,
    extra: readonly number[] = [],
    flag = false,
  ): number {
    this.#words.push(this.string(name), (flag ? 0x80000000 : 0) | (kind << 24) | count, third, ...extra);
    return this.#nextId++;
  }
}

/** Which function begins at which instruction slot; the first must be at 0. */
export function encodeFuncInfo(functions: readonly { insnOff: number; typeId: number }[]): Uint8Array {
  const words = new Uint32Array(functions.length * 2);
  functions.forEach(({ insnOff, typeId }, i) => {
    words[i * 2] = insnOff;
    words[i * 2 + 1] = typeId;
  });
  return new Uint8Array(words.buffer);
}

export interface LineInfo {
  /** Instruction slot where the line begins. */
  insnOff: number;
  /** Offsets of strings in the same BTF. */
  fileNameOff: number;
  lineOff: number;
  line: number;
  column: number;
}

/** Which source line each instruction comes from; every function's first instruction must have one. */
export function encodeLineInfo(lines: readonly LineInfo[]): Uint8Array {
  const words = new Uint32Array(lines.length * 4);
  lines.forEach(({ insnOff, fileNameOff, lineOff, line, column }, i) => {
    words[i * 4] = insnOff;
    words[i * 4 + 1] = fileNameOff;
    words[i * 4 + 2] = lineOff;
    words[i * 4 + 3] = (line << 10) | (column & 1023);
  });
  return new Uint8Array(words.buffer);
}
