/** Reaching into values: struct members, array and tuple elements, pointers, and addresses of variables and maps. */
import type { Expression } from "../ast.ts";
import type { Span } from "../diagnostic.ts";
import { textToBytes } from "../parse/bytes.ts";
import type { TypedExpression } from "../typed.ts";
import { type AddressSpace, type Field, INT64, int, type Type, UINT64 } from "../types.ts";
import { argument } from "./arguments.ts";
import type { Context } from "./context.ts";
import { convert } from "./convert.ts";
import { describe } from "./describe.ts";
import { mapPlace, readUnset } from "./maps.ts";
import { didYouMean, someOf } from "./nearest.ts";
import { pointerOffset } from "./operators.ts";
import { intSpace, isUnknown } from "./promote.ts";

/** A type as it lies in memory → as the script sees it: char arrays are strings, pointers lead where their owner is. */
export function valueType(type: Type, space: AddressSpace): Type {
  if (isText(type)) return { kind: "string", size: type.length };
  if (type.kind === "pointer") return type.space === "user" ? type : { ...type, space };
  if (type.kind === "struct") return { ...type, space };
  return type;
}

const isText = (type: Type): type is Type & { kind: "array" } =>
  type.kind === "array" && type.length > 0 && type.of.kind === "int" && type.of.size === 1 && type.of.signed;

/** What lies at a place as the script's value. A char array may lack its terminator: the string has room for one. */
function asValue(place: TypedExpression, type: Type, space: AddressSpace): TypedExpression {
  if (!isText(type)) return { ...place, type: valueType(type, space) } as TypedExpression;
  return {
    op: "call",
    name: "str.array",
    arguments: [{ ...place, type } as TypedExpression],
    type: { kind: "string", size: type.length + 1 },
    span: place.span,
  };
}

/** The array that a string was read from, for those who want its bytes. */
export function asArray(value: TypedExpression): TypedExpression {
  return value.op === "call" && value.name === "str.array" ? value.arguments[0] : value;
}

type Structure = Type & { kind: "struct" };

/** Finds a member, also inside members without a name. */
export function findField(struct: Structure, name: string): Field | undefined {
  for (const field of struct.layout().fields) {
    if (field.name === name) return field;
    if ((field.name === "" || field.name === "(anon)") && field.type.kind === "struct") {
      const inner = findField(field.type, name);
      if (inner) return { ...inner, offset: inner.offset + field.offset };
    }
  }
  return undefined;
}

export function fieldNames(struct: Structure): string[] {
  return struct
    .layout()
    .fields.flatMap((field) =>
      field.name || field.type.kind !== "struct" ? [field.name] : fieldNames(field.type),
    );
}

/** `args` that is not followed by a member is the whole of them. */
const isArgs = (e: Expression): boolean =>
  (e.kind === "identifier" || (e.kind === "call" && e.arguments.length === 0)) && e.name === "args";

export function checkField(e: Expression & { kind: "field" }, cx: Context): TypedExpression {
  if (isArgs(e.base)) return argument(e.name, e.nameSpan, e.span, cx);
  const base = cx.expression(e.base);
  return member(base, e.name, e.nameSpan, e.span, cx);
}

export function member(
  base: TypedExpression,
  name: string,
  nameSpan: Span,
  span: Span,
  cx: Context,
): TypedExpression {
  const { type } = base;
  if (isUnknown(type)) return base;
  if (type.kind === "tuple") return tupleMember(base, type, name, nameSpan, span, cx);
  const struct = type.kind === "pointer" ? type.to : type;
  if (struct.kind !== "struct")
    return cx.fail(
      "no-members",
      nameSpan,
      `${describe(type)} has no members`,
      type.kind === "int" ? `cast it first, for example ((struct task_struct *)…).${name}` : undefined,
    );
  const field = findField(struct, name);
  if (!field) {
    const names = fieldNames(struct).filter(Boolean);
    return cx.fail(
      "unknown-field",
      nameSpan,
      `${describe(struct)} has no member ${name}`,
      names.length === 0
        ? `the members of ${describe(struct)} are not known to this kernel's BTF`
        : (didYouMean(name, names) ?? `it has ${someOf(names)}`),
    );
  }
  const space = (type.kind === "pointer" ? type.space : struct.space) ?? cx.space;
  return asValue({ op: "field", base, field, type: field.type, span }, field.type, space);
}

