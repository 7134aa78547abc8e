/** What a variable is given: into the type that it has, or that it grows to. */
import type { Statement } from "../ast.ts";
import type { TypedExpression, TypedStatement } from "../typed.ts";
import type { Type } from "../types.ts";
import type { Context } from "./context.ts";
import { convert, literalFits } from "./convert.ts";
import { describe } from "./describe.ts";
import { isUnknown, literalInt, sameType } from "./promote.ts";

/** Gives a variable a value: one whose type is fixed keeps it, the others grow. */
export function store(
  variable: { declaration: object; local: TypedLocal; fixed: Type | undefined },
  value: TypedExpression,
  name: string,
  span: Statement["span"],
  cx: Context,
): TypedStatement[] {
  const { local } = variable;
  if (isUnknown(value.type)) return [];
  if (variable.fixed) {
    if (!literalFits(value, variable.fixed)) {
      cx.error(
        "literal-range",
        value.span,
        `${value.op === "int" ? value.value : "the value"} does not fit ${name}, which is ${describe(variable.fixed)}`,
        `cast it: (${describe(variable.fixed)})…`,
      );
      return [];
    }
    const converted = hasRoom(value.type, variable.fixed) ? convert(value, variable.fixed) : undefined;
    if (!converted) return mismatch(name, value, variable.fixed, cx);
    return [{ op: "set-local", local, value: converted, span }];
  }
  if (!cx.inference.growLocal(cx.group, variable.declaration, value.type))
    return mismatch(name, value, local.type, cx);
  if (outOfRange(name, value, local.type, cx)) return [];
  const converted = convert(value, local.type);
  if (!converted && cx.final) return mismatch(name, value, local.type, cx);
  return [{ op: "set-local", local, value: converted ?? value, span }];
}

/** Text is never cut to fit a declared type. */
function hasRoom(from: Type, fixed: Type): boolean {
  if (from.kind === "string" && fixed.kind === "string") return from.size <= fixed.size;
  if (from.kind !== "tuple" || fixed.kind !== "tuple") return true;
  return from.elements.every((element, i) => !fixed.elements[i] || hasRoom(element, fixed.elements[i]));
}

/** A literal that the type, grown by other uses, cannot hold. */
export function outOfRange(name: string, value: TypedExpression, type: Type, cx: Context): boolean {
  const isLiteral = value.op === "int" && sameType(value.type, literalInt(value.value));
  if (!cx.final || !isLiteral || literalFits(value, type)) return false;
  cx.error("literal-range", value.span, `${value.value} does not fit ${name}, which is ${describe(type)}`);
  return true;
}

type TypedLocal = (TypedStatement & { op: "set-local" })["local"];

export function mismatch(name: string, value: TypedExpression, type: Type, cx: Context): TypedStatement[] {
  cx.error(
    "type-mismatch",
    value.span,
    `${name} is ${describe(type)}, and this is ${describe(value.type)}`,
    "a name keeps the type of what it is first given",
  );
  return [];
}
