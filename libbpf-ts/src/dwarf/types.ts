// Entries that describe types → plain data. What a type refers to stays an entry, for types refer to one another without
// end: describe it when it is wanted.

import { At, Encoding, Tag } from "./constants.ts";
import { Cursor } from "./cursor.ts";
import type { Die } from "./die.ts";

/** `type` undefined is void. */
export type DwarfType =
  | {
      kind: "base";
      name: string;
      size: number;
      encoding: "signed" | "unsigned" | "char" | "bool" | "float" | "other";
    }
  | { kind: "pointer" | "reference"; type: Die | undefined }
  /** Pointers to members of a class: an offset, or two words for a function. */
  | { kind: "member-pointer"; size: number }
  | {
      kind: "struct" | "union" | "class";
      name: string;
      size: number;
      /** Only its name is known here. */
      declaration: boolean;
    }
  | { kind: "enum"; name: string; size: number; signed: boolean; declaration: boolean }
  /** Outermost dimension first; 0: not known. */
  | { kind: "array"; type: Die | undefined; lengths: number[] }
  | { kind: "typedef"; name: string; type: Die | undefined }
  | { kind: "qualified"; word: "const" | "volatile" | "restrict" | "_Atomic"; type: Die | undefined }
  | { kind: "function"; type: Die | undefined }
  | { kind: "other"; name: string; size: number };

export interface DwarfMember {
  /** "": an anonymous struct or union, or the class it inherits from; its members count as the outer one's. */
  name: string;
  type: Die | undefined;
  bitOffset: number;
  /** 0: not a bit-field. */
  bitSize: number;
}

const ENCODINGS: Record<number, Extract<DwarfType, { kind: "base" }>["encoding"]> = {
  [Encoding.boolean]: "bool",
  [Encoding.float]: "float",
  [Encoding.signed]: "signed",
  [Encoding.signedChar]: "char",
  [Encoding.unsigned]: "unsigned",
  [Encoding.unsignedChar]: "unsigned",
  [Encoding.address]: "unsigned",
  [Encoding.utf]: "unsigned",
};

const WORDS: Record<number, Extract<DwarfType, { kind: "qualified" }>["word"]> = {
  [Tag.const]: "const",
  [Tag.volatile]: "volatile",
  [Tag.restrict]: "restrict",
  [Tag.atomic]: "_Atomic",
};

/** Chains of typedefs are short; longer ones go in a circle. */
const MAX_CHAIN = 64;

export function describeType(die: Die): DwarfType {
  const name = () => die.text(At.name) ?? "";
  const size = () => die.number(At.byteSize) ?? 0;
  switch (die.tag) {
    case Tag.base: {
      const named = name();
      const encoding = ENCODINGS[die.number(At.encoding) ?? 0] ?? "other";
      // Plain char is unsigned on some processors, and text all the same.
      return { kind: "base", name: named, size: size(), encoding: named === "char" ? "char" : encoding };
    }
    case Tag.pointer:
      return { kind: "pointer", type: die.type };
    case Tag.reference:
    case Tag.rvalueReference:
      return { kind: "reference", type: die.type };
    case Tag.pointerToMember:
      return { kind: "member-pointer", size: 8 };
    case Tag.structure:
    case Tag.union:
    case Tag.class:
      return {
        kind: die.tag === Tag.union ? "union" : die.tag === Tag.class ? "class" : "struct",
        name: name(),
        size: size(),
        declaration: die.flag(At.declaration),
      };
    case Tag.enumeration: {
      const under = die.type && resolveType(die.type);
      return {
        kind: "enum",
        name: name(),
        size: die.number(At.byteSize) ?? (under?.kind === "base" ? under.size : 4),
        signed: under?.kind === "base" && under.encoding === "signed",
        declaration: die.flag(At.declaration),
      };
    }
    case Tag.array:
      return { kind: "array", type: die.type, lengths: arrayLengths(die) };
    case Tag.typedef:
      return { kind: "typedef", name: name(), type: die.type };
    case Tag.const:
    case Tag.volatile:
    case Tag.restrict:
    case Tag.atomic:
      return { kind: "qualified", word: WORDS[die.tag], type: die.type };
    case Tag.subroutineType:
      return { kind: "function", type: die.type };
    default:
      return { kind: "other", name: name(), size: size() };
  }
}

