/**
 * printf formats, compiled once: a format and the types of its arguments become a closure that writes a record's line.
 *
 * Conversions are C's, plus those for bpftrace's own types:
 *   %s of anything · %r %rx %rh of buffers · %gr of allocation flags.
 * As in C, an integer conversion without a length modifier sees 32 bits: nsecs wants %lu or %llu.
 */
import type { Type } from "../compile/types.ts";
import type { ByteWriter } from "./bytes.ts";
import type { OutputContext } from "./context.ts";
import { gfpFlags } from "./gfpFlags.ts";
import { hexAddress } from "./stacks.ts";
import { readInteger, type ValueWriter, valueWriter, writeBuffer } from "./values.ts";

/** One piece of a format: literal text, or a conversion. */
export type FormatPart = string | Conversion;

export interface Conversion {
  left: boolean;
  plus: boolean;
  space: boolean;
  alternate: boolean;
  zeros: boolean;
  width: number;
  /** -1: none given. */
  precision: number;
  length: string;
  specifier: string;
}

const CONVERSION =
  /%([-+ #0]*)(\d+|\*)?(?:\.(\d+|\*)?)?(hh|h|ll|l|L|j|z|t)?(gr|rh|rx|[diouxXeEfFgGaAcspr%])/g;

const numberOf = (text: string | undefined, absent: number): number =>
  text === undefined || text === "*" ? absent : Number(text);

/** Splits a format. What is no conversion stays text. */
export function parseFormat(format: string): FormatPart[] {
  const parts: FormatPart[] = [];
  let text = "";
  let last = 0;
  for (const match of format.matchAll(CONVERSION)) {
    text += format.slice(last, match.index);
    last = match.index + match[0].length;
    const [whole, flags, width, precision, length = "", specifier] = match;
    if (specifier === "%") {
      text += "%";
      continue;
    }
    if (text) parts.push(text);
    text = "";
    parts.push({
      left: flags.includes("-"),
      plus: flags.includes("+"),
      space: flags.includes(" "),
      alternate: flags.includes("#"),
      zeros: flags.includes("0"),
      width: numberOf(width, 0),
      precision: whole.includes(".") ? numberOf(precision, 0) : -1,
      length,
      specifier,
    });
  }
  text += format.slice(last);
  if (text) parts.push(text);
  return parts;
}

const LENGTH_BITS: Record<string, number> = {
  hh: 8,
  h: 16,
  "": 32,
  l: 64,
  ll: 64,
  L: 64,
  j: 64,
  z: 64,
  t: 64,
};

interface IntegerShape {
  size: number;
  signed: boolean;
}

/** How an argument is read as an integer. */
function integerShape(type: Type): IntegerShape {
  switch (type.kind) {
    case "int":
      return type;
    case "bool":
      return { size: 1, signed: false };
    case "username":
    case "probe":
      return { size: 4, signed: false };
    case "sum":
    case "min":
    case "max":
    case "avg":
    case "stats":
      return { size: 8, signed: type.signed };
    default:
      return { size: 8, signed: false };
  }
}

const RADIX: Record<string, number> = { d: 10, i: 10, u: 10, o: 8, x: 16, X: 16 };

/** Sign or base prefix, digits to the precision, zeros to the width: C's rules. */
function integerText(value: bigint, conversion: Conversion): string {
  const { specifier, precision } = conversion;
  const negative = value < 0n;
  let digits = (negative ? -value : value).toString(RADIX[specifier]);
  if (specifier === "X") digits = digits.toUpperCase();
  if (precision >= 0) digits = precision === 0 && value === 0n ? "" : digits.padStart(precision, "0");
  let prefix = "";
  if (specifier === "d" || specifier === "i") {
    prefix = negative ? "-" : conversion.plus ? "+" : conversion.space ? " " : "";
  } else if (conversion.alternate && value !== 0n) {
    if (specifier === "o") digits = digits.startsWith("0") ? digits : `0${digits}`;
    else if (specifier !== "u") prefix = `0${specifier}`;
  }
  if (conversion.zeros && !conversion.left && precision < 0) {
    digits = digits.padStart(conversion.width - prefix.length, "0");
  }
  return prefix + digits;
}

function integerConversion(conversion: Conversion, type: Type): ValueWriter {
  const { specifier } = conversion;
  const signed = specifier === "d" || specifier === "i";
  const shape = integerShape(type);
  const bits = LENGTH_BITS[conversion.length];
  const plain =
    RADIX[specifier] === 10 &&
    !conversion.plus &&
    !conversion.space &&
    !(conversion.zeros && conversion.width > 0) &&
    conversion.precision < 0;
  if (plain && bits === 64 && shape.size === 8) {
    return (view, offset, out) => out.decimal64(view, offset, signed);
  }
  if (plain && bits === 32 && shape.size >= 4) {
    return signed
      ? (view, offset, out) => out.decimal(view.getInt32(offset, true))
      : (view, offset, out) => out.decimal(view.getUint32(offset, true));
  }
  if (plain && bits >= 32 && shape.size < 4 && (signed || !shape.signed)) {
    return valueWriter({ kind: "int", size: shape.size as 1 | 2, signed: shape.signed });
  }
  const wrap = signed ? BigInt.asIntN : BigInt.asUintN;
  return (view, offset, out) => {
    out.ascii(integerText(wrap(bits, readInteger(view, offset, shape)), conversion));
  };
}

function characterConversion(type: Type): ValueWriter {
  const shape = integerShape(type);
  const byte = new DataView(new ArrayBuffer(1));
  return (view, offset, out) => {
    byte.setUint8(0, Number(readInteger(view, offset, shape) & 0xffn));
    out.data(byte, 0, 1);
  };
}

function pointerConversion(type: Type): ValueWriter {
  const shape = integerShape(type);
  return (view, offset, out) => out.ascii(hexAddress(BigInt.asUintN(64, readInteger(view, offset, shape))));
}

function flagsConversion(type: Type): ValueWriter {
  const shape = integerShape(type);
  return (view, offset, out) =>
    out.ascii(gfpFlags(BigInt.asUintN(shape.size * 8, readInteger(view, offset, shape))));
}

function hexBuffer(escaped: boolean): ValueWriter {
  return (view, offset, out) => {
    const length = view.getUint32(offset, true);
    for (let i = 0; i < length; i++) {
      const byte = view.getUint8(offset + 4 + i);
      if (escaped) out.escaped(byte);
      else {
        if (i > 0) out.byte(0x20);
        out.hexByte(byte);
      }
    }
  };
}

const bufferOr =
  (make: (type: Type) => ValueWriter) =>
  (_conversion: Conversion, type: Type): ValueWriter =>
    type.kind === "buffer" ? make(type) : valueWriter(type);

/** Specifier → what it makes of an argument's type. */
const CONVERSIONS: Record<string, (conversion: Conversion, type: Type) => ValueWriter> = {
  d: integerConversion,
  i: integerConversion,
  u: integerConversion,
  o: integerConversion,
  x: integerConversion,
  X: integerConversion,
  c: (_conversion, type) => characterConversion(type),
  p: (_conversion, type) => pointerConversion(type),
  s: (conversion, type) => limited(valueWriter(type), conversion.precision),
  r: bufferOr(() => writeBuffer),
  rx: bufferOr(() => hexBuffer(true)),
  rh: bufferOr(() => hexBuffer(false)),
  gr: (_conversion, type) => flagsConversion(type),
};

function limited(write: ValueWriter, precision: number): ValueWriter {
  if (precision < 0) return write;
  return (view, offset, out, context) => {
    const start = out.length;
    write(view, offset, out, context);
    out.length = Math.min(out.length, start + precision);
  };
}

/** Pads what a writer wrote to the width, in bytes as C does. */
function padded(write: ValueWriter, width: number, left: boolean): ValueWriter {
  if (width === 0) return write;
  return (view, offset, out, context) => {
    const start = out.length;
    write(view, offset, out, context);
    const missing = width - (out.length - start);
    if (missing <= 0) return;
    out.reserve(missing);
    const end = out.length;
    out.length += missing;
    if (left) {
      out.bytes.fill(0x20, end, out.length);
    } else {
      out.bytes.copyWithin(start + missing, start, end);
      out.bytes.fill(0x20, start, start + missing);
    }
  };
}

export type LineWriter = (view: DataView, base: number, out: ByteWriter, context: OutputContext) => void;

/** Compiles a format for arguments that lie at these offsets from a record's start. */
export function formatWriter(format: string, args: readonly { type: Type; offset: number }[]): LineWriter {
  const steps: LineWriter[] = [];
  let next = 0;
  for (const part of parseFormat(format)) {
    if (typeof part === "string") {
      const bytes = new TextEncoder().encode(part);
      steps.push(bytes.length === 1 ? (_v, _b, out) => out.byte(bytes[0]) : (_v, _b, out) => out.raw(bytes));
      continue;
    }
    const argument = args[next++];
    if (!argument) continue;
    const { offset } = argument;
    const convert = CONVERSIONS[part.specifier] ?? CONVERSIONS.s;
    const write = padded(convert(part, argument.type), part.width, part.left);
    steps.push((view, base, out, context) => write(view, base + offset, out, context));
  }
  if (steps.length === 1) return steps[0];
  return (view, base, out, context) => {
    for (let i = 0; i < steps.length; i++) steps[i](view, base, out, context);
  };
}
