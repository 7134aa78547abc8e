/**
 * strstr() and strcontains() in the language's own terms: loops over the bytes of both strings. Code generation has no word
 * for them and needs none.
 */
import type { Span } from "../diagnostic.ts";
import { textToBytes } from "../parse/bytes.ts";
import type { Local, TypedExpression, TypedStatement } from "../typed.ts";
import { BOOL, INT64, int, type Type } from "../types.ts";

const BYTE = int(1, true);

/** Whether `haystack` contains `needle`. */
export const contains = (haystack: TypedExpression, needle: TypedExpression, span: Span): TypedExpression =>
  compare(">=", placeIn(haystack, needle, span), number(0, span), span);

/** Where `needle` starts in `haystack`, or -1, as an expression: a block with loops in it. */
export function placeIn(haystack: TypedExpression, needle: TypedExpression, span: Span): TypedExpression {
  const text = keep(haystack, span);
  const found = variable(INT64, span);
  const at = variable(INT64, span);
  const room = sizeOfText(text.local.type);
  const known = needle.op === "string" ? textToBytes(needle.value.split("\0")[0]) : undefined;
  if (known?.length === 0) return number(0, span);
  const pattern = known ? undefined : keep(needle, span);
  const body: TypedStatement[] = known
    ? matchKnown(text.local, at, known, found, span)
    : matchUnknown(text.local, at, pattern!.local, found, span);
  const last = room - (known ? known.length : 0);
  const statements: TypedStatement[] = [
    text.statement,
    ...(pattern ? [pattern.statement] : []),
    { op: "set-local", local: found, value: number(-1, span), span },
    {
      op: "for-range",
      local: at,
      start: number(0, span),
      end: number(Math.max(0, last), span),
      body: { statements: body },
      span,
    },
  ];
  return { op: "block", body: { statements, result: read(found, span) }, type: INT64, span };
}

const sizeOfText = (type: Type): number => (type.kind === "string" ? type.size : 0);

const variable = (type: Type, span: Span): Local => ({ name: "", type, addressed: false, span });
const read = (local: Local, span: Span): TypedExpression => ({ op: "local", local, type: local.type, span });
const number = (value: number, span: Span): TypedExpression => ({
  op: "int",
  value: BigInt(value),
  type: INT64,
  span,
});
const boolean = (value: boolean, span: Span): TypedExpression => ({
  op: "int",
  value: value ? 1n : 0n,
  type: BOOL,
  span,
});

function keep(value: TypedExpression, span: Span): { local: Local; statement: TypedStatement } {
  const local = variable(value.type, span);
  return { local, statement: { op: "set-local", local, value, span } };
}

/** The byte at `local[index + offset]`. */
function byteAt(text: Local, index: TypedExpression, span: Span): TypedExpression {
  return { op: "index", base: read(text, span), index, type: BYTE, span };
}

function plus(left: TypedExpression, right: TypedExpression, span: Span): TypedExpression {
  return { op: "binary", operator: "+", left, right, type: INT64, span };
}

function compare(
  operator: "==" | "!=" | ">=",
  left: TypedExpression,
  right: TypedExpression,
  span: Span,
): TypedExpression {
  return { op: "binary", operator, left, right, type: BOOL, span };
}

const byte = (value: number, span: Span): TypedExpression => ({
  op: "int",
  value: BigInt.asIntN(8, BigInt(value)),
  type: BYTE,
  span,
});

function when(condition: TypedExpression, statements: TypedStatement[], span: Span): TypedStatement {
  return { op: "if", condition, then: { statements }, span };
}

/** All bytes of a literal, from the place at hand; the end of the text ends the search. */
function matchKnown(text: Local, at: Local, pattern: Uint8Array, found: Local, span: Span): TypedStatement[] {
  const here = (offset: number) =>
    byteAt(text, offset ? plus(read(at, span), number(offset, span), span) : read(at, span), span);
  let all = compare("==", here(0), byte(pattern[0], span), span);
  for (let i = 1; i < pattern.length; i++) {
    const right = compare("==", here(i), byte(pattern[i], span), span);
    all = { op: "logical", operator: "&&", left: all, right, type: BOOL, span };
  }
  return [
    when(compare("==", here(0), byte(0, span), span), [{ op: "break", span }], span),
    when(
      all,
      [
        { op: "set-local", local: found, value: read(at, span), span },
        { op: "break", span },
      ],
      span,
    ),
  ];
}

/** Bytes of a text that is known at run time only, until its end or the first that differs. */
function matchUnknown(text: Local, at: Local, pattern: Local, found: Local, span: Span): TypedStatement[] {
  const step = variable(INT64, span);
  const same = variable(BOOL, span);
  const wanted = byteAt(pattern, read(step, span), span);
  const place = plus(read(at, span), read(step, span), span);
  const differs: TypedStatement[] = [
    { op: "set-local", local: same, value: boolean(false, span), span },
    { op: "break", span },
  ];
  return [
    { op: "set-local", local: same, value: boolean(true, span), span },
    {
      op: "for-range",
      local: step,
      start: number(0, span),
      end: number(sizeOfText(pattern.type), span),
      body: {
        statements: [
          when(compare("==", wanted, byte(0, span), span), [{ op: "break", span }], span),
          when(compare(">=", place, number(sizeOfText(text.type), span), span), differs, span),
          when(compare("!=", byteAt(text, place, span), wanted, span), differs, span),
        ],
      },
      span,
    },
    when(
      read(same, span),
      [
        { op: "set-local", local: found, value: read(at, span), span },
        { op: "break", span },
      ],
      span,
    ),
    when(
      compare("==", byteAt(text, read(at, span), span), byte(0, span), span),
      [{ op: "break", span }],
      span,
    ),
  ];
}
