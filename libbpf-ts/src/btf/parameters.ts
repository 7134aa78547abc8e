// Parameters of functions as C declares them, for lists of all functions of a kernel: 130,000 parameters of 15,000 types.
// Each type is written once; names are copied from where they lie.

import { ByteText } from "../byteText.ts";
import type { Btf } from "./reader.ts";

/** What of a function's prototype is written. */
export interface ParameterChoice {
  parameters: boolean;
  /** The result, as a last one named "retval". */
  result: boolean;
  /** Parameters at the beginning that are left out. */
  skip: number;
}

/** Writes "struct sock * sk", one a line, each behind an indentation. */
export class ParameterWriter {
  #btf: Btf;
  #base: ParameterWriter | undefined;
  #indentation: string;
  #types = new ByteText(1 << 12);
  /** Begin in #types, plus one, and end of each own type; zeros for those not yet written. */
  #begins: Uint32Array;
  #ends: Uint32Array;

  /** `base`: the writer of the kernel's types, for those of a module. */
  constructor(btf: Btf, indentation: string, base?: ParameterWriter) {
    this.#btf = btf;
    this.#base = base;
    this.#indentation = indentation;
    this.#begins = new Uint32Array(btf.endId - btf.firstId);
    this.#ends = new Uint32Array(btf.endId - btf.firstId);
  }

  write(into: ByteText, functionId: number, { parameters, result, skip }: ParameterChoice): void {
    const { strings } = this.#btf;
    let index = 0;
    const returns = this.#btf.forEachParameter(this.#btf.prototypeOf(functionId), (type, name) => {
      if (!parameters || index++ < skip) return;
      into.add(this.#indentation);
      if (type === 0) into.add("...");
      else {
        this.#writeType(into, type);
        into.add(" ");
        const { bytes, begin } = strings.holder(name);
        into.copyString(bytes, name - begin);
      }
      into.add("\n");
    });
    if (!result || returns === 0) return;
    into.add(this.#indentation);
    this.#writeType(into, returns);
    into.add(" retval\n");
  }

  #writeType(into: ByteText, id: number): void {
    const own = id - this.#btf.firstId;
    if (own < 0) {
      if (this.#base) this.#base.#writeType(into, id);
      else into.add(this.#btf.typeName(id));
      return;
    }
    if (this.#begins[own] === 0) {
      this.#begins[own] = this.#types.length + 1;
      this.#types.add(this.#btf.typeName(id));
      this.#ends[own] = this.#types.length;
    }
    into.addPart(this.#types, this.#begins[own] - 1, this.#ends[own]);
  }
}
