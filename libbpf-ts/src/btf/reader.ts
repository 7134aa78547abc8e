// Reading BTF, the kernel's description of its own types: 126,000 of them in 5.5 MB. Pure: it takes bytes.
//
// Nothing is decoded before it is asked for. Parsing walks the type section once to note where each type begins; a name is
// looked up by searching the string section for its bytes and then the types for that string's offset, so that not one
// JavaScript string is made for the types that nobody names.

import {
  BTF_MAGIC,
  BtfError,
  type BtfKind,
  extraWords,
  HEADER_SIZE,
  IntEncoding,
  Kind,
  kindNames,
} from "./format.ts";
import { BtfStrings, hashOfName } from "./strings.ts";

export { BtfError, type BtfKind } from "./format.ts";

export interface BtfMember {
  /** Empty for anonymous structs and unions, whose members count as the parent's. */
  name: string;
  type: number;
  /** From the beginning of the struct. */
  bitOffset: number;
  /** Width of a bitfield, 0 for other members. */
  bitSize: number;
}
export interface BtfParam {
  name: string;
  /** 0 for the "..." at the end. */
  type: number;
}
export interface BtfEnumValue {
  name: string;
  value: bigint;
}
export interface BtfSectionEntry {
  /** A `var`. */
  type: number;
  offset: number;
  size: number;
}

export type BtfType =
  | { kind: "void"; id: number; name: "" }
  | {
      kind: "int";
      id: number;
      name: string;
      size: number;
      bits: number;
      signed: boolean;
      char: boolean;
      bool: boolean;
    }
  | { kind: "float"; id: number; name: string; size: number }
  | { kind: "ptr" | "volatile" | "const" | "restrict"; id: number; name: ""; type: number }
  | { kind: "typedef" | "type_tag"; id: number; name: string; type: number }
  | { kind: "array"; id: number; name: ""; type: number; indexType: number; count: number }
  | { kind: "struct" | "union"; id: number; name: string; size: number; members: BtfMember[] }
  | {
      kind: "enum" | "enum64";
      id: number;
      name: string;
      size: number;
      signed: boolean;
      values: BtfEnumValue[];
    }
  | { kind: "fwd"; id: number; name: string; union: boolean }
  | { kind: "func"; id: number; name: string; type: number; linkage: "static" | "global" | "extern" }
  | { kind: "func_proto"; id: number; name: ""; returns: number; params: BtfParam[] }
  | { kind: "var"; id: number; name: string; type: number; linkage: number }
  | { kind: "datasec"; id: number; name: string; size: number; entries: BtfSectionEntry[] }
  | { kind: "decl_tag"; id: number; name: string; type: number; component: number };

/** A member found by name, its offset counted from the outermost struct. */
export interface FoundMember extends BtfMember {
  /** The struct that declares it. */
  parent: number;
}

const MODIFIERS = (1 << Kind.volatile) | (1 << Kind.const) | (1 << Kind.restrict) | (1 << Kind.type_tag);
const REFERENCES = MODIFIERS | (1 << Kind.typedef);
const MAX_DEPTH = 64;
const TAGS: Partial<Record<BtfKind, string>> = {
  struct: "struct",
  union: "union",
  enum: "enum",
  enum64: "enum",
};

/** A type as C writes it, by the names of the types that it is made of. */
function writtenType(type: BtfType, nameOf: (id: number) => string): string {
  switch (type.kind) {
    case "void":
      return "void";
    case "fwd":
      return `${type.union ? "union" : "struct"} ${type.name}`;
    case "ptr": {
      const target = nameOf(type.type);
      return target.endsWith("*") ? `${target}*` : `${target} *`;
    }
    case "const":
    case "volatile":
    case "restrict": {
      const target = nameOf(type.type);
      return target.endsWith("*") ? `${target} ${type.kind}` : `${type.kind} ${target}`;
    }
    case "type_tag":
      return nameOf(type.type);
    case "array":
      return `${nameOf(type.type)}[${type.count}]`;
    case "func_proto": {
      const params = type.params.map((p) => (p.type === 0 ? "..." : nameOf(p.type)));
      return `${nameOf(type.returns)} (${params.join(", ") || "void"})`;
    }
    default:
      return type.name;
  }
}

