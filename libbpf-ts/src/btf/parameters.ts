// Parameters of functions as C declares them, for lists of all functions of a kernel: 130,000 parameters of 15,000 types.
// Each type is written once; names are copied from where they lie.

import type { Btf } from "./reader.ts";

/** Bytes in the making: `reserve` makes room behind the first `length` of them, and may put others in their place. */
export interface ByteTarget {
  bytes: Uint8Array;
  length: number;
  reserve(count: number): void;
}

/** What of a function's prototype is written. */
export interface ParameterChoice {
  parameters: boolean;
  /** The result, as a last one named "retval". */
  result: boolean;
  /** Parameters at the beginning that are left out. */
  skip: number;
}

function copy(into: ByteTarget, source: Uint8Array, begin: number, end: number): void {
  into.reserve(end - begin);
  const { bytes } = into;
  let to = into.length;
  for (let at = begin; at < end; at++) bytes[to++] = source[at];
  into.length = to;
}

function copyString(into: ByteTarget, source: Uint8Array, begin: number): void {
  let end = begin;
  while (source[end] > 0) end++;
  copy(into, source, begin, end);
}

const encoder = new TextEncoder();
const NAME = encoder.encode(" ");
const NEWLINE = encoder.encode("\n");
const OTHERS = encoder.encode("...");
const RESULT = encoder.encode(" retval\n");

const put = (into: ByteTarget, text: Uint8Array): void => copy(into, text, 0, text.length);

/** Texts by number, all in one piece of memory. */
class TextPool implements ByteTarget {
  bytes = new Uint8Array(1 << 12);
  length = 0;
  /** Begin plus one, and end, of each; zeros for those that are not there. */
  #begins: Uint32Array;
  #ends: Uint32Array;

  constructor(count: number) {
    this.#begins = new Uint32Array(count);
    this.#ends = new Uint32Array(count);
  }

  reserve(count: number): void {
    const needed = this.length + count;
    if (needed <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(needed, this.bytes.length * 2));
    larger.set(this.bytes);
    this.bytes = larger;
  }

  keep(number: number, source: Uint8Array, begin: number, end: number): void {
    this.#begins[number] = this.length + 1;
    copy(this, source, begin, end);
    this.#ends[number] = this.length;
  }

  has(number: number): boolean {
    return this.#begins[number] > 0;
  }

  copyTo(into: ByteTarget, number: number): void {
    copy(into, this.bytes, this.#begins[number] - 1, this.#ends[number]);
  }
}

/** Writes "struct sock * sk", one a line, each behind an indentation. */
export class ParameterWriter {
  #btf: Btf;
  #choice: ParameterChoice;
  #base: ParameterWriter | undefined;
  #indentation: Uint8Array;
  /** Names of types, and what is written for prototypes; by their ids, counted from the first of their own. */
  #types: TextPool;
  #prototypes: TextPool;

  /** `base`: the writer of the kernel's types, for those of a module. */
  constructor(btf: Btf, indentation: string, choice: ParameterChoice, base?: ParameterWriter) {
    const count = btf.endId - btf.firstId;
    this.#btf = btf;
    this.#choice = choice;
    this.#base = base;
    this.#indentation = encoder.encode(indentation);
    this.#types = new TextPool(count);
    this.#prototypes = new TextPool(count);
  }

  /** What a function's prototype says; nothing for what is no function. */
  write(into: ByteTarget, functionId: number): void {
    const prototype = this.#btf.prototypeOf(functionId);
    if (prototype > 0) this.#writePrototype(into, prototype);
  }

  #writePrototype(into: ByteTarget, prototype: number): void {
    const own = prototype - this.#btf.firstId;
    if (own < 0 && this.#base) {
      this.#base.#writePrototype(into, prototype);
      return;
    }
    if (this.#prototypes.has(own)) {
      this.#prototypes.copyTo(into, own);
      return;
    }
    const before = into.length;
    this.#write(into, prototype);
    this.#prototypes.keep(own, into.bytes, before, into.length);
  }

  #write(into: ByteTarget, prototype: number): void {
    const { strings } = this.#btf;
    const { parameters, result, skip } = this.#choice;
    let index = 0;
    const returns = this.#btf.forEachParameter(prototype, (type, name) => {
      if (!parameters || index++ < skip) return;
      put(into, this.#indentation);
      if (type === 0) put(into, OTHERS);
      else {
        this.#writeType(into, type);
        put(into, NAME);
        const { bytes, begin } = strings.holder(name);
        copyString(into, bytes, name - begin);
      }
      put(into, NEWLINE);
    });
    if (!result || returns === 0) return;
    put(into, this.#indentation);
    this.#writeType(into, returns);
    put(into, RESULT);
  }

  #writeType(into: ByteTarget, id: number): void {
    const own = id - this.#btf.firstId;
    if (own < 0 && this.#base) {
      this.#base.#writeType(into, id);
      return;
    }
    if (!this.#types.has(own)) {
      const name = encoder.encode(this.#btf.typeName(id));
      this.#types.keep(own, name, 0, name.length);
    }
    this.#types.copyTo(into, own);
  }
}
