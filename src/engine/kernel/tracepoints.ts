/** Tracepoint formats → fields with types. */
import { readTracepointFormat, type TracepointField, tracepointId } from "libbpf-ts";
import type { TracepointFormat } from "../compile/kernel.ts";
import { type EnumType, type Field, int, type StructLayout, sizeOf, type Type } from "../compile/types.ts";
import { scalarNamed, splitPointers } from "./cTypes.ts";

/** What only the kernel's types know; asked as rarely as possible. */
export interface TypeLookup {
  named(name: string): Type | undefined;
  struct(name: string, union: boolean): StructLayout | undefined;
  enumNamed(name: string): EnumType | undefined;
}

const isSize = (size: number): size is 1 | 2 | 4 | 8 => [1, 2, 4, 8].includes(size);

/** An enum's constants are looked up when a value is printed. */
function enumOf(name: string, size: 1 | 2 | 4 | 8, signed: boolean, lookup: TypeLookup): Type {
  return {
    kind: "int",
    size,
    signed,
    get enum() {
      return lookup.enumNamed(name);
    },
  };
}

function structOf(base: string, lookup: TypeLookup): Type {
  const union = base.startsWith("union ");
  const name = base.slice(base.indexOf(" ") + 1);
  return {
    kind: "struct",
    name,
    union,
    layout: () => lookup.struct(name, union) ?? { size: 0, align: 1, fields: [] },
  };
}

/**
 * Arguments of system calls stand in slots of 8 bytes whatever their type, so that a type that is narrower than its slot
 * is looked up; everywhere else the format's own size and sign are enough.
 */
function elementType(base: string, size: number, signed: boolean, slot: boolean, lookup: TypeLookup): Type {
  const known = scalarNamed(base);
  if (known && sizeOf(known) <= size) return known;
  if (base.startsWith("enum ") && isSize(size)) {
    return enumOf(base.slice(5), slot ? 4 : size, signed, lookup);
  }
  if (base.startsWith("struct ") || base.startsWith("union ")) return structOf(base, lookup);
  if (slot) {
    const named = lookup.named(base);
    if (named && (named.kind === "int" || named.kind === "bool") && sizeOf(named) <= size) return named;
  }
  return isSize(size) ? int(size, signed) : { kind: "array", of: int(1, false), length: size };
}

function pointerTo(base: string, depth: number, space: "user" | "kernel", lookup: TypeLookup): Type {
  let type: Type = scalarNamed(base) ?? { kind: "void" };
  if (base.startsWith("struct ") || base.startsWith("union ")) type = structOf(base, lookup);
  for (let i = 0; i < depth; i++) type = { kind: "pointer", to: type, space };
  return type;
}

/** A field of a format line; `syscall`: its pointers are the traced process's, its slots 8 bytes wide. */
export function fieldOf(field: TracepointField, syscall: boolean, lookup: TypeLookup): Field {
  const { base, pointers } = splitPointers(field.type);
  const { name, offset } = field;
  if (field.isArray) {
    const count = field.dataLoc || field.relLoc ? 0 : field.arrayLength;
    const each = count > 0 ? field.size / count : sizeOf(scalarNamed(base) ?? int(1, false));
    const of =
      pointers > 0
        ? pointerTo(base, pointers, "kernel", lookup)
        : elementType(base, each, field.signed, false, lookup);
    const type: Type = { kind: "array", of, length: count };
    return {
      name,
      type,
      offset,
      ...(field.dataLoc && { dataLoc: true }),
      ...(field.relLoc && { relLoc: true }),
    };
  }
  if (pointers > 0) {
    return { name, type: pointerTo(base, pointers, syscall ? "user" : "kernel", lookup), offset };
  }
  const type = elementType(base, field.size, field.signed, syscall && field.size === 8, lookup);
  return {
    name,
    type: type.kind === "int" && isPid(name) ? { ...type, identity: "process.init" } : type,
    offset,
  };
}

/** Fields of this name hold ids of processes or threads as the kernel itself numbers them. */
const isPid = (name: string): boolean => /^(?:\w+_)?(?:pid|tid|tgid)$/.test(name);

/**
 * A tracepoint's id and fields; throws where there is no such tracepoint. Of the hundreds that a wildcard names, only those
 * whose fields are asked for have them read.
 */
export function liveTracepointFormat(category: string, event: string, lookup: TypeLookup): TracepointFormat {
  const syscall = category === "syscalls";
  let fields: Field[] | undefined;
  return {
    id: tracepointId(category, event),
    get fields() {
      fields ??= readTracepointFormat(category, event).fields.map((field) =>
        fieldOf(field, syscall && !field.name.startsWith("common_"), lookup),
      );
      return fields;
    },
  };
}
