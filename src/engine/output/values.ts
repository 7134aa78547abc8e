/**
 * Values of every type as text, compiled: a type becomes, once, a closure that writes what lies at an offset.
 *
 *   5  -3  true  text  0xffff0123  [1,2,3]  (1, text)  { .a = 1, .b = 2 }
 */
import { type Field, sizeOf, type Type, tupleLayout } from "../compile/types.ts";
import { ByteWriter } from "./bytes.ts";
import type { ClockId, OutputContext } from "./context.ts";
import { inetText, macText } from "./inet.ts";
import { stackWriter, writeKernelSymbol, writeUserSymbol } from "./stacks.ts";
import { strftime } from "./strftime.ts";

export type ValueWriter = (view: DataView, offset: number, out: ByteWriter, context: OutputContext) => void;
export type ValueReader = (view: DataView, offset: number, context: OutputContext) => string;

type Of<K extends Type["kind"]> = Extract<Type, { kind: K }>;

/** Bytes of a string before its NUL. */
export function stringLength(view: DataView, offset: number, size: number): number {
  let end = offset;
  while (end < offset + size && view.getUint8(end) !== 0) end++;
  return end - offset;
}

/** A string that fills its room to the last byte before the terminator, or has none, was cut: it gets the trailer. */
function stringWriter(type: Of<"string">): ValueWriter {
  return (view, offset, out, context) => {
    const length = stringLength(view, offset, type.size);
    out.data(view, offset, offset + length);
    if (length === type.size && length > 0) out.text(context.truncationTrailer);
  };
}

function integerWriter(type: Of<"int">): ValueWriter {
  if (type.enum) {
    const { names } = type.enum;
    return (view, offset, out) => {
      const value = readInteger(view, offset, type);
      const name = names.get(value) ?? names.get(BigInt.asIntN(type.size * 8, value));
      out.ascii(name ?? String(BigInt.asUintN(type.size * 8, value)));
    };
  }
  const { signed } = type;
  switch (type.size) {
    case 1:
      return signed
        ? (view, offset, out) => out.decimal(view.getInt8(offset))
        : (view, offset, out) => out.decimal(view.getUint8(offset));
    case 2:
      return signed
        ? (view, offset, out) => out.decimal(view.getInt16(offset, true))
        : (view, offset, out) => out.decimal(view.getUint16(offset, true));
    case 4:
      return signed
        ? (view, offset, out) => out.decimal(view.getInt32(offset, true))
        : (view, offset, out) => out.decimal(view.getUint32(offset, true));
    case 8:
      return (view, offset, out) => out.decimal64(view, offset, signed);
  }
}

/** An integer of any width, extended by its sign. */
export function readInteger(view: DataView, offset: number, type: { size: number; signed: boolean }): bigint {
  switch (type.size) {
    case 1:
      return BigInt(type.signed ? view.getInt8(offset) : view.getUint8(offset));
    case 2:
      return BigInt(type.signed ? view.getInt16(offset, true) : view.getUint16(offset, true));
    case 4:
      return BigInt(type.signed ? view.getInt32(offset, true) : view.getUint32(offset, true));
    default:
      return type.signed ? view.getBigInt64(offset, true) : view.getBigUint64(offset, true);
  }
}

/** The value of a bit-field, extended by its sign. */
export function readBitField(
  view: DataView,
  offset: number,
  type: Of<"int">,
  bit: NonNullable<Field["bit"]>,
): bigint {
  const unit = readInteger(view, offset, { size: type.size, signed: false });
  const value = unit >> BigInt(bit.offset);
  return type.signed ? BigInt.asIntN(bit.width, value) : BigInt.asUintN(bit.width, value);
}

function fieldWriter(field: Field): ValueWriter {
  const { type, bit } = field;
  if (!bit || type.kind !== "int") return valueWriter(type);
  return (view, offset, out) => {
    const value = readBitField(view, offset, type, bit);
    out.ascii(type.enum?.names.get(value) ?? String(value));
  };
}

/** `{ .a = 1, .b = 2 }`, from offsets and writers that are made when the first value is printed. */
function recordWriter(fields: () => { name: string; offset: number; write: ValueWriter }[]): ValueWriter {
  let compiled: ReturnType<typeof fields> | undefined;
  return (view, offset, out, context) => {
    compiled ??= fields();
    if (compiled.length === 0) return out.ascii("{}");
    let separator = "{ .";
    for (const field of compiled) {
      out.ascii(separator);
      out.text(field.name);
      out.ascii(" = ");
      field.write(view, offset + field.offset, out, context);
      separator = ", .";
    }
    out.ascii(" }");
  };
}