/** Names looked up by searching all strings, before an index of them is worth its 20 ms. */
const FEW_LOOKUPS = 8;

/** One BTF object: the kernel's, or a module's on top of it. */
export class Btf {
  readonly base: Btf | undefined;
  /** The first id of this object's own types: 1, or what follows the base's last. */
  readonly firstId: number;
  /** One more than the last id. */
  readonly endId: number;
  #words: Uint32Array;
  /** Index in #words of each own type. */
  #starts: Uint32Array;
  readonly strings: BtfStrings;
  #names = new Map<string, number[]>();
  #typeNames = new Map<number, string>();
  /** Head of a chain of types for each hash of a name, and each type's successor; made when lookups are many. */
  #chains: { heads: Int32Array; next: Int32Array } | undefined;
  #lookups = 0;

  private constructor(words: Uint32Array, strings: Uint8Array, base: Btf | undefined) {
    this.#words = words;
    this.strings = new BtfStrings(strings, base?.strings);
    this.base = base;
    this.firstId = base ? base.endId : 1;
    const starts = new Uint32Array(words.length / 3 + 1);
    let count = 0;
    let at = 0;
    while (at < words.length) {
      starts[count++] = at;
      const info = words[at + 1];
      const extra = extraWords[(info >>> 24) & 31];
      if (!extra)
        throw new BtfError(`type ${this.firstId + count - 1} is of unknown kind ${(info >>> 24) & 31}`);
      at += 3 + extra[0] + extra[1] * (info & 0xffff);
    }
    if (at !== words.length) throw new BtfError("the last type is cut off");
    this.#starts = starts.slice(0, count);
    this.endId = this.firstId + count;
  }

  /** Reads BTF bytes; throws BtfError. A module's needs the kernel's as `base`. */
  static parse(bytes: Uint8Array, base?: Btf): Btf {
    if (bytes.byteLength < HEADER_SIZE) throw new BtfError("shorter than its header");
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (view.getUint16(0, true) !== BTF_MAGIC) throw new BtfError("no BTF: the magic number is missing");
    const header = view.getUint32(4, true);
    const [typeOff, typeLen, strOff, strLen] = [8, 12, 16, 20].map((at) => view.getUint32(at, true));
    if (
      header + typeOff + typeLen > bytes.byteLength ||
      header + strOff + strLen > bytes.byteLength ||
      typeLen % 4
    ) {
      throw new BtfError("its sections reach beyond its end");
    }
    const begin = bytes.byteOffset + header + typeOff;
    const words =
      begin % 4 === 0
        ? new Uint32Array(bytes.buffer, begin, typeLen / 4)
        : new Uint32Array(bytes.slice(header + typeOff, header + typeOff + typeLen).buffer);
    return new Btf(words, bytes.subarray(header + strOff, header + strOff + strLen), base);
  }

