/**
 * Rust names of version 0, the default of compilers since 1.8x: a grammar that says the whole type, read and written in one
 * pass. Names refer back to places in themselves, so that output, steps and depth have bounds.
 */

import { withoutModule } from "./rustLegacy.ts";

const BASIC: Readonly<Record<string, string>> = {
  a: "i8",
  b: "bool",
  c: "char",
  d: "f64",
  e: "str",
  f: "f32",
  h: "u8",
  i: "isize",
  j: "usize",
  l: "i32",
  m: "u32",
  n: "i128",
  o: "u128",
  p: "_",
  s: "i16",
  t: "u16",
  u: "()",
  v: "...",
  x: "i64",
  y: "u64",
  z: "!",
};

const LONGEST = 1 << 16;
const MOST_STEPS = 1 << 16;
const DEEPEST = 256;

class Malformed extends Error {}

class Demangler {
  out = "";
  at = 2;
  readonly #text: string;
  #steps = 0;
  #depth = 0;
  /** Lifetimes bound by the `for<…>` around. */
  #lifetimes = 0;
  /** What is read is not written: the path of an impl, which only makes the name unique. */
  #silent = false;

  constructor(text: string) {
    this.#text = text;
  }

  get done(): boolean {
    return this.at >= this.#text.length;
  }

