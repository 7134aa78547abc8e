/** Functions that read memory, compare text, and name addresses. */

import { archFor } from "libbpf-ts/arch";
import type { UserSymbol } from "../../kernel.ts";
import { bytesToText, textToBytes } from "../../parse/bytes.ts";
import type { Attach, TypedExpression } from "../../typed.ts";
import { INT64, type IntType, int, sizeOf, type Type, UINT64 } from "../../types.ts";
import { asArray } from "../access.ts";
import type { Context } from "../context.ts";
import { convert } from "../convert.ts";
import { describe } from "../describe.ts";
import { didYouMean } from "../nearest.ts";
import { isUnknown, withSpace } from "../promote.ts";
import { contains, placeIn } from "../search.ts";
import {
  address,
  addressIn,
  asPointer,
  type CallExpression,
  type CheckValue,
  integer,
  literalInteger,
  literalText,
  op,
  positionalText,
  source,
  text,
  value,
} from "./call.ts";

/** `length` bytes, the terminator counted, within max_strlen; a length known at run time only takes it all. */
function stringRoom(length: TypedExpression | undefined, cx: Context): number {
  if (length?.op !== "int") return cx.maxStrlen;
  return Math.min(cx.maxStrlen, Math.max(1, Number(length.value)));
}

function lengthArgument(call: CallExpression, index: number, cx: Context): TypedExpression | undefined {
  if (call.arguments.length <= index) return undefined;
  const length = integer(call, index, cx);
  if (length.op === "int" && length.value < 0n && !isUnknown(length.type))
    cx.error("argument-range", length.span, `the length of ${call.name}() cannot be negative`);
  return length;
}

/** A length as code generation takes it: only when it is not in the type already. */
const dynamic = (length: TypedExpression | undefined): TypedExpression[] =>
  length && length.op !== "int" ? [convert(length, UINT64) ?? length] : [];

export const str: CheckValue = (call, cx) => {
  const argument = source(call, 0, cx);
  if (!argument) return cx.unknown(call.span);
  const length = lengthArgument(call, 1, cx);
  if (argument.kind === "positional") return cut(positionalText(argument, cx), length, cx);
  if (argument.kind === "binary" && argument.operator === "+" && argument.left.kind === "positional") {
    const whole = positionalText(argument.left, cx);
    const from = cx.constant(argument.right);
    if (whole.op === "string" && from !== undefined) {
      // One that was not given reads as empty, from wherever.
      if (from < 0n || (from > BigInt(whole.value.length) && whole.value !== ""))
        return cx.fail("argument-range", argument.span, `the parameter has ${whole.value.length} characters`);
      return cut(cx.string(whole.value.slice(Number(from)), call.span), length, cx);
    }
  }
  const data = value(call, 0, cx);
  if (isUnknown(data.type)) return data;
  if (data.type.kind === "string") return cut(data, length, cx);
  if (data.type.kind === "array")
    return op("str.array", [data], { kind: "string", size: Math.max(1, sizeOf(data.type)) }, call.span);
  if (data.type.kind !== "int" && data.type.kind !== "pointer")
    return cx.fail(
      "argument-type",
      data.span,
      `str() reads text from an address, and this is ${describe(data.type)}`,
    );
  return op(
    "str",
    [asPointer(data, cx), ...dynamic(length)],
    { kind: "string", size: stringRoom(length, cx) },
    call.span,
  );
};

/** Text that is a string already, shortened when a length says so. */
function cut(typed: TypedExpression, length: TypedExpression | undefined, cx: Context): TypedExpression {
  if (length?.op !== "int" || typed.type.kind !== "string") return typed;
  const room = stringRoom(length, cx);
  if (typed.op === "string") {
    const bytes = textToBytes(typed.value);
    return bytes.length < room ? typed : cx.string(bytesToText(bytes.subarray(0, room - 1)), typed.span);
  }
  if (typed.type.size <= room) return typed;
  return { op: "cast", operand: typed, type: { kind: "string", size: room }, span: typed.span };
}

