/**
 * printf in an iterator that is pinned: whoever reads its file runs the program, long after tracedeck has gone, and gets
 * what the program writes to the file's own buffer. The kernel does the formatting, and knows fewer conversions.
 */
import { constant } from "../ir/types.ts";
import type { TypedExpression, TypedStatement } from "../typed.ts";
import { sizeOf } from "../types.ts";
import type { Cx } from "./context.ts";
import { iterationFile } from "./entry.ts";
import { checkHelper } from "./errors.ts";
import { scalar, write } from "./expressions.ts";
import { addressOf } from "./memory.ts";
import { isScalar } from "./shape.ts";
import { NotSupported } from "./unsupported.ts";

/** MAX_BPRINTF_VARARGS. */
const MOST_ARGUMENTS = 12;

const CONVERSION = /%(?:%|([-+ 0]*\d*)(ll|l|j|z|t)?([diuxXcsp])|)/g;

/** The format as bpf_seq_printf takes it. */
function kernelFormat(format: string, args: readonly TypedExpression[], statement: TypedStatement): string {
  let at = 0;
  return format.replace(CONVERSION, (whole, flags: string = "", length: string, specifier: string) => {
    if (whole === "%%") return whole;
    if (specifier === undefined)
      throw new NotSupported(
        "a pinned iterator is printed by the kernel, which knows %d %i %u %x %X %c %s %p, with l or ll and a width",
        statement.span,
      );
    const argument = args[at++];
    const long = length ? "ll" : "";
    if (specifier === "p") return `0x%${flags}llx`;
    if (specifier !== "s") return `%${flags}${specifier === "c" ? "" : long}${specifier}`;
    if (argument.type.kind === "string") return `%${flags}s`;
    if (isScalar(argument.type)) return `%${flags}lld`;
    throw new NotSupported("a pinned iterator can print numbers and strings", argument.span);
  });
}

export function lowerPinned(cx: Cx, statement: Extract<TypedStatement, { op: "emit" }>): void {
  const { action, arguments: args, span } = statement;
  if (action.kind !== "printf")
    throw new NotSupported(
      `a pinned iterator can only printf(): tracedeck is not there when its file is read`,
      span,
    );
  if (args.length > MOST_ARGUMENTS)
    throw new NotSupported(`printf() in a pinned iterator takes ${MOST_ARGUMENTS} arguments`, span);
  const text = new TextEncoder().encode(`${kernelFormat(action.format, args, statement)}\0`);
  const format = cx.layout.constants(`format_${cx.layout.maps.length}`, text);
  cx.scope(() => {
    const data = cx.b.slot(Math.max(8, args.length * 8), "printf arguments");
    args.forEach((argument, i) => {
      if (isScalar(argument.type)) {
        cx.b.store(data, i * 8, 8, scalar(cx, argument));
        return;
      }
      const text = cx.temporary(sizeOf(argument.type), "argument");
      write(cx, argument, text);
      cx.b.store(data, i * 8, 8, addressOf(cx, text));
    });
    const place = { kind: "map-value", map: format, offset: 0 } as const;
    const status = cx.b.call(
      "seq_printf",
      iterationFile(cx),
      place,
      constant(text.length),
      data,
      constant(args.length * 8),
    );
    checkHelper(cx, "seq_printf", status);
  });
}
