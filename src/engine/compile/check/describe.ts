/** Types as a script would write them, for messages and for grouping probes by layout. */
import type { Field, Type } from "../types.ts";
import { isUnknown } from "./promote.ts";

/** "uint64", "struct file *", "string[16]", "(int64, string[16])". */
export function describe(type: Type): string {
  if (isUnknown(type)) return "unknown";
  switch (type.kind) {
    case "int":
      return type.enum ? `enum ${type.enum.name}` : `${type.signed ? "int" : "uint"}${type.size * 8}`;
    case "string":
      return `string[${type.size}]`;
    case "buffer":
      return `buffer[${type.size}]`;
    case "pointer":
      return `${describe(type.to)} *`;
    case "array":
      return `${describe(type.of)}[${type.length}]`;
    case "struct":
      return `${type.union ? "union" : "struct"} ${type.name}`;
    case "tuple": {
      const { names, elements } = type;
      return `(${elements.map((e, i) => (names ? `${names[i]}=${describe(e)}` : describe(e))).join(", ")})`;
    }
    case "stack":
      return `${type.space === "kernel" ? "kstack" : "ustack"}(${type.mode}, ${type.depth})`;
    case "count":
    case "sum":
    case "avg":
    case "stats":
    case "min":
    case "max":
    case "hist":
    case "lhist":
    case "tseries":
      return `${type.kind}()`;
    case "ksym":
    case "usym":
    case "username":
    case "timestamp":
      return type.kind;
    default:
      return type.kind;
  }
}

/** Equal for fields that one program can read in the same way. */
export const fieldSignature = (field: Field): string =>
  `${field.offset}:${describe(field.type)}:${field.type.kind === "pointer" ? field.type.space : ""}:${
    field.bit ? `${field.bit.offset}.${field.bit.width}` : ""
  }:${field.dataLoc ? "d" : field.relLoc ? "r" : ""}`;