export const buf: CheckValue = (call, cx) => {
  const data = asArray(value(call, 0, cx));
  const length = lengthArgument(call, 1, cx);
  if (isUnknown(data.type)) return data;
  const { kind } = data.type;
  if (kind === "array" || (kind === "string" && length)) {
    const most = sizeOf(data.type);
    const size = length?.op === "int" ? Math.min(most, Number(length.value)) : most;
    return op("buf", [data, ...dynamic(length)], { kind: "buffer", size }, call.span);
  }
  if (kind !== "int" && kind !== "pointer")
    return cx.fail(
      "argument-type",
      data.span,
      `buf() reads bytes from an address or an array, and this is ${describe(data.type)}`,
    );
  if (!length)
    return cx.fail("argument-count", call.span, "buf() of an address needs a length", "buf(address, length)");
  const size = length.op === "int" ? Math.min(cx.maxStrlen, Math.max(0, Number(length.value))) : cx.maxStrlen;
  return op("buf", [asPointer(data, cx), ...dynamic(length)], { kind: "buffer", size }, call.span);
};

export const strncmp: CheckValue = (call, cx) => {
  const left = text(call, 0, cx);
  const right = text(call, 1, cx);
  const length = literalInteger(call, 2, cx);
  if (length === undefined || isUnknown(left.type) || isUnknown(right.type)) return cx.unknown(call.span);
  if (length < 0n)
    return cx.fail("argument-range", call.span, "strncmp() compares a number of bytes that is not negative");
  if (left.op === "string" && right.op === "string") {
    const n = Number(length);
    return cx.int(left.value.slice(0, n) === right.value.slice(0, n) ? 0n : 1n, call.span, INT64 as IntType);
  }
  return op("strncmp", [left, right], INT64, call.span, { length: Number(length) });
};

export const strcontains: CheckValue = (call, cx) => {
  const haystack = text(call, 0, cx);
  const needle = text(call, 1, cx);
  if (isUnknown(haystack.type) || isUnknown(needle.type)) return cx.unknown(call.span);
  if (haystack.op === "string" && needle.op === "string")
    return cx.bool(haystack.value.includes(needle.value), call.span);
  return contains(haystack, needle, call.span);
};

export const strstr: CheckValue = (call, cx) => {
  const haystack = text(call, 0, cx);
  const needle = text(call, 1, cx);
  if (isUnknown(haystack.type) || isUnknown(needle.type)) return cx.unknown(call.span);
  return placeIn(haystack, needle, call.span);
};

export const strConcat: CheckValue = (call, cx) => {
  const left = text(call, 0, cx);
  const right = text(call, 1, cx);
  if (left.type.kind !== "string" || right.type.kind !== "string") return cx.unknown(call.span);
  const size = Math.max(1, left.type.size) + Math.max(1, right.type.size) - 1;
  return op("str_concat", [left, right], { kind: "string", size }, call.span);
};

export const strlen: CheckValue = (call, cx) => {
  const typed = text(call, 0, cx);
  if (isUnknown(typed.type)) return typed;
  if (typed.op === "string" && typed.type.kind === "string")
    return cx.int(BigInt(typed.type.size - 1), call.span, UINT64 as IntType);
  return op("strlen", [typed], UINT64, call.span);
};

export const strcap: CheckValue = (call, cx) => {
  const typed = text(call, 0, cx);
  return typed.type.kind === "string"
    ? cx.int(BigInt(typed.type.size - 1), call.span, INT64 as IntType)
    : typed;
};

export const ksym: CheckValue = (call, cx) => op("ksym", [address(call, 0, cx)], { kind: "ksym" }, call.span);
export const usym: CheckValue = (call, cx) => op("usym", [address(call, 0, cx)], { kind: "usym" }, call.span);

