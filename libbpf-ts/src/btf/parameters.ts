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

/** Writes "struct sock * sk", one a line, each behind an indentation. */
export class ParameterWriter {
  #btf: Btf;
  #base: ParameterWriter | undefined;
  #indentation: Uint8Array;
  /** Of own types, from the first. */
  #types: (Uint8Array | undefined)[];

  /** `base`: the writer of the kernel's types, for those of a module. */
  constructor(btf: Btf, indentation: string, base?: ParameterWriter) {
    this.#btf = btf;
    this.#base = base;
    this.#indentation = encoder.encode(indentation);
    this.#types = new Array(btf.endId - btf.firstId);
  }

  write(into: ByteTarget, functionId: number, { parameters, result, skip }: ParameterChoice): void {
    const { strings } = this.#btf;
    let index = 0;
    const returns = this.#btf.forEachParameter(this.#btf.prototypeOf(functionId), (type, name) => {
      if (!parameters || index++ < skip) return;
      put(into, this.#indentation);
      if (type === 0) put(into, OTHERS);
      else {
        put(into, this.#type(type));
        put(into, NAME);
        const { bytes, begin } = strings.holder(name);
        copyString(into, bytes, name - begin);
      }
      put(into, NEWLINE);
    });
    if (!result || returns === 0) return;
    put(into, this.#indentation);
    put(into, this.#type(returns));
    put(into, RESULT);
  }

  #type(id: number): Uint8Array {
    const own = id - this.#btf.firstId;
    if (own < 0 && this.#base) return this.#base.#type(id);
    let text = this.#types[own];
    if (!text) {
      text = encoder.encode(this.#btf.typeName(id));
      this.#types[own] = text;
    }
    return text;
  }
}