  #peek(): string {
    return this.#text[this.at] ?? "";
  }

  #next(): string {
    if (this.done) throw new Malformed();
    return this.#text[this.at++];
  }

  #eat(character: string): boolean {
    if (this.#peek() !== character) return false;
    this.at++;
    return true;
  }

  #write(text: string): void {
    if (this.#silent) return;
    this.out += text;
    if (this.out.length > LONGEST) throw new Malformed();
  }

  #descend(step: () => void): void {
    if (++this.#steps > MOST_STEPS || ++this.#depth > DEEPEST) throw new Malformed();
    step();
    this.#depth--;
  }

  /** "_" is 0, "0_" is 1, …; a crate's hash is beyond what a number holds, but only read over. */
  #base62(): number {
    if (this.#eat("_")) return 0;
    let value = 0;
    for (;;) {
      const character = this.#next();
      if (character === "_") break;
      const digit = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".indexOf(character);
      if (digit < 0) throw new Malformed();
      value = value * 62 + digit;
    }
    return value + 1;
  }

  /** 0 where the tag is missing. */
  #optional62(tag: string): number {
    return this.#eat(tag) ? this.#base62() + 1 : 0;
  }

  #identifier(): string {
    const encoded = this.#eat("u");
    const digits = /^(?:0|[1-9]\d*)/.exec(this.#text.slice(this.at, this.at + 9))?.[0];
    if (digits === undefined) throw new Malformed();
    this.at += digits.length;
    this.#eat("_");
    const end = this.at + Number(digits);
    if (end > this.#text.length) throw new Malformed();
    const bytes = this.#text.slice(this.at, end);
    this.at = end;
    return encoded ? punycode(bytes) : bytes;
  }

  #backReference(read: () => void): void {
    const from = this.at - 1;
    const target = this.#base62() + 2;
    if (target >= from) throw new Malformed();
    // What is not written need not be read either.
    if (this.#silent) return;
    const back = this.at;
    this.at = target;
    this.#descend(read);
    this.at = back;
  }

  #list(separator: string, item: () => void): number {
    let count = 0;
    while (!this.#eat("E")) {
      if (count++ > 0) this.#write(separator);
      item();
    }
    return count;
  }

  path(inValue: boolean): void {
    this.#descend(() => this.#readPath(inValue));
  }

  #quietly(read: () => void): void {
    const outer = this.#silent;
    this.#silent = true;
    read();
    this.#silent = outer;
  }

  #readPath(inValue: boolean): void {
    const tag = this.#next();
    switch (tag) {
      case "C":
        this.#optional62("s");
        this.#write(this.#identifier());
        break;
      case "N": {
        const namespace = this.#next();
        this.path(inValue);
        const number = this.#optional62("s");
        const name = this.#identifier();
        if (/[A-Z]/.test(namespace)) {
          const kind = namespace === "C" ? "closure" : namespace === "S" ? "shim" : namespace;
          this.#write(`::{${kind}${name === "" ? "" : `:${name}`}#${number}}`);
        } else if (name !== "") this.#write(`::${name}`);
        break;
      }
      case "M":
      case "X":
      case "Y":
        if (tag !== "Y") {
          this.#optional62("s");
          this.#quietly(() => this.path(false));
        }
        this.#write("<");
        this.#type();
        if (tag !== "M") {
          this.#write(" as ");
          this.path(false);
        }
        this.#write(">");
        break;
      case "I":
        this.path(inValue);
        this.#write(inValue ? "::<" : "<");
        this.#list(", ", () => this.#genericArgument());
        this.#write(">");
        break;
      case "B":
        this.#backReference(() => this.path(inValue));
        break;
      default:
        throw new Malformed();
    }
  }

  #genericArgument(): void {
    if (this.#eat("L")) this.#lifetime(this.#base62());
    else if (this.#eat("K")) this.#constant(false);
    else this.#type();
  }

  #lifetime(index: number): void {
    if (index === 0) {
      this.#write("'_");
      return;
    }
    const depth = this.#lifetimes - index;
    if (depth < 0) throw new Malformed();
    this.#write(depth < 26 ? `'${String.fromCharCode(97 + depth)}` : `'_${depth}`);
  }

  /** `for<'a, 'b> `, in force while the rest is read. */
  #binder(rest: () => void): void {
    const count = this.#optional62("G");
    if (count > 1024) throw new Malformed();
    const outer = this.#lifetimes;
    if (count > 0) {
      this.#write("for<");
      for (let i = 0; i < count; i++) {
        if (i > 0) this.#write(", ");
        this.#lifetimes++;
        this.#lifetime(1);
      }
      this.#write("> ");
    }
    rest();
    this.#lifetimes = outer;
  }

  #type(): void {
    this.#descend(() => this.#readType());
  }

  #readType(): void {
    const tag = this.#peek();
    if (BASIC[tag]) {
      this.at++;
      this.#write(BASIC[tag]);
      return;
    }
    if (/[CNMXYI]/.test(tag)) {
      this.path(false);
      return;
    }
    this.#next();
    switch (tag) {
      case "A":
      case "S":
        this.#write("[");
        this.#type();
        if (tag === "A") {
          this.#write("; ");
          this.#constant(true);
        }
        this.#write("]");
        break;
      case "T": {
        this.#write("(");
        const count = this.#list(", ", () => this.#type());
        this.#write(count === 1 ? ",)" : ")");
        break;
      }
      case "R":
      case "Q":
        this.#write("&");
        if (this.#eat("L")) {
          const index = this.#base62();
          if (index > 0) {
            this.#lifetime(index);
            this.#write(" ");
          }
        }
        if (tag === "Q") this.#write("mut ");
        this.#type();
        break;
      case "P":
      case "O":
        this.#write(tag === "P" ? "*const " : "*mut ");
        this.#type();
        break;
      case "F":
        this.#binder(() => this.#function());
        break;
      case "D": {
        this.#write("dyn ");
        this.#binder(() => {
          this.#list(" + ", () => this.#bound());
        });
        if (!this.#eat("L")) throw new Malformed();
        const index = this.#base62();
        if (index > 0) {
          this.#write(" + ");
          this.#lifetime(index);
        }
        break;
      }
      case "B":
        this.#backReference(() => this.#type());
        break;
      default:
        throw new Malformed();
    }
  }

  #function(): void {
    if (this.#eat("U")) this.#write("unsafe ");
    if (this.#eat("K")) {
      const abi = this.#eat("C") ? "C" : this.#identifier().replaceAll("_", "-");
      this.#write(`extern "${abi}" `);
    }
    this.#write("fn(");
    this.#list(", ", () => this.#type());
    this.#write(")");
    if (this.#eat("u")) return;
    this.#write(" -> ");
    this.#type();
  }

  /** A trait, with its arguments and associated types in one pair of brackets. */
  #bound(): void {
    let open = this.#openPath();
    while (this.#eat("p")) {
      this.#write(open ? ", " : "<");
      open = true;
      this.#write(`${this.#identifier()} = `);
      this.#type();
    }
    if (open) this.#write(">");
  }

  /** A path whose generic arguments, if it has any, are left open. */
  #openPath(): boolean {
    if (this.#eat("B")) {
      let open = false;
      this.#backReference(() => {
        open = this.#openPath();
      });
      return open;
    }
    if (!this.#eat("I")) {
      this.path(false);
      return false;
    }
    this.path(false);
    this.#write("<");
    this.#list(", ", () => this.#genericArgument());
    return true;
  }

  #hex(): bigint {
    const digits = /^[0-9a-f]*_/.exec(this.#text.slice(this.at, this.at + 64))?.[0];
    if (digits === undefined) throw new Malformed();
    this.at += digits.length;
    return BigInt(`0x0${digits.slice(0, -1)}`);
  }

  /** `bare`: where a value stands without braces around it. */
  #constant(bare: boolean): void {
    this.#descend(() => this.#readConstant(bare));
  }

  #readConstant(bare: boolean): void {
    const tag = this.#next();
    if (/[hijlmnoastxy]/.test(tag)) {
      const sign = this.#eat("n") ? "-" : "";
      this.#write(sign + this.#hex());
      return;
    }
    const braced = !bare && /[eRQATV]/.test(tag);
    switch (tag) {
      case "p":
        this.#write("_");
        break;
      case "b":
        this.#write(this.#hex() === 0n ? "false" : "true");
        break;
      case "c":
        this.#write(quote("'", String.fromCodePoint(Number(this.#hex() & 0x1fffffn) % 0x110000)));
        break;
      case "B":
        this.#backReference(() => this.#constant(bare));
        break;
      default:
        if (braced) this.#write("{");
        this.#compound(tag);
        if (braced) this.#write("}");
    }
  }

  #compound(tag: string): void {
    switch (tag) {
      case "e":
        this.#write("*");
        this.#string();
        break;
      case "R":
        if (this.#eat("e")) this.#string();
        else {
          this.#write("&");
          this.#constant(true);
        }
        break;
      case "Q":
        this.#write("&mut ");
        this.#constant(true);
        break;
      case "A":
        this.#write("[");
        this.#list(", ", () => this.#constant(true));
        this.#write("]");
        break;
      case "T": {
        this.#write("(");
        const count = this.#list(", ", () => this.#constant(true));
        this.#write(count === 1 ? ",)" : ")");
        break;
      }
      case "V":
        this.path(true);
        this.#fields();
        break;
      default:
        throw new Malformed();
    }
  }

  #fields(): void {
    switch (this.#next()) {
      case "U":
        break;
      case "T":
        this.#write("(");
        this.#list(", ", () => this.#constant(true));
        this.#write(")");
        break;
      case "S":
        this.#write(" { ");
        this.#list(", ", () => {
          this.#optional62("s");
          this.#write(`${this.#identifier()}: `);
          this.#constant(true);
        });
        this.#write(" }");
        break;
      default:
        throw new Malformed();
    }
  }

  #string(): void {
    const digits = /^[0-9a-f]*_/.exec(this.#text.slice(this.at))?.[0];
    if (digits === undefined || digits.length % 2 === 0) throw new Malformed();
    this.at += digits.length;
    const bytes = Buffer.from(digits.slice(0, -1), "hex");
    this.#write(quote('"', bytes.toString("utf8")));
  }
}