export const kaddr: CheckValue = (call, cx) => {
  const name = literalText(call, 0, cx);
  if (name === undefined) return cx.unknown(call.span);
  const found = cx.kernel.symbolAddress(name);
  if (found === undefined)
    return cx.fail(
      "unknown-symbol",
      call.span,
      `this kernel has no symbol ${name}, or does not show its address`,
      "addresses in /proc/kallsyms need CAP_SYSLOG or kernel.kptr_restrict=0",
    );
  return cx.int(BigInt.asUintN(64, found), call.span, addressIn("kernel"));
};

export const uaddr: CheckValue = (call, cx) => {
  const name = literalText(call, 0, cx);
  if (name === undefined) return cx.unknown(call.span);
  const { attach } = cx.group.probes[0];
  if (attach.kind !== "uprobe" && attach.kind !== "usdt")
    return cx.fail("not-here", call.span, "uaddr() works in uprobe, uretprobe and usdt probes only");
  const binary = cx.kernel.binaries(attach.path, cx.script.options.pid)[0];
  const symbols = binary?.symbols() ?? [];
  const symbol = binary?.symbol?.(name) ?? symbols.find((candidate) => candidate.name === name);
  if (!symbol)
    return cx.fail(
      "unknown-symbol",
      call.span,
      `there is no symbol ${name} in ${attach.path}`,
      didYouMean(
        name,
        symbols.map((s) => s.name),
      ),
    );
  const at = binary.movable
    ? loadedAddress(symbol, attach, symbols, call, cx)
    : cx.int(BigInt(symbol.address), call.span, addressIn("user"));
  if (isUnknown(at.type)) return at;
  const size = [1, 2, 4, 8].includes(symbol.size) ? (symbol.size as IntType["size"]) : 8;
  return {
    op: "cast",
    operand: at,
    type: { kind: "pointer", to: int(size, false), space: "user" },
    span: call.span,
  };
};

const RETURN_KNOWS_ITS_FUNCTION = 6 * 1000 + 6;

/** Where a symbol is while the program runs: as far from the probe as in the file. */
function loadedAddress(
  symbol: UserSymbol,
  attach: Attach & { kind: "uprobe" | "usdt" },
  symbols: readonly UserSymbol[],
  call: CallExpression,
  cx: Context,
): TypedExpression {
  const [major, minor] = cx.kernel.version;
  if (attach.kind === "uprobe" && attach.return && major * 1000 + minor < RETURN_KNOWS_ITS_FUNCTION)
    return cx.fail(
      "not-here",
      call.span,
      "where a position-independent program is loaded is not known when a function returns",
      "call uaddr() in the function's uprobe and keep the address in a map; Linux 6.6 does without",
    );
  const near = symbols.reduce<UserSymbol | undefined>(
    (best, s) => (s.offset <= attach.offset && (!best || s.offset > best.offset) ? s : best),
    undefined,
  );
  const linked = attach.offset + (near ? near.address - near.offset : 0);
  const probe: TypedExpression = { op: "builtin", name: "func", type: addressIn("user"), span: call.span };
  const distance = cx.int(BigInt(symbol.address - linked), call.span, INT64 as IntType);
  return {
    op: "binary",
    operator: "+",
    left: probe,
    right: distance,
    type: addressIn("user"),
    span: call.span,
  };
}

/** kptr() and uptr(): the same address, said to lead elsewhere. */
const inSpace =
  (space: "kernel" | "user"): CheckValue =>
  (call, cx) => {
    const typed = address(call, 0, cx);
    if (typed.type.kind === "pointer")
      return { op: "cast", operand: typed, type: { ...typed.type, space }, span: call.span };
    if (typed.type.kind === "int") return { ...typed, type: withSpace(typed.type, space), span: call.span };
    return typed;
  };
export const kptr = inSpace("kernel");
export const uptr = inSpace("user");

