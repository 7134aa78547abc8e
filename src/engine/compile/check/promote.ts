/**
 * Which type holds values of two types. Variables, map keys and map values start with the type of what is first
 * assigned and grow as later assignments need; the rules are those of the language's "Data Types" chapter.
 *
 * While checking, an integer type may carry two facts more than the code generator needs: `flexible` (it comes from a
 * literal that is not negative, so it has no sign of its own yet) and `space` (it is an address, and where it points).
 */
import {
  type AddressSpace,
  type AggregationType,
  INT64,
  type IntType,
  int,
  isAggregation,
  type Type,
  UINT64,
} from "../types.ts";

export type CheckedInt = IntType & { flexible?: boolean; space?: AddressSpace };

/** Not known yet, or already reported: everything done with it is silently unknown too. */
export const UNKNOWN: Type = { kind: "void" };
export const isUnknown = (type: Type): boolean => type === UNKNOWN;
export const isVoid = (type: Type): boolean => type.kind === "void" && type !== UNKNOWN;

export const isFlexible = (type: Type): boolean => type.kind === "int" && !!(type as CheckedInt).flexible;

export const intSpace = (type: Type): AddressSpace | undefined =>
  type.kind === "int" ? (type as CheckedInt).space : undefined;

export const withSpace = (type: IntType, space: AddressSpace | undefined): IntType =>
  space ? ({ ...type, space } as CheckedInt) : type;

/** Aggregations whose value is one integer. */
export const isCastableAggregation = (type: Type): type is AggregationType =>
  type.kind === "count" ||
  type.kind === "sum" ||
  type.kind === "avg" ||
  type.kind === "min" ||
  type.kind === "max";

/** The integer that an aggregation reads as. */
export const aggregationInt = (type: AggregationType): IntType =>
  "signed" in type && type.signed ? INT64 : UINT64;

/** The smallest type of a literal: signed, unless only uint64 holds it. */
export function literalInt(value: bigint): IntType {
  const fits = (bits: bigint) => value >= -(1n << (bits - 1n)) && value < 1n << (bits - 1n);
  if (!fits(64n)) return int(8, false);
  const size = fits(8n) ? 1 : fits(16n) ? 2 : fits(32n) ? 4 : 8;
  return value >= 0n ? ({ ...int(size, true), flexible: true } as CheckedInt) : int(size, true);
}

export function fitsInt(value: bigint, type: IntType): boolean {
  const bits = BigInt(type.size * 8);
  return type.signed
    ? value >= -(1n << (bits - 1n)) && value < 1n << (bits - 1n)
    : value >= 0n && value < 1n << bits;
}

export const wrapInt = (value: bigint, type: IntType): bigint =>
  type.signed ? BigInt.asIntN(type.size * 8, value) : BigInt.asUintN(type.size * 8, value);

function promoteInt(a: CheckedInt, b: CheckedInt): IntType {
  const larger = Math.max(a.size, b.size) as IntType["size"];
  const space = a.space === b.space ? a.space : a.space && b.space ? undefined : (a.space ?? b.space);
  const extra = {
    ...(a.flexible && b.flexible ? { flexible: true } : {}),
    ...(space ? { space } : {}),
    ...(a.enum && a.enum.name === b.enum?.name ? { enum: a.enum } : {}),
    ...(a.identity && a.identity === b.identity ? { identity: a.identity } : {}),
  };
  if (a.signed === b.signed) return { ...int(larger, a.signed), ...extra };
  if (a.flexible || b.flexible) return { ...int(larger, a.flexible ? b.signed : a.signed), ...extra };
  const signed = a.signed ? a : b;
  const unsigned = a.signed ? b : a;
  if (signed.size > unsigned.size) return { ...int(signed.size, true), ...extra };
  return { ...int(Math.min(8, larger * 2) as IntType["size"], true), ...extra };
}