/** As Rust writes it: what could drive a terminal is escaped. */
function quote(mark: string, text: string): string {
  let out = mark;
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0;
    if (character === mark || character === "\\") out += `\\${character}`;
    else if (character === "\n") out += "\\n";
    else if (character === "\t") out += "\\t";
    else if (character === "\r") out += "\\r";
    else if (point < 0x20 || (point >= 0x7f && point < 0xa0)) out += `\\u{${point.toString(16)}}`;
    else out += character;
  }
  return out + mark;
}

/** Rust's identifiers outside ASCII: the basic characters, "_", and the rest by Punycode (RFC 3492). */
function punycode(encoded: string): string {
  const split = encoded.lastIndexOf("_");
  const points = [...encoded.slice(0, Math.max(split, 0))].map((character) => character.charCodeAt(0));
  const tail = encoded.slice(split + 1);
  if (tail === "") throw new Malformed();
  let n = 128;
  let i = 0;
  let bias = 72;
  let damp = 700;
  for (let at = 0; at < tail.length; ) {
    let delta = 0;
    let weight = 1;
    for (let k = 36; ; k += 36) {
      const digit = "abcdefghijklmnopqrstuvwxyz0123456789".indexOf(tail[at++] ?? " ");
      if (digit < 0) throw new Malformed();
      delta += digit * weight;
      const threshold = Math.min(Math.max(k - bias, 1), 26);
      if (digit < threshold) break;
      weight *= 36 - threshold;
      if (weight > 2 ** 40) throw new Malformed();
    }
    i += delta;
    const length = points.length + 1;
    n += Math.floor(i / length);
    i %= length;
    if (n > 0x10ffff || n < 0xa0 || (n >= 0xd800 && n < 0xe000)) throw new Malformed();
    points.splice(i++, 0, n);
    delta = Math.floor(delta / damp);
    damp = 2;
    delta += Math.floor(delta / length);
    let k = 0;
    for (; delta > 455; k += 36) delta = Math.floor(delta / 35);
    bias = k + Math.floor((36 * delta) / (delta + 38));
  }
  return String.fromCodePoint(...points);
}

/** "core::slice::sort::<u32>", without crate hashes; undefined: not such a name. */
export function demangleRustV0(name: string): string | undefined {
  if (!/^_R[A-Z][\x21-\x7e]*$/.test(name)) return undefined;
  const dot = name.indexOf(".");
  const end = dot < 0 ? name.length : dot;
  try {
    const demangler = new Demangler(name.slice(0, end));
    demangler.path(true);
    // The crate where a generic function was instantiated follows.
    if (!demangler.done) {
      const text = demangler.out;
      demangler.path(false);
      demangler.out = text;
    }
    if (!demangler.done) return undefined;
    return demangler.out + withoutModule(name.slice(end));
  } catch (error) {
    if (error instanceof Malformed) return undefined;
    throw error;
  }
}