export const reg: CheckValue = (call, cx) => {
  const name = literalText(call, 0, cx);
  if (name === undefined) return cx.unknown(call.span);
  const { row } = cx.group;
  if (!row.registers)
    return cx.fail(
      "not-here",
      call.span,
      `${row.name} probes have no registers to read`,
      "kprobe, uprobe and profile have them",
    );
  const names = new Set(Object.keys(archFor(cx.kernel.arch).registers));
  if (!names.has(name))
    return cx.fail(
      "unknown-register",
      call.span,
      `this processor has no register ${name}`,
      didYouMean(name, names) ?? `it has ${[...names].join(", ")}`,
    );
  return { op: "reg", name, type: withSpace(UINT64 as IntType, cx.space), span: call.span };
};

export const macaddr: CheckValue = (call, cx) => {
  const typed = asArray(value(call, 0, cx));
  const { type } = typed;
  if (isUnknown(type)) return typed;
  const right =
    type.kind === "int" ||
    type.kind === "pointer" ||
    ((type.kind === "array" || type.kind === "string") && sizeOf(type) === 6);
  if (!right)
    return cx.fail(
      "argument-type",
      typed.span,
      `macaddr() takes an address or 6 bytes, and this is ${describe(type)}`,
    );
  return op("macaddr", [asPointer(typed, cx)], { kind: "macaddr" }, call.span);
};

export const bswap: CheckValue = (call, cx) => {
  const typed = integer(call, 0, cx);
  if (typed.type.kind !== "int") return typed;
  const type = int(typed.type.size, false);
  if (typed.op === "int") {
    let swapped = 0n;
    const bits = BigInt(type.size * 8);
    for (let at = 0n; at < bits; at += 8n) swapped |= ((typed.value >> at) & 0xffn) << (bits - 8n - at);
    return cx.int(swapped, call.span, type);
  }
  if (type.size === 1) return convert(typed, type)!;
  return op("bswap", [typed], type, call.span);
};

const AF_INET = 2;
const AF_INET6 = 10;

export const ntop: CheckValue = (call, cx) => {
  const inet: Type = { kind: "inet" };
  const two = call.arguments.length === 2;
  const data = asArray(value(call, two ? 1 : 0, cx));
  if (isUnknown(data.type)) return data;
  const bytes =
    data.type.kind === "array" || data.type.kind === "string"
      ? sizeOf(data.type)
      : data.type.kind === "int"
        ? 4
        : structBytes(data.type);
  if (bytes !== 4 && bytes !== 16)
    return cx.fail(
      "argument-type",
      data.span,
      `ntop() takes a number, 4 bytes or 16 bytes, and this is ${describe(data.type)}`,
    );
  if (!two) return op("ntop", [data], inet, call.span, { family: bytes === 16 ? AF_INET6 : AF_INET });
  const family = integer(call, 0, cx);
  if (isUnknown(family.type)) return family;
  if (family.op === "int") {
    const known = Number(family.value);
    if (known !== AF_INET && known !== AF_INET6)
      return cx.fail(
        "argument-range",
        family.span,
        `ntop() knows address families ${AF_INET} (AF_INET) and ${AF_INET6} (AF_INET6), not ${known}`,
      );
    return op("ntop", [data], inet, call.span, { family: known });
  }
  return op("ntop.family", [family, data], inet, call.span);
};

/** in_addr and in6_addr are structs around the bytes. */
const structBytes = (type: Type): number => (type.kind === "struct" ? type.layout().size : 0);

export const pton: CheckValue = (call, cx) => {
  const written = literalText(call, 0, cx);
  if (written === undefined) return cx.unknown(call.span);
  const bytes = parseIp(written);
  if (!bytes) return cx.fail("argument-range", call.span, `"${written}" is no IPv4 or IPv6 address`);
  return {
    op: "bytes",
    value: bytes,
    type: { kind: "array", of: int(1, false), length: bytes.length },
    span: call.span,
  };
};

