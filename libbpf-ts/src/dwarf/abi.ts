// Where a function finds its arguments at its first instruction: the calling conventions of the System V ABI (x86-64) and
// of the AAPCS64 (arm64), as far as general registers and the stack go.
//
//   x86-64: values of up to 16 bytes go in registers, 8 bytes each, general ones or (all floating point) vector ones;
//           larger ones on the stack, and so does what no register is left for. A result that fits no registers is
//           written where a hidden first argument points to.
//   arm64:  the same, but values above 16 bytes are passed as an address, and up to four equal floats in vector registers.

import { type Arch, archFor } from "../arch.ts";
import { At, Tag } from "./constants.ts";
import { DwarfError } from "./cursor.ts";
import type { Die } from "./die.ts";
import { type DwarfMember, describeType, membersOf, resolveDie } from "./types.ts";

export type Place =
  /**
   * The N-th general argument register; past the last one, the (N − their number)-th word on the stack. `words`: so many
   * of them, for a struct or what else has no register of its own; `address`: they are where the argument points to.
   */
  | { kind: "argument"; index: number; words?: number; address?: boolean }
  | { kind: "register"; register: string }
  | { kind: "unreadable"; why: "float" | "struct" | "wide" | "removed" | "convention" };

type Class = "integer" | "float";
/** How a value is passed: `words` in registers, each of its class; or whole on the stack, or as an address. */
interface Passing {
  words: Class[];
  /** Bytes on the stack when it does not go in registers, and their alignment. */
  size: number;
  align: number;
  memory: boolean;
  aggregate: boolean;
  /** Four equal floats or fewer. */
  floats?: boolean;
  /** An aggregate elsewhere, whose address is passed. */
  address?: boolean;
}

const scalar = (...words: Class[]): Passing => ({
  words,
  size: words.length * 8,
  align: words.length === 2 && words[0] === "integer" ? 16 : 8,
  memory: false,
  aggregate: false,
});

const MAX_DEPTH = 32;
/** An aggregate that goes in registers has no more parts than bytes. */
const MAX_LEAVES = 64;
/** Classes within a class, base classes included. */
const MAX_CLASSES = 1024;

/** A part of an aggregate that is no aggregate itself. */
interface Leaf {
  offset: number;
  size: number;
  class: Class;
}

/** Finds the parts of one type; types that hold others twice over, level by level, would have them visited without end. */
class Leaves {
  readonly found: Leaf[] = [];
  #visits = 0;
  readonly #members = new Map<string, DwarfMember[]>();

  /** Adds those of a type, at an offset; false: one that never goes in registers, or more than fit there. */
  add(die: Die | undefined, offset: number, depth = 0): boolean {
    const resolved = resolveDie(die);
    if (depth > MAX_DEPTH || this.found.length > MAX_LEAVES || this.#visits++ > MAX_CLASSES) return false;
    if (!resolved) return true;
    const type = describeType(resolved);
    switch (type.kind) {
      case "struct":
      case "class":
      case "union":
        return this.#membersOf(resolved).every((member) =>
          member.bitSize > 0
            ? this.found.push({ offset: offset + (member.bitOffset >> 3), size: 1, class: "integer" }) > 0
            : this.add(member.type, offset + (member.bitOffset >> 3), depth + 1),
        );
      case "array": {
        const element = sizeOf(type.type, depth + 1);
        const count = type.lengths.reduce((product, length) => product * length, 1);
        if (element * count > 16) return false;
        // Elements without size, of which there may be any number, are no parts.
        if (element === 0) return true;
        for (let i = 0; i < count; i++)
          if (!this.add(type.type, offset + i * element, depth + 1)) return false;
        return true;
      }
      default: {
        const size = sizeOf(resolved, depth + 1);
        const isFloat = type.kind === "base" && type.encoding === "float";
        if (isFloat && size === 16) return false;
        if (size > 0 && offset % Math.min(size, 8) !== 0) return false;
        for (let at = 0; at < size && this.found.length <= MAX_LEAVES; at += 8)
          this.found.push({
            offset: offset + at,
            size: Math.min(8, size - at),
            class: isFloat ? "float" : "integer",
          });
        return true;
      }
    }
  }

