/** How a type's values travel: in a register, or as bytes in memory. */

import type { Size } from "../ir/types.ts";
import { isAggregation, sizeOf, type Type } from "../types.ts";

const SCALARS = new Set<Type["kind"]>(["int", "bool", "pointer", "ksym", "username", "probe"]);

/** Aggregations count as scalars: in an expression they are their merged integer. */
export const isScalar = (type: Type): boolean => SCALARS.has(type.kind) || isAggregation(type);

/** Bytes of a scalar in memory. */
export function scalarSize(type: Type): Size {
  return isAggregation(type) ? 8 : (sizeOf(type) as Size);
}

export function isSigned(type: Type): boolean {
  return (
    (type.kind === "int" || type.kind === "sum" || type.kind === "min" || type.kind === "max") && type.signed
  );
}
