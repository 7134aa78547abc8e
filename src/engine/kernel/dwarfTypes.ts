/**
 * Debug info of a program → the language's types and the places of arguments. Structs refer to one another without end, so
 * that a struct type only carries the way to its layout. Whoever holds a type holds the open file; it is closed when nobody
 * does any more.
 */
import {
  type Die,
  type Dwarf,
  DwarfError,
  type DwarfMember,
  type DwarfParameter,
  declaration,
  describeType,
  type ElfFile,
  enumerators,
  membersOf,
  resolveDie,
} from "libbpf-ts";
import type { ArgumentPlace, SourcePlaces, UserDebugInfo, UserFunction } from "../compile/kernel.ts";
import {
  alignOf,
  BOOL,
  type EnumType,
  type Field,
  int,
  type StructLayout,
  sizeOf,
  type Type,
  VOID,
} from "../compile/types.ts";

const EMPTY: StructLayout = { size: 0, align: 1, fields: [] };
/** Types nest less deeply than this, unless they are damaged. */
const MAX_DEPTH = 64;
/** Arrays longer than this are not of this world. */
const MAX_LENGTH = 2 ** 31;

const closing = new FinalizationRegistry<Dwarf>((dwarf) => dwarf[Symbol.dispose]());

type DwarfUnreadable = Extract<DwarfParameter["place"], { kind: "unreadable" }>;

const RAW = "arg0, arg1, … are the argument registers as they are";
const UNREADABLE: Record<DwarfUnreadable["why"], { why: string; hint: string }> = {
  float: {
    why: "is floating point: it is in a vector register, which BPF cannot read",
    hint: "trace a function that gets its address, or the integer made of it",
  },
  struct: {
    why: "is a struct passed by value with floating point in it: it is in vector registers, which BPF cannot read",
    hint: "trace a function that gets its address",
  },
  wide: { why: "has more than 64 bits and is in two registers", hint: `${RAW}: it is in two of them` },
  removed: {
    why: "was taken out of this copy of the function by the compiler",
    hint: "build with -fno-ipa-sra -fno-ipa-cp to keep it, or trace the caller",
  },
  convention: {
    why: "is passed in a way that is not C's, and the debug info does not say where",
    hint: RAW,
  },
};

export class DwarfTypes implements UserDebugInfo {
  readonly #dwarf: Dwarf;
  /** Segments of the program itself, for addresses ↔ file offsets. */
  readonly #elf: Pick<ElfFile, "address" | "fileOffset">;
  #types = new Map<string, Type>();
  #layouts = new Map<string, StructLayout>();
  #enums = new Map<string, EnumType>();
  #functions = new Map<string, UserFunction | undefined>();

  constructor(dwarf: Dwarf, elf: Pick<ElfFile, "address" | "fileOffset">) {
    this.#dwarf = dwarf;
    this.#elf = elf;
    closing.register(this, dwarf);
  }