  #membersOf(die: Die): DwarfMember[] {
    let members = this.#members.get(die.key);
    if (!members) {
      members = membersOf(die);
      this.#members.set(die.key, members);
    }
    return members;
  }
}

/** Bytes of a value. */
export function sizeOf(die: Die | undefined, depth = 0): number {
  const resolved = resolveDie(die);
  if (!resolved) return 0;
  if (depth > MAX_DEPTH) throw new DwarfError("the debug info is damaged: a type contains itself");
  const type = describeType(resolved);
  switch (type.kind) {
    case "pointer":
    case "reference":
      return 8;
    case "member-pointer":
      return resolveDie(resolved.type)?.tag === Tag.subroutineType ? 16 : 8;
    case "array":
      return type.lengths.reduce((product, length) => product * length, sizeOf(type.type, depth + 1));
    case "function":
    case "typedef":
    case "qualified":
      return 0;
    default:
      return type.size;
  }
}

/** Bytes that the address of a value is a multiple of, as far as more than eight matter. Types are looked into once each. */
function alignOf(die: Die | undefined, known = new Map<string, number>()): number {
  const resolved = resolveDie(die);
  if (!resolved || known.size > MAX_CLASSES) return 1;
  const before = known.get(resolved.key);
  if (before !== undefined) return before;
  known.set(resolved.key, 1);
  const type = describeType(resolved);
  let align = resolved.number(At.alignment) ?? 1;
  if (type.kind === "struct" || type.kind === "class" || type.kind === "union") {
    for (const { type: inner } of membersOf(resolved)) align = Math.max(align, alignOf(inner, known));
  } else if (type.kind === "array") align = Math.max(align, alignOf(type.type, known));
  else align = Math.max(align, Math.min(16, sizeOf(resolved)));
  known.set(resolved.key, align);
  return align;
}

function passing(die: Die | undefined, arch: Arch): Passing {
  const resolved = resolveDie(die);
  const type = resolved && describeType(resolved);
  if (!resolved || !type) return scalar("integer");
  switch (type.kind) {
    case "base":
      if (type.encoding === "float" || type.encoding === "other") {
        // long double has 16 bytes here too; x86-64 keeps it on the stack, unlike _Float128.
        const onStack = arch.name === "x64" && type.size === 16 && type.name === "long double";
        const words: Class[] = type.encoding === "other" && type.size === 16 ? ["float", "float"] : ["float"];
        return { ...scalar(...words), size: type.size, align: type.size >= 16 ? 16 : 8, memory: onStack };
      }
      return type.size > 8 ? scalar("integer", "integer") : scalar("integer");
    case "member-pointer":
      return sizeOf(resolved) === 16 ? { ...scalar("integer", "integer"), align: 8 } : scalar("integer");
    case "struct":
    case "class":
    case "union":
      return aggregate(resolved, type.size, arch);
    case "array":
      return { ...scalar("float"), size: sizeOf(resolved), align: 16, aggregate: true };
    default:
      return scalar("integer");
  }
}

/** DW_CC_pass_by_reference: said by compilers other than GCC. */
const BY_REFERENCE = 4;

/**
 * C++: whether copying it runs code, so that functions get and give its address: it has a destructor, a copy or move
 * constructor or virtual functions of its own, or something in it does.
 */
function isCopiedByCode(die: Die, seen = new Set<string>()): boolean {
  if (!COMPOSITE.has(die.tag) || seen.size > MAX_CLASSES || seen.has(die.key)) return false;
  seen.add(die.key);
  if (die.number(At.callingConvention) === BY_REFERENCE) return true;
  const name = die.text(At.name)?.replace(/<.*/, "");
  for (const child of die.children()) {
    if (child.tag === Tag.subprogram) {
      if (child.flag(At.artificial) || child.number(At.defaulted) !== undefined) continue;
      const method = child.text(At.name)?.replace(/<.*/, "") ?? "";
      if (method.startsWith("~")) return true;
      if (method === name && takesItself(child, die)) return true;
    } else if (child.tag === Tag.member || child.tag === Tag.inheritance) {
      if (child.flag(At.external) || child.flag(At.declaration)) continue;
      if (child.text(At.name)?.startsWith("_vptr")) return true;
      const inner = resolveDie(child.type);
      if (inner && isCopiedByCode(inner, seen)) return true;
    }
  }
  return false;
}

