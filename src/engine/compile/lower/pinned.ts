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

/** The format as bpf_seq_printf takes it, and which arguments are characters to be written as strings (before Linux 5.15). */
function kernelFormat(
  { target }: Cx,
  format: string,
  args: readonly TypedExpression[],
  statement: TypedStatement,
): { text: string; characters: ReadonlySet<number> } {
  const characters = new Set<number>();
  let at = 0;
  const text = format.replace(CONVERSION, (whole, flags: string = "", length: string, specifier: string) => {
    if (whole === "%%") return whole;
    if (specifier === undefined)
      throw new NotSupported(
        "a pinned iterator is printed by the kernel, which knows %d %i %u %x %X %c %s %p, with l or ll and a width",
        statement.span,
      );
    const argument = args[at++];
    if (specifier === "X" && !target.can("seqUpperHex"))
      throw new NotSupported(
        `%X in a pinned iterator needs Linux 5.13, and this is ${target.kernel.release}: %x works`,
        statement.span,
      );
    if (specifier === "c" && !target.can("seqCharacter")) {
      characters.add(at - 1);
      return `%${flags}s`;
    }
    const long = length ? "ll" : "";
    if (specifier === "p") return `0x%${flags}llx`;
    if (specifier !== "s") return `%${flags}${specifier === "c" ? "" : long}${specifier}`;
    if (argument.type.kind === "string") return `%${flags}s`;
    if (isScalar(argument.type)) return `%${flags}lld`;
    throw new NotSupported("a pinned iterator can print numbers and strings", argument.span);
  });
  return { text, characters };
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
  const { text: converted, characters } = kernelFormat(cx, action.format, args, statement);
  const text = new TextEncoder().encode(`${converted}\0`);
  const format = cx.layout.constants(`format_${cx.layout.maps.length}`, text);
  cx.scope(() => {
    const data = cx.b.slot(Math.max(8, args.length * 8), "printf arguments");
    args.forEach((argument, i) => {
      if (characters.has(i)) {
        const character = cx.b.slot(8, "character");
        cx.b.store(character, 0, 8, cx.b.alu("and", scalar(cx, argument), constant(0xff)));
        cx.b.store(data, i * 8, 8, character);
        return;
      }
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