  function(offset: number, symbol: string): UserFunction | undefined {
    const key = `${offset} ${symbol}`;
    if (!this.#functions.has(key)) this.#functions.set(key, this.#readFunction(offset, symbol));
    return this.#functions.get(key);
  }

  #readFunction(offset: number, symbol: string): UserFunction | undefined {
    const address = this.#elf.address(offset);
    const found = address === undefined ? undefined : this.#dwarf.functionAt(address, symbol);
    if (!found) return undefined;
    return this.#dwarf.read(() => ({
      arguments: found.parameters.map(({ name, type, place }) => ({
        name,
        type: this.#type(type, 0),
        declaration: declared(type, name),
        place: placeOf(place),
      })),
    }));
  }

  struct(name: string, union: boolean, near?: number): Type | undefined {
    return this.#named(union ? "union" : "struct", name, near);
  }

  enumNamed(name: string, near?: number): Type | undefined {
    return this.#named("enum", name, near);
  }

  typeNamed(name: string, near?: number): Type | undefined {
    return this.#named("typedef", name, near);
  }

  #named(kind: "struct" | "union" | "enum" | "typedef", name: string, near?: number): Type | undefined {
    const die = this.#dwarf.typeNamed(kind, name, near === undefined ? undefined : this.#elf.address(near));
    return die && this.#dwarf.read(() => this.#type(die, 0));
  }

  enumConstant(name: string, near: number) {
    const address = this.#elf.address(near);
    const found = address === undefined ? undefined : this.#dwarf.constantNamed(name, address);
    if (!found) return undefined;
    return this.#dwarf.read(() => {
      const type = this.#type(found.type, 0);
      const size = sizeOf(type) as 1 | 2 | 4 | 8;
      return { value: found.value, type: this.#enum(found.type, true), size };
    });
  }

  inlinedFunction(name: string): { path: string; line: number } | undefined {
    return this.#dwarf.inlinedFunction(name);
  }

  line(file: string, line: number, column?: number): SourcePlaces {
    const found = this.#dwarf.sourceLine(file, line, column);
    if (found.kind !== "found") return found;
    const offsets = found.addresses.flatMap((address) => this.#elf.fileOffset(address) ?? []);
    return { kind: "found", path: found.path, offsets };
  }

  #type(die: Die | undefined, depth: number): Type {
    if (!die || depth > MAX_DEPTH) return VOID;
    let type = this.#types.get(die.key);
    if (!type) {
      type = this.#make(die, depth);
      this.#types.set(die.key, type);
    }
    return type;
  }

  #make(die: Die, depth: number): Type {
    const type = describeType(die);
    switch (type.kind) {
      case "base":
        if (type.encoding === "bool") return BOOL;
        return scalar(type.size, type.encoding === "signed" || type.encoding === "char");
      case "enum": {
        const size = [1, 2, 4, 8].includes(type.size) ? (type.size as 1 | 2 | 4 | 8) : 4;
        return { ...int(size, type.signed), enum: this.#enum(die, type.signed) };
      }
      case "pointer":
      case "reference":
        return { kind: "pointer", to: this.#type(type.type, depth + 1), space: "user" };
      case "member-pointer":
        return scalar(type.size, false);
      case "array":
        return type.lengths.reduceRight<Type>(
          (of, length) => ({ kind: "array", of, length: Math.min(length, MAX_LENGTH) }),
          this.#type(type.type, depth + 1),
        );
      case "struct":
      case "class":
      case "union": {
        const { name } = type;
        return { kind: "struct", name, union: type.kind === "union", layout: () => this.#layout(die) };
      }
      case "typedef": {
        const inner = this.#type(type.type, depth + 1);
        // typedef struct { … } name: the struct has no other name.
        return inner.kind === "struct" && !inner.name ? { ...inner, name: type.name } : inner;
      }
      case "qualified":
        return this.#type(type.type, depth + 1);
      default:
        return VOID;
    }
  }

  /** Never throws: damaged debug info makes a struct without members. */
  #layout(die: Die): StructLayout {
    let layout = this.#layouts.get(die.key);
    if (!layout) {
      // What contains itself has no size; asked for while it is made, it has none.
      this.#layouts.set(die.key, EMPTY);
      try {
        layout = this.#dwarf.read(() => this.#lay(die));
      } catch (error) {
        if (!(error instanceof DwarfError)) throw error;
        layout = EMPTY;
      }
      this.#layouts.set(die.key, layout);
    }
    return layout;
  }

  #lay(die: Die): StructLayout {
    const type = describeType(die);
    if (type.kind !== "struct" && type.kind !== "class" && type.kind !== "union") return EMPTY;
    if (type.declaration) {
      const kind = type.kind === "union" ? "union" : "struct";
      const whole = type.name ? this.#dwarf.typeNamed(kind, type.name) : undefined;
      return whole && whole.key !== die.key ? this.#layout(whole) : EMPTY;
    }
    const fields: Field[] = [];
    this.#collect(die, 0, fields, 0);
    const { size } = type;
    const align = fields.reduce((most, field) => {
      const own = Math.max(1, Math.min(8, alignOf(field.type)));
      return field.offset % own === 0 && size % own === 0 ? Math.max(most, own) : most;
    }, 1);
    return { size, align, fields };
  }

  /** Members of anonymous structs and unions, and of base classes, count as the outer one's. */
  #collect(die: Die, bits: number, into: Field[], depth: number): void {
    if (depth > MAX_DEPTH) return;
    for (const member of membersOf(die)) {
      const inner = resolveDie(member.type);
      if (!inner) continue;
      if (member.name !== "") into.push(this.#field(member, bits));
      else if (["struct", "class", "union"].includes(describeType(inner).kind))
        this.#collect(inner, bits + member.bitOffset, into, depth + 1);
    }
  }

  #field({ name, type: die, bitOffset, bitSize }: DwarfMember, bits: number): Field {
    const type = this.#type(die, 0);
    const at = bits + bitOffset;
    const unit = bitSize === 0 ? 0 : sizeOf(type) * 8;
    if (unit === 0) return { name, type, offset: Math.floor(at / 8) };
    const start = Math.floor(at / unit) * unit;
    // A packed field may reach into the next unit; it is then read from the byte where it begins.
    const from = at - start + bitSize <= unit ? start : Math.floor(at / 8) * 8;
    return { name, type, offset: from / 8, bit: { offset: at - from, width: bitSize } };
  }

  #enum(die: Die, signed: boolean): EnumType {
    let made = this.#enums.get(die.key);
    if (!made) {
      const type = describeType(die);
      const names = new Map<bigint, string>();
      for (const { name, value } of enumerators(die, signed)) if (!names.has(value)) names.set(value, name);
      made = { name: "name" in type ? type.name : "", names };
      this.#enums.set(die.key, made);
    }
    return made;
  }
}

/** An integer, or the bytes of what is none. */
function scalar(size: number, signed: boolean): Type {
  if (size === 1 || size === 2 || size === 4 || size === 8) return int(size, signed);
  if (size === 16) return { kind: "array", of: int(8, false), length: 2 };
  return size > 0 ? { kind: "array", of: int(1, false), length: size } : VOID;
}

/** "struct list * next": as kernel functions are listed; that the parameter itself is constant matters to no caller. */
function declared(type: Die | undefined, name: string): string {
  const bare = declaration(type, "").replace(/\b(const|restrict)$/, "");
  if (!name) return bare;
  return /[([]/.test(bare) ? declaration(type, name) : `${bare} ${name}`;
}

function placeOf(place: DwarfParameter["place"]): ArgumentPlace {
  return place.kind === "unreadable" ? { kind: "unreadable", ...UNREADABLE[place.why] } : place;
}