const COMPOSITE: ReadonlySet<number> = new Set([Tag.structure, Tag.class, Tag.union]);

/** Whether a constructor's only argument is a reference to the class. */
function takesItself(method: Die, owner: Die): boolean {
  const parameters = method
    .children()
    .filter((child) => child.tag === Tag.formalParameter && !child.flag(At.artificial));
  const [only] = parameters.map((parameter) => resolveDie(parameter.type));
  if (parameters.length !== 1 || !only) return false;
  if (only.tag !== Tag.reference && only.tag !== Tag.rvalueReference) return false;
  return resolveDie(only.type)?.key === owner.key;
}

function aggregate(die: Die, size: number, arch: Arch): Passing {
  if (isCopiedByCode(die)) return { ...scalar("integer"), aggregate: true, address: true };
  const leaves = new Leaves();
  const fits = leaves.add(die, 0);
  const parts = leaves.found;
  const align = Math.max(8, alignOf(die));
  const whole: Passing = { words: [], size, align, memory: true, aggregate: true };
  if (arch.name === "arm64") {
    const equal =
      fits &&
      parts.length > 0 &&
      parts.length <= 4 &&
      parts.every((p) => p.class === "float" && p.size === parts[0].size);
    if (equal) return { ...whole, words: parts.map(() => "float"), memory: false, floats: true };
    if (size > 16) return { ...scalar("integer"), aggregate: true, address: true };
    return { ...whole, words: Array.from({ length: Math.ceil(size / 8) }, () => "integer"), memory: false };
  }
  // An empty class takes no place at all.
  if (fits && parts.length === 0) return { ...whole, size: 0 };
  if (!fits || size > 16) return whole;
  const words: Class[] = [];
  for (const { offset, class: kind } of parts) {
    const word = offset >> 3;
    words[word] = words[word] === "integer" ? "integer" : kind;
  }
  return { ...whole, words: Array.from(words, (word) => word ?? "float"), memory: false };
}

/** Whether the result is written where a hidden first argument points to. */
function hasHiddenResult(returns: Die | undefined, arch: Arch): boolean {
  const resolved = resolveDie(returns);
  const type = resolved && describeType(resolved);
  if (arch.name !== "x64" || !type) return false;
  if (type.kind !== "struct" && type.kind !== "class" && type.kind !== "union") return false;
  return isCopiedByCode(resolved) || (type.size > 0 && passing(resolved, arch).memory);
}

/** Places of the arguments of a function with these parameter and result types, by the C calling convention. */
export function argumentPlaces(
  parameters: readonly (Die | undefined)[],
  returns: Die | undefined,
  machine: string,
): Place[] {
  const arch = archFor(machine);
  const registers = arch.functionArgs.length;
  let general = hasHiddenResult(returns, arch) ? 1 : 0;
  let vector = 0;
  let stack = 0;
  return parameters.map((parameter): Place => {
    const { words, size, align, memory, aggregate, floats, address } = passing(parameter, arch);
    const integers = words.filter((word) => word === "integer").length;
    const inRegisters = !memory && general + integers <= registers && vector + words.length - integers <= 8;
    if (!inRegisters) stack = Math.ceil(stack / align) * align;
    const index = inRegisters ? general : registers + stack / 8;
    if (inRegisters) {
      general += integers;
      vector += words.length - integers;
    } else {
      // What has gone to the stack keeps later arguments out of arm64's registers.
      if (arch.name === "arm64" && integers > 0) general = registers;
      if (arch.name === "arm64" && floats) vector = 8;
      stack += Math.ceil(size / 8) * 8;
    }
    const count = address ? Math.ceil(sizeOf(parameter) / 8) : Math.ceil(size / 8);
    const isVector = inRegisters && words.includes("float");
    if (aggregate && (isVector || count === 0)) return { kind: "unreadable", why: "struct" };
    if (!aggregate && words[0] === "float") return { kind: "unreadable", why: "float" };
    if (!aggregate && words.length === 1) return { kind: "argument", index };
    return { kind: "argument", index, words: count, ...(address ? { address } : {}) };
  });
}