  kind(id: number): BtfKind {
    return id === 0 ? "void" : kindNames[this.#kindNumber(id)];
  }

  /** "" for types without a name. */
  name(id: number): string {
    return id === 0 ? "" : this.strings.text(this.#word(id, 0));
  }

  /** Bytes of a value of the type; 0 where it has none. Goes through typedefs and modifiers. */
  sizeOf(id: number): number {
    const resolved = this.resolve(id);
    if (resolved === 0) return 0;
    switch (this.#kindNumber(resolved)) {
      case Kind.ptr:
        return 8;
      case Kind.array: {
        const [owner, at] = this.#at(resolved);
        return this.sizeOf(owner.#words[at + 3]) * owner.#words[at + 5];
      }
      case Kind.int:
      case Kind.float:
      case Kind.struct:
      case Kind.union:
      case Kind.enum:
      case Kind.enum64:
      case Kind.datasec:
        return this.#word(resolved, 2);
      case Kind.var:
        return this.sizeOf(this.#word(resolved, 2));
      default:
        return 0;
    }
  }

  /** Calls back with type and name, as an offset into `strings`, of each parameter of a prototype; returns its result's type. */
  forEachParameter(prototypeId: number, callback: (type: number, nameOffset: number) => void): number {
    if (this.#kindNumber(prototypeId) !== Kind.func_proto) return 0;
    const [owner, at] = this.#at(prototypeId);
    const words = owner.#words;
    const count = words[at + 1] & 0xffff;
    for (let n = 0, from = at + 3; n < count; n++, from += 2) callback(words[from + 1], words[from]);
    return words[at + 2];
  }

  /** The id of a function's prototype. */
  prototypeOf(functionId: number): number {
    return this.#kindNumber(functionId) === Kind.func ? this.#word(functionId, 2) : 0;
  }

  /** The type behind const, volatile, restrict and type tags. */
  skipModifiers(id: number): number {
    return this.#skip(id, MODIFIERS);
  }

  /** The type behind those and typedefs. */
  resolve(id: number): number {
    return this.#skip(id, REFERENCES);
  }

  /** Makes lookups by name cheap at once, instead of after some: 10 ms for the kernel's types. */
  indexNames(): void {
    this.#index();
  }

  /** The id of the first type with this name (and kind), the module's own before the kernel's. */
  findByName(name: string, kind?: BtfKind): number | undefined {
    if (!this.#chains) return this.findAllByName(name, kind)[0];
    return this.#firstIndexed(name, kind) ?? this.base?.findByName(name, kind);
  }

  /** Every type with this name (and kind). */
  findAllByName(name: string, kind?: BtfKind): number[] {
    const ids = [...this.#ownIdsOf(name), ...(this.base?.findAllByName(name) ?? [])];
    return kind ? ids.filter((id) => this.#kindNumber(id) === Kind[kind]) : ids;
  }

  /** Ids of every type of a kind, in order, without the base's. */
  idsOfKind(kind: BtfKind): Uint32Array {
    const ids = new Uint32Array(this.#starts.length);
    const wanted = Kind[kind];
    let count = 0;
    for (let i = 0; i < this.#starts.length; i++) {
      if (((this.#words[this.#starts[i] + 1] >>> 24) & 31) === wanted) ids[count++] = this.firstId + i;
    }
    return ids.subarray(0, count);
  }

  /** Ids of the types of a kind whose names begin with a prefix, in order, without the base's; no other name is read. */
  idsWithPrefix(prefix: string, kind: BtfKind): number[] {
    const ids: number[] = [];
    for (const id of this.idsOfKind(kind)) {
      const offset = this.#words[this.#starts[id - this.firstId]];
      if (this.strings.startsAt(offset, prefix)) ids.push(id);
    }
    return ids;
  }

  /** The value of an enumerator of any enum ("AF_INET"), and the enum that has it. */
  findEnumValue(name: string): { value: bigint; type: number } | undefined {
    const wanted = this.strings.offsetOf(name);
    if (wanted !== undefined) {
      for (let i = 0; i < this.#starts.length; i++) {
        const at = this.#starts[i];
        const info = this.#words[at + 1];
        const kind = (info >>> 24) & 31;
        if (kind !== Kind.enum && kind !== Kind.enum64) continue;
        const each = kind === Kind.enum ? 2 : 3;
        for (let n = 0, from = at + 3; n < (info & 0xffff); n++, from += each) {
          if (this.#words[from] !== wanted) continue;
          return { value: this.#enumValue(from, kind, info >>> 31 === 1), type: this.firstId + i };
        }
      }
    }
    return this.base?.findEnumValue(name);
  }

  /** A type in full. Throws RangeError for an id out of range. */
  typeById(id: number): BtfType {
    if (id === 0) return { kind: "void", id, name: "" };
    const [owner, at] = this.#at(id);
    return owner.#decode(id, at);
  }

  /** A member by name or dotted path, also inside anonymous structs and unions, of a struct or a typedef of one. */
  findMember(structId: number, path: string): FoundMember | undefined {
    let found: FoundMember | undefined;
    let bits = 0;
    for (const part of path.split(".")) {
      found = this.#memberNamed(this.resolve(found ? found.type : structId), part, bits, 0);
      if (!found) return undefined;
      bits = found.bitOffset;
    }
    return found;
  }

  /** The type as C writes it: "struct task_struct *", "const char *", "int[4]". */
  typeName(id: number): string {
    return this.#typeName(id, 0);
  }

  #typeName(id: number, depth: number): string {
    let name = this.#typeNames.get(id);
    if (name === undefined) {
      if (depth > MAX_DEPTH) throw new BtfError(`type ${id} refers to itself`);
      // Structs have too many members to decode each time one is named.
      const tag = TAGS[this.kind(id)];
      name = tag
        ? `${tag} ${this.name(id) || "(anonymous)"}`
        : writtenType(this.typeById(id), (inner) => this.#typeName(inner, depth + 1));
      this.#typeNames.set(id, name);
    }
    return name;
  }

  #memberNamed(structId: number, name: string, bits: number, depth: number): FoundMember | undefined {
    if (depth > MAX_DEPTH) throw new BtfError(`struct ${structId} contains itself`);
    const [owner, at] = this.#at(structId);
    const info = owner.#words[at + 1];
    const kind = (info >>> 24) & 31;
    if (kind !== Kind.struct && kind !== Kind.union) return undefined;
    const count = info & 0xffff;
    for (let n = 0; n < count; n++) {
      const nameOff = owner.#words[at + 3 + n * 3];
      const member = owner.#member(at, n);
      if (nameOff !== 0) {
        if (member.name === name) return { ...member, bitOffset: member.bitOffset + bits, parent: structId };
        continue;
      }
      const inner = this.#memberNamed(this.resolve(member.type), name, bits + member.bitOffset, depth + 1);
      if (inner) return inner;
    }
    return undefined;
  }

  #member(at: number, index: number): BtfMember {
    const words = this.#words;
    const from = at + 3 + index * 3;
    const offset = words[from + 2];
    // With the flag, the offset word is bitfield width:8 | bit offset:24.
    const flagged = words[at + 1] >>> 31 === 1;
    return {
      name: this.strings.text(words[from]),
      type: words[from + 1],
      bitOffset: flagged ? offset & 0xffffff : offset,
      bitSize: flagged ? offset >>> 24 : 0,
    };
  }

  #enumValue(from: number, kind: number, isSigned: boolean): bigint {
    const low = this.#words[from + 1];
    if (kind === Kind.enum) return BigInt(isSigned ? low | 0 : low);
    const bits = (BigInt(this.#words[from + 2]) << 32n) | BigInt(low);
    return isSigned ? BigInt.asIntN(64, bits) : bits;
  }

  #decode(id: number, at: number): BtfType {
    const words = this.#words;
    const info = words[at + 1];
    const kind = kindNames[(info >>> 24) & 31];
    const count = info & 0xffff;
    const flag = info >>> 31 === 1;
    const third = words[at + 2];
    const name = this.strings.text(words[at]);
    const each = <T>(make: (index: number) => T): T[] => {
      const made: T[] = [];
      for (let index = 0; index < count; index++) made.push(make(index));
      return made;
    };
    switch (kind) {
      case "int": {
        const data = words[at + 3];
        const encoding = data >>> 24;
        return {
          kind,
          id,
          name,
          size: third,
          bits: data & 0xff,
          signed: (encoding & IntEncoding.signed) !== 0,
          char: (encoding & IntEncoding.char) !== 0,
          bool: (encoding & IntEncoding.bool) !== 0,
        };
      }
      case "float":
        return { kind, id, name, size: third };
      case "ptr":
      case "volatile":
      case "const":
      case "restrict":
        return { kind, id, name: "", type: third };
      case "typedef":
      case "type_tag":
        return { kind, id, name, type: third };
      case "array":
        return { kind, id, name: "", type: words[at + 3], indexType: words[at + 4], count: words[at + 5] };
      case "struct":
      case "union":
        return { kind, id, name, size: third, members: each((n) => this.#member(at, n)) };
      case "enum":
      case "enum64": {
        const width = kind === "enum" ? 2 : 3;
        const values = each((n) => {
          const from = at + 3 + n * width;
          return { name: this.strings.text(words[from]), value: this.#enumValue(from, Kind[kind], flag) };
        });
        return { kind, id, name, size: third, signed: flag, values };
      }
      case "fwd":
        return { kind, id, name, union: flag };
      case "func":
        return {
          kind,
          id,
          name,
          type: third,
          linkage: (["static", "global", "extern"] as const)[count] ?? "extern",
        };
      case "func_proto": {
        const params = each((n) => ({
          name: this.strings.text(words[at + 3 + n * 2]),
          type: words[at + 4 + n * 2],
        }));
        return { kind, id, name: "", returns: third, params };
      }
      case "var":
        return { kind, id, name, type: third, linkage: words[at + 3] };
      case "datasec": {
        const entries = each((n) => ({
          type: words[at + 3 + n * 3],
          offset: words[at + 4 + n * 3],
          size: words[at + 5 + n * 3],
        }));
        return { kind, id, name, size: third, entries };
      }
      case "decl_tag":
        return { kind, id, name, type: third, component: words[at + 3] | 0 };
      default:
        return { kind: "void", id, name: "" };
    }
  }

  /** The object that has the type, and where. */
  #at(id: number): [Btf, number] {
    if (id < this.firstId && this.base) return this.base.#at(id);
    const index = id - this.firstId;
    if (index < 0 || index >= this.#starts.length) throw new RangeError(`BTF: there is no type ${id}`);
    return [this, this.#starts[index]];
  }

  #word(id: number, offset: number): number {
    const [owner, at] = this.#at(id);
    return owner.#words[at + offset];
  }

  #kindNumber(id: number): number {
    return id === 0 ? Kind.void : (this.#word(id, 1) >>> 24) & 31;
  }

  #skip(id: number, mask: number): number {
    let current = id;
    for (let depth = 0; depth < MAX_DEPTH; depth++) {
      if (current === 0 || ((1 << this.#kindNumber(current)) & mask) === 0) return current;
      current = this.#word(current, 2);
    }
    throw new BtfError(`type ${id} refers to itself`);
  }

  #ownIdsOf(name: string): number[] {
    if (name === "") return [];
    const known = this.#names.get(name);
    if (known) return known;
    const ids = ++this.#lookups <= FEW_LOOKUPS ? this.#searchIds(name) : this.#indexedIds(name);
    ids.sort((a, b) => a - b);
    this.#names.set(name, ids);
    return ids;
  }

  #searchIds(name: string): number[] {
    const ids: number[] = [];
    // A module's strings may repeat one of the kernel's.
    const { base } = this.strings;
    for (const offset of new Set([this.strings.ownOffsetOf(name), base?.offsetOf(name)])) {
      if (offset === undefined) continue;
      for (let i = 0; i < this.#starts.length; i++)
        if (this.#words[this.#starts[i]] === offset) ids.push(this.firstId + i);
    }
    return ids;
  }

  #indexedIds(name: string): number[] {
    const { next } = this.#index();
    const ids: number[] = [];
    for (let i = this.#firstOfHash(name); i >= 0; i = next[i]) {
      if (this.strings.isAt(this.#words[this.#starts[i]], name)) ids.push(this.firstId + i);
    }
    return ids;
  }

  #firstIndexed(name: string, kind: BtfKind | undefined): number | undefined {
    const { next } = this.#index();
    const wanted = kind && Kind[kind];
    let first: number | undefined;
    // The last are in front.
    for (let i = this.#firstOfHash(name); i >= 0; i = next[i]) {
      const at = this.#starts[i];
      if (wanted !== undefined && ((this.#words[at + 1] >>> 24) & 31) !== wanted) continue;
      if (this.strings.isAt(this.#words[at], name)) first = this.firstId + i;
    }
    return first;
  }

  #firstOfHash(name: string): number {
    const { heads } = this.#index();
    return heads[hashOfName(name) & (heads.length - 1)];
  }

  #index(): { heads: Int32Array; next: Int32Array } {
    this.#chains ??= this.#chain();
    return this.#chains;
  }

  #chain(): { heads: Int32Array; next: Int32Array } {
    let size = 1024;
    while (size < this.#starts.length) size *= 2;
    const heads = new Int32Array(size).fill(-1);
    const next = new Int32Array(this.#starts.length);
    for (let i = 0; i < this.#starts.length; i++) {
      const offset = this.#words[this.#starts[i]];
      if (offset === 0) continue;
      const slot = this.strings.hashAt(offset) & (size - 1);
      next[i] = heads[slot];
      heads[slot] = i;
    }
    return { heads, next };
  }
}
