/** typeinfo(): what an expression's type is called, as a record of constants, for `if comptime`. */
import type { TypedExpression } from "../../typed.ts";
import { int, type Type } from "../../types.ts";
import { typeOfOperand } from "../cast.ts";
import { isUnknown } from "../promote.ts";
import type { CheckValue } from "./call.ts";

/** Kinds of types that are called otherwise in scripts. */
const KINDS: Partial<Record<Type["kind"], string>> = {
  struct: "c_type",
  macaddr: "mac_address",
  cgroupPath: "cgroup_path_t",
  timestamp: "timestamp",
};

const SUFFIXED = new Set<Type["kind"]>([
  ...(["count", "sum", "avg", "stats", "min", "max", "hist", "lhist", "tseries"] as const),
  ...(["ksym", "usym", "username"] as const),
]);

/** "int", "pointer", "string", "c_type" (structs and unions), "count_t", … */
export function baseType(type: Type): string {
  if (type.kind === "stack") return type.space === "kernel" ? "kstack" : "ustack";
  if (type.kind === "tuple") return type.names ? "record" : "tuple";
  return KINDS[type.kind] ?? (SUFFIXED.has(type.kind) ? `${type.kind}_t` : type.kind);
}

/** "uint64", "string[16]", "struct file *", "(int8,string[4])", "record { .a = int8 }". */
export function fullType(type: Type): string {
  switch (type.kind) {
    case "int":
      return type.enum ? `enum ${type.enum.name}` : `${type.signed ? "int" : "uint"}${type.size * 8}`;
    case "string":
    case "buffer":
      return `${type.kind}[${type.size}]`;
    case "pointer":
      return `${fullType(type.to)} *`;
    case "array":
      return `${fullType(type.of)}[${type.length}]`;
    case "struct":
      return `${type.union ? "union" : "struct"} ${type.name}`;
    case "tuple": {
      const { names, elements } = type;
      return names
        ? `record { ${elements.map((e, i) => `.${names[i]} = ${fullType(e)}`).join(", ")} }`
        : `(${elements.map(fullType).join(",")})`;
    }
    case "stack":
      return type.mode;
    case "sum":
    case "avg":
    case "stats":
    case "min":
    case "max":
      return `${type.signed ? "" : "u"}${baseType(type)}`;
    default:
      return baseType(type);
  }
}

const NAMES = ["btf_id", "base_type", "full_type"];

export const typeinfo: CheckValue = (call, cx) => {
  const { span } = call;
  const setting = cx.config.unstable.unstable_typeinfo;
  if (setting === "error")
    return cx.fail("unstable", span, "typeinfo() is switched off by unstable_typeinfo=error");
  if (setting === "warn" && cx.final)
    cx.report.warning("unstable", span, "typeinfo() may change in later versions", {
      hint: "unstable_typeinfo=enable says that this is known",
    });
  const type = typeOfOperand(call.arguments[0], cx);
  if (!type || isUnknown(type)) return cx.unknown(span);
  const elements: TypedExpression[] = [
    cx.int(0n, span, int(1, true)),
    cx.string(baseType(type), span),
    cx.string(fullType(type), span),
  ];
  return {
    op: "tuple",
    elements,
    type: { kind: "tuple", elements: elements.map((element) => element.type), names: NAMES },
    span,
  };
};
