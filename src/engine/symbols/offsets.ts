/** Where in a value of a type others lie: in tuples and arrays too. */
import { sizeOf, type Type, tupleLayout } from "../compile/types.ts";

/** Offsets of the values that are `wanted`. */
function offsetsIn(type: Type, wanted: (type: Type) => boolean, from = 0): number[] {
  if (wanted(type)) return [from];
  if (type.kind === "tuple") {
    const { offsets } = tupleLayout(type.elements);
    return type.elements.flatMap((element, i) => offsetsIn(element, wanted, from + offsets[i]));
  }
  if (type.kind === "array") {
    const size = sizeOf(type.of);
    return Array.from({ length: type.length }, (_, i) => offsetsIn(type.of, wanted, from + i * size)).flat();
  }
  return [];
}

const isUser = (type: Type): boolean =>
  type.kind === "usym" || (type.kind === "stack" && type.space === "user");

/** Offsets at which a u32 pid stands beside a user address or stack. */
export const pidOffsets = (type: Type): number[] => offsetsIn(type, isUser).map((offset) => offset + 8);

/** Whether it holds numbers of processes. */
export const holdsProcesses = (type: Type): boolean =>
  offsetsIn(type, (part) => part.kind === "int" && /^process/.test(part.identity ?? "")).length > 0;

/** Offsets of stacks. */
export const stackOffsets = (type: Type): number[] => offsetsIn(type, ({ kind }) => kind === "stack");