function tupleWriter(type: Of<"tuple">): ValueWriter {
  const { offsets } = tupleLayout(type.elements);
  const { names } = type;
  if (names) {
    return recordWriter(() =>
      type.elements.map((element, i) => ({
        name: names[i],
        offset: offsets[i],
        write: valueWriter(element),
      })),
    );
  }
  const write = sequenceWriter(type.elements.map(valueWriter), offsets, ", ");
  return (view, offset, out, context) => {
    out.ascii("(");
    write(view, offset, out, context);
    out.ascii(")");
  };
}

function sequenceWriter(writers: ValueWriter[], offsets: number[], separator: string): ValueWriter {
  return (view, offset, out, context) => {
    for (let i = 0; i < writers.length; i++) {
      if (i > 0) out.ascii(separator);
      writers[i](view, offset + offsets[i], out, context);
    }
  };
}

function arrayWriter(type: Of<"array">): ValueWriter {
  const size = sizeOf(type.of);
  const element = valueWriter(type.of);
  return (view, offset, out, context) => {
    out.ascii("[");
    for (let i = 0; i < type.length; i++) {
      if (i > 0) out.ascii(",");
      element(view, offset + i * size, out, context);
    }
    out.ascii("]");
  };
}

/** Printable characters as they are, other bytes as \xNN. */
export function writeBuffer(view: DataView, offset: number, out: ByteWriter): void {
  const length = view.getUint32(offset, true);
  for (let i = offset + 4; i < offset + 4 + length; i++) {
    const byte = view.getUint8(i);
    if (byte >= 0x20 && byte <= 0x7e) out.byte(byte);
    else out.escaped(byte);
  }
}

function writePointer(view: DataView, offset: number, out: ByteWriter): void {
  out.ascii(`0x${view.getBigUint64(offset, true).toString(16)}`);
}

/** What the kernel merged to one integer: a count or sum that was read into a value. */
const aggregateInteger = (signed: boolean): ValueWriter => integerWriter({ kind: "int", size: 8, signed });

const WRITERS: { [K in Type["kind"]]: (type: Of<K>) => ValueWriter } = {
  void: () => (_view, _offset, out) => out.ascii("null"),
  int: integerWriter,
  bool: () => (view, offset, out) => out.ascii(view.getUint8(offset) ? "true" : "false"),
  string: stringWriter,
  buffer: () => writeBuffer,
  pointer: () => writePointer,
  array: arrayWriter,
  struct: (type) =>
    recordWriter(() =>
      type
        .layout()
        .fields.map((field) => ({ name: field.name, offset: field.offset, write: fieldWriter(field) })),
    ),
  tuple: tupleWriter,
  stack: stackWriter,
  ksym: () => writeKernelSymbol,
  usym: () => writeUserSymbol,
  inet: () => (view, offset, out) => out.ascii(inetText(view, offset)),
  macaddr: () => (view, offset, out) => out.ascii(macText(view, offset)),
  timestamp: () => (view, offset, out, context) => {
    const clock = view.getUint32(offset + 12, true) as ClockId;
    const time = context.realtime(view.getBigUint64(offset, true), clock);
    out.text(strftime(context.strings[view.getUint32(offset + 8, true)], time));
  },
  cgroupPath: () => (view, offset, out, context) => {
    const filter = view.getUint32(offset + 8, true);
    out.name(context.cgroupPath(view.getBigUint64(offset, true), filter ? context.strings[filter - 1] : "*"));
  },
  username: () => (view, offset, out, context) =>
    out.name(context.username(view.getUint32(offset, true)) ?? ""),
  probe: () => (view, offset, out, context) => out.name(context.probes[view.getUint32(offset, true)] ?? ""),
  count: () => aggregateInteger(false),
  sum: (type) => aggregateInteger(type.signed),
  min: (type) => aggregateInteger(type.signed),
  max: (type) => aggregateInteger(type.signed),
  avg: (type) => aggregateInteger(type.signed),
  stats: (type) => aggregateInteger(type.signed),
  hist: () => (_view, _offset, out) => out.ascii("null"),
  lhist: () => (_view, _offset, out) => out.ascii("null"),
  tseries: () => (_view, _offset, out) => out.ascii("null"),
};

/** Writes values of the type. */
export const valueWriter = (type: Type): ValueWriter =>
  (WRITERS[type.kind] as (type: Type) => ValueWriter)(type);

const scratch = new ByteWriter(4096);

/** The same as text: what is not UTF-8 in it becomes U+FFFD, and nothing is escaped. */
export function valueReader(type: Type): ValueReader {
  const write = valueWriter(type);
  return (view, offset, context) => {
    scratch.clear();
    write(view, offset, scratch, context);
    return scratch.toString();
  };
}