function arrayLengths(die: Die): number[] {
  const lengths = die
    .children()
    .filter(({ tag }) => tag === Tag.subrange)
    .map((range) => {
      const count = range.number(At.count);
      if (count !== undefined) return count;
      const upper = range.constant(At.upperBound, true);
      // Bounds without a sign of their own: -1 and all ones stand for an array without length.
      return upper === undefined || upper < 0n || upper >= 0xffffffffn ? 0 : Number(upper) + 1;
    });
  return lengths.length ? lengths.map((length) => Math.max(0, length)) : [0];
}

/** The type behind typedefs and qualifiers; undefined is void. */
export function resolveDie(die: Die | undefined): Die | undefined {
  let at = die;
  for (let i = 0; at && i < MAX_CHAIN; i++) {
    if (at.tag !== Tag.typedef && WORDS[at.tag] === undefined) return at;
    at = at.type;
  }
  return undefined;
}

export function resolveType(die: Die): DwarfType | undefined {
  const resolved = resolveDie(die);
  return resolved && describeType(resolved);
}

/** Members of a struct, union or class with the base classes it inherits from; static ones are none. */
export function membersOf(die: Die): DwarfMember[] {
  const members: DwarfMember[] = [];
  for (const child of die.children()) {
    if (child.tag !== Tag.member && child.tag !== Tag.inheritance) continue;
    if (child.flag(At.external) || child.flag(At.declaration)) continue;
    const place = placeOf(child, die);
    if (place === undefined) continue;
    const name = child.tag === Tag.member ? (child.text(At.name) ?? "") : "";
    members.push({ name, type: child.type, ...place });
  }
  return members;
}

function placeOf(member: Die, owner: Die): { bitOffset: number; bitSize: number } | undefined {
  const bitSize = member.number(At.bitSize) ?? 0;
  const dataBits = member.number(At.dataBitOffset);
  if (dataBits !== undefined) return { bitOffset: dataBits, bitSize };
  const bytes = byteOffset(member);
  // Only unions leave it out: all begin at the beginning. A virtual base is elsewhere in every object.
  if (bytes === undefined)
    return owner.tag === Tag.union || !member.has(At.dataMemberLocation)
      ? { bitOffset: 0, bitSize }
      : undefined;
  if (bitSize === 0) return { bitOffset: bytes * 8, bitSize };
  // Until DWARF 3 bits were counted from the most significant one of the storage unit.
  const type = member.type && resolveType(member.type);
  const unit = member.number(At.byteSize) ?? (type && "size" in type ? type.size : 4);
  const fromTop = member.number(At.bitOffset) ?? 0;
  return { bitOffset: bytes * 8 + unit * 8 - fromTop - bitSize, bitSize };
}

/** A constant, or DW_OP_plus_uconst as DWARF 2 wrote it. */
function byteOffset(member: Die): number | undefined {
  const block = member.block(At.dataMemberLocation);
  if (!block) return member.number(At.dataMemberLocation);
  if (block[0] !== 0x23) return undefined;
  return new Cursor(block, 1).uleb();
}

/** Names and values of an enumeration, in the order of the file. */
export function enumerators(die: Die, signed: boolean): { name: string; value: bigint }[] {
  return die
    .children()
    .filter(({ tag }) => tag === Tag.enumerator)
    .map((child) => ({
      name: child.text(At.name) ?? "",
      value: child.constant(At.constValue, signed) ?? 0n,
    }));
}