/** Bytes in network order; undefined when it is no address. */
export function parseIp(written: string): Uint8Array | undefined {
  if (!written.includes(":")) {
    const parts = written.split(".");
    if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256))
      return undefined;
    return Uint8Array.from(parts.map(Number));
  }
  let body = written;
  let tail: number[] = [];
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(written);
  if (dotted) {
    const four = parseIp(dotted[2]);
    if (!four) return undefined;
    tail = [...four];
    body = dotted[1].endsWith("::") ? dotted[1] : dotted[1].slice(0, -1);
  }
  const halves = body.split("::");
  if (halves.length > 2) return undefined;
  const words = (half: string): number[] | undefined => {
    if (half === "") return [];
    const list = half.split(":");
    return list.every((word) => /^[0-9a-f]{1,4}$/i.test(word))
      ? list.flatMap((word) => [Number.parseInt(word, 16) >> 8, Number.parseInt(word, 16) & 255])
      : undefined;
  };
  const head = words(halves[0]);
  const rest = halves.length === 2 ? words(halves[1]) : [];
  if (!head || !rest) return undefined;
  const gap = 16 - head.length - rest.length - tail.length;
  if (halves.length === 2 ? gap < 1 : gap !== 0) return undefined;
  return Uint8Array.from([...head, ...new Array<number>(gap).fill(0), ...rest, ...tail]);
}

export const cgroupid: CheckValue = (call, cx) => {
  const path = literalText(call, 0, cx);
  if (path === undefined) return cx.unknown(call.span);
  const id = cx.kernel.cgroupId(path);
  return id === undefined
    ? cx.fail(
        "unknown-cgroup",
        call.span,
        `there is no cgroup at ${path}`,
        "cgroup v2 is usually mounted at /sys/fs/cgroup",
      )
    : cx.int(id, call.span, UINT64 as IntType);
};

export const cgroupPath: CheckValue = (call, cx) => {
  const id = integer(call, 0, cx);
  const filter = call.arguments.length > 1 ? literalText(call, 1, cx) : undefined;
  return op(
    "cgroup_path",
    [convert(id, UINT64) ?? id],
    { kind: "cgroupPath" },
    call.span,
    filter ? { filter } : undefined,
  );
};

export const strftime: CheckValue = (call, cx) => {
  const format = literalText(call, 0, cx);
  const time = integer(call, 1, cx);
  if (format === undefined || isUnknown(time.type)) return cx.unknown(call.span);
  if (time.op === "int" && time.value < 0n)
    return cx.fail("argument-range", time.span, "a time is not negative");
  if (time.op === "builtin" && time.name === "nsecs.monotonic")
    return cx.fail(
      "argument-type",
      time.span,
      "strftime() cannot place CLOCK_MONOTONIC on the calendar",
      "use nsecs, or nsecs(boot)",
    );
  const clock = time.op === "builtin" && time.name === "nsecs.tai" ? 2 : 0;
  return op("strftime", [convert(time, UINT64) ?? time], { kind: "timestamp" }, call.span, { format, clock });
};

export const path: CheckValue = (call, cx) => {
  const typed = value(call, 0, cx);
  const length = lengthArgument(call, 1, cx);
  if (isUnknown(typed.type)) return typed;
  return op(
    "path",
    [typed],
    {
      kind: "string",
      size: length?.op === "int" ? Math.min(cx.maxStrlen, Number(length.value)) : cx.maxStrlen,
    },
    call.span,
  );
};

export const percpuKaddr: CheckValue = (call, cx) => {
  const name = literalText(call, 0, cx);
  if (name === undefined) return cx.unknown(call.span);
  const found = cx.kernel.symbolAddress(name);
  if (found === undefined) return cx.fail("unknown-symbol", call.span, `this kernel has no symbol ${name}`);
  const cpu = call.arguments.length > 1 ? [integer(call, 1, cx)] : [];
  const at = op("percpu_kaddr", cpu, addressIn("kernel"), call.span, { address: found });
  return { op: "cast", operand: at, type: { kind: "pointer", to: UINT64, space: "kernel" }, span: call.span };
};