/** The type for values of both; undefined when there is none. `a` is what is known so far. */
export function promote(a: Type, b: Type): Type | undefined {
  if (a === b || isUnknown(b)) return a;
  if (isUnknown(a)) return isCastableAggregation(b) ? aggregationInt(b) : b;
  if (a.kind === "int" && b.kind === "int") return promoteInt(a, b);
  if (a.kind === "int" && isCastableAggregation(b)) return promoteInt(a, aggregationInt(b));
  if ((a.kind === "int" && b.kind === "bool") || (a.kind === "bool" && b.kind === "int"))
    return a.kind === "int" ? a : b;
  if (isAggregation(a) && isAggregation(b)) return promoteAggregation(a, b);
  if (a.kind !== b.kind) return undefined;
  switch (a.kind) {
    case "string":
      return (b as typeof a).size > a.size ? b : a;
    case "buffer":
      return (b as typeof a).size > a.size ? b : a;
    case "pointer": {
      const other = b as typeof a;
      const space = a.space === "none" ? other.space : a.space;
      if (a.to.kind === "void") return { ...other, space };
      if (other.to.kind === "void") return { ...a, space };
      const to = promote(a.to, other.to);
      return to && { kind: "pointer", to, space };
    }
    case "array": {
      const other = b as typeof a;
      return a.length === other.length && sameType(a.of, other.of) ? a : undefined;
    }
    case "struct":
      return a.name === (b as typeof a).name && a.union === (b as typeof a).union ? a : undefined;
    case "tuple":
      return promoteTuple(a, b as typeof a);
    case "stack": {
      const other = b as typeof a;
      return a.space === other.space && a.mode === other.mode && a.depth === other.depth ? a : undefined;
    }
    default:
      return a;
  }
}

function promoteTuple(
  a: Type & { kind: "tuple" },
  b: Type & { kind: "tuple" },
): (Type & { kind: "tuple" }) | undefined {
  if (a.elements.length !== b.elements.length || !a.names !== !b.names) return undefined;
  const elements: Type[] = [];
  for (let i = 0; i < a.elements.length; i++) {
    const from = a.names ? b.names!.indexOf(a.names[i]) : i;
    const element = from < 0 ? undefined : promote(a.elements[i], b.elements[from]);
    if (!element) return undefined;
    elements.push(element);
  }
  return { ...a, elements };
}

function promoteAggregation(a: AggregationType, b: AggregationType): AggregationType | undefined {
  if (a.kind !== b.kind) return undefined;
  if (a.kind === "hist") return a.bits === (b as typeof a).bits ? a : undefined;
  if (a.kind === "lhist") {
    const other = b as typeof a;
    return a.min === other.min && a.max === other.max && a.step === other.step ? a : undefined;
  }
  if (a.kind === "tseries") {
    const other = b as typeof a;
    return a.interval === other.interval && a.intervals === other.intervals && a.agg === other.agg
      ? { ...a, signed: a.signed || other.signed }
      : undefined;
  }
  if (a.kind === "count") return a;
  return { ...a, signed: a.signed || (b as typeof a).signed };
}

/** Whether two types are one and the same to the code generator. */
export function sameType(a: Type, b: Type): boolean {
  if (a === b) return true;
  if (a.kind !== b.kind || isUnknown(a) || isUnknown(b)) return false;
  switch (a.kind) {
    case "int":
      return a.size === (b as typeof a).size && a.signed === (b as typeof a).signed;
    case "string":
    case "buffer":
      return a.size === (b as typeof a).size;
    case "pointer":
      return sameType(a.to, (b as typeof a).to) && a.space === (b as typeof a).space;
    case "array":
      return a.length === (b as typeof a).length && sameType(a.of, (b as typeof a).of);
    case "struct":
      return a.name === (b as typeof a).name && a.union === (b as typeof a).union;
    case "tuple": {
      const other = b as typeof a;
      return (
        a.elements.length === other.elements.length &&
        a.elements.every((element, i) => sameType(element, other.elements[i])) &&
        (a.names ?? []).join() === (other.names ?? []).join()
      );
    }
    case "stack": {
      const other = b as typeof a;
      return a.space === other.space && a.mode === other.mode && a.depth === other.depth;
    }
    case "sum":
    case "avg":
    case "stats":
    case "min":
    case "max":
      return a.signed === (b as typeof a).signed;
    case "hist":
    case "lhist":
    case "tseries":
      return promoteAggregation(a, b as AggregationType) !== undefined;
    default:
      return true;
  }
}

/** Also tells flexible integers apart: whether inference has learnt something. */
export function sameFacts(a: Type | undefined, b: Type | undefined): boolean {
  if (!a || !b) return a === b;
  if (a.kind === "int" && b.kind === "int")
    return (
      sameType(a, b) &&
      isFlexible(a) === isFlexible(b) &&
      intSpace(a) === intSpace(b) &&
      a.identity === b.identity &&
      a.enum?.name === b.enum?.name
    );
  if (a.kind === "tuple" && b.kind === "tuple")
    return sameType(a, b) && a.elements.every((element, i) => sameFacts(element, b.elements[i]));
  return sameType(a, b);
}