function tupleMember(
  base: TypedExpression,
  type: Type & { kind: "tuple" },
  name: string,
  nameSpan: Span,
  span: Span,
  cx: Context,
): TypedExpression {
  const index = type.names ? type.names.indexOf(name) : /^\d+$/.test(name) ? Number(name) : -1;
  if (index < 0 || index >= type.elements.length)
    return cx.fail(
      "unknown-field",
      nameSpan,
      `${describe(type)} has no element ${name}`,
      type.names ? `it has ${someOf(type.names)}` : `elements are .0 to .${type.elements.length - 1}`,
    );
  if (base.op === "tuple") return base.elements[index];
  return { op: "tuple-element", base, index, type: type.elements[index], span };
}

export function checkIndex(e: Expression & { kind: "index" }, cx: Context): TypedExpression {
  const base = asArray(cx.expression(e.base));
  const index = cx.expression(e.index);
  if (isUnknown(base.type) || isUnknown(index.type)) return cx.unknown(e.span);
  if (index.type.kind !== "int")
    return cx.fail("index-type", index.span, `an index is an integer, and this is ${describe(index.type)}`);
  const { type } = base;
  if (type.kind === "tuple") {
    if (index.op !== "int")
      return cx.fail("not-constant", index.span, "a tuple's index must be known before the script runs");
    return tupleMember(base, type, String(index.value), index.span, e.span, cx);
  }
  if (type.kind === "pointer") {
    const at = pointerOffset("+", base, index, e.span, cx);
    return dereference(at, e.span, cx);
  }
  if (type.kind !== "array" && type.kind !== "string")
    return cx.fail("no-elements", base.span, `${describe(type)} has no elements to index`);
  const length = type.kind === "array" ? type.length : type.size;
  if (index.op === "int" && (index.value < 0n || (length > 0 && index.value >= BigInt(length))))
    return cx.fail(
      "index-range",
      index.span,
      `the index is ${index.value}, and ${describe(type)} has ${length} elements`,
    );
  if (base.op === "string" && index.op === "int")
    return cx.int(BigInt(textToBytes(base.value)[Number(index.value)] ?? 0), e.span, int(1, true));
  const element: Type = type.kind === "array" ? type.of : int(1, true);
  const place: TypedExpression = {
    op: "index",
    base,
    index: convert(index, INT64)!,
    type: element,
    span: e.span,
  };
  return asValue(place, element, spaceOf(base, cx));
}

/** Where the bytes of a value lie: pointers found in it lead there too. */
function spaceOf(value: TypedExpression, cx: Context): AddressSpace {
  if (value.op === "field" && value.base.type.kind === "pointer") return value.base.type.space;
  if (value.op === "field" || value.op === "index") return spaceOf(value.base, cx);
  return value.type.kind === "struct" ? (value.type.space ?? cx.space) : cx.space;
}

export function dereference(pointer: TypedExpression, span: Span, cx: Context): TypedExpression {
  const { type } = pointer;
  if (isUnknown(type)) return pointer;
  if (type.kind === "int") {
    const space = intSpace(type) ?? cx.space;
    const address: TypedExpression = {
      op: "cast",
      operand: pointer,
      type: { kind: "pointer", to: UINT64, space },
      span,
    };
    return { op: "deref", pointer: address, type: UINT64, span };
  }
  if (type.kind !== "pointer")
    return cx.fail("not-a-pointer", span, `* reads what a pointer leads to, and this is ${describe(type)}`);
  if (type.to.kind === "void")
    return cx.fail(
      "void-pointer",
      span,
      "a void pointer does not say what it leads to",
      "cast it: *(uint64 *)…",
    );
  return asValue({ op: "deref", pointer, type: type.to, span }, type.to, type.space);
}

export function addressOf(e: Expression & { kind: "unary" }, cx: Context): TypedExpression {
  const { operand, span } = e;
  if (operand.kind === "variable") {
    const found = cx.lookup(operand.name);
    if (!found) return cx.fail("undefined-variable", operand.span, `${operand.name} is not defined here`);
    found.local.addressed = true;
    const { local } = found;
    return {
      op: "address-of-local",
      local,
      type: { kind: "pointer", to: local.type, space: "bpf" },
      span,
    };
  }
  if (operand.kind === "map") {
    const place = mapPlace(operand, cx);
    if (!place) return cx.unknown(span);
    const to = place.facts.value;
    if (isUnknown(to)) {
      return cx.final ? readUnset(place.facts, operand, cx) : cx.unknown(span);
    }
    return {
      op: "address-of-map",
      map: place.info,
      ...(place.key ? { key: place.key } : {}),
      type: { kind: "pointer", to, space: "bpf" },
      span,
    };
  }
  return cx.fail("address-of", span, "& takes the address of a variable or a map, nothing else");
}
