// Where a USDT probe's arguments are, as its note tells in the assembler's own words:
//
//   [-]size[f]@operand, separated by spaces; "-" is signed, "f" floating point
//
//   x86-64   $42   %rdi   %al   8(%rbp)   -4(%rbp,%rax,8)   table(,%rax,4)   4+counter(%rip)
//   arm64    42    x0     wzr   [sp]      [sp, 96]          [x0, x1, lsl 3]  [x0, w1, sxtw 2]
//
// The size before the @ governs: the register may be named by a wider or narrower alias.

import { archFor } from "../arch.ts";

/** Part of a register: `register` as `arch` names it, bytes from `shift` bits up. */
export interface UsdtRegister {
  register: string;
  width: number;
  shift: number;
}

export type UsdtOperand =
  | { kind: "const"; value: bigint; symbol?: string }
  | ({ kind: "register" } & UsdtRegister)
  /** At base + index × scale + offset + the address of `symbol`. */
  | {
      kind: "memory";
      base?: string;
      offset: number;
      index?: UsdtRegister & { signed: boolean; scale: number };
      symbol?: string;
    };

export interface UsdtArg {
  /** Bytes: 1, 2, 4 or 8. */
  size: number;
  signed: boolean;
  /** The bits of a floating-point number, which BPF can't compute with. */
  float: boolean;
  operand: UsdtOperand;
  /** As written in the note. */
  text: string;
}

export type UsdtMachine = "x64" | "arm64";

const x64Parts = new Map<string, UsdtRegister>();
const whole = (register: string, width = 8): UsdtRegister => ({ register, width, shift: 0 });
for (const name of ["ax", "bx", "cx", "dx", "si", "di", "bp", "sp", "ip"]) {
  x64Parts.set(`r${name}`, whole(name)).set(`e${name}`, whole(name, 4)).set(name, whole(name, 2));
  const letter = /^[abcd]x$/.test(name) ? name[0] : undefined;
  if (letter) x64Parts.set(`${letter}h`, { register: name, width: 1, shift: 8 });
  x64Parts.set(`${letter ?? name}l`, whole(name, 1));
}
for (let i = 8; i <= 15; i++) {
  const name = `r${i}`;
  x64Parts.set(name, whole(name)).set(`${name}d`, whole(name, 4));
  x64Parts.set(`${name}w`, whole(name, 2)).set(`${name}b`, whole(name, 1));
}

const arm64Names = archFor("arm64").registers;

function arm64Register(name: string): UsdtRegister | undefined {
  if (name === "wsp") return whole("sp", 4);
  const narrow = /^w(\d+)$/.exec(name);
  const wide = narrow ? `x${narrow[1]}` : name;
  return /^(x\d+|sp|fp|lr)$/.test(wide) && wide in arm64Names ? whole(wide, narrow ? 4 : 8) : undefined;
}

const INTEGER = /^[-+]?(?:0x[0-9a-f]+|\d+)$/i;
const SYMBOL = /^[A-Za-z_.][\w.$]*$/;

const integer = (text: string): bigint =>
  text.startsWith("-") ? -BigInt(text.slice(1)) : BigInt(text.replace(/^\+/, ""));

/** "-4+table", "table", "8": a number and at most one symbol. */
function parseSum(text: string): { value: bigint; symbol?: string } | undefined {
  let value = 0n;
  let symbol: string | undefined;
  for (const term of text.match(/[-+]?[^-+]+/g) ?? []) {
    const name = term.replace(/^\+/, "");
    if (INTEGER.test(term)) value += integer(term);
    else if (symbol === undefined && SYMBOL.test(name)) symbol = name;
    else return undefined;
  }
  return symbol === undefined ? { value } : { value, symbol };
}

function parseX64(text: string): UsdtOperand | undefined {
  if (text.startsWith("%")) {
    const part = x64Parts.get(text.slice(1));
    return part && { kind: "register", ...part };
  }
  if (text.startsWith("$")) {
    const sum = parseSum(text.slice(1));
    return sum && { kind: "const", ...sum };
  }
  const parts = /^([^(]*)(?:\((?:%(\w+))?(?:,%(\w+)(?:,([1248]))?)?\))?$/.exec(text.replaceAll(" ", ""));
  const sum = parts && parseSum(parts[1]);
  if (!sum || text === "") return undefined;
  const [, , baseName, indexName, scale = "1"] = parts;
  const base = baseName === undefined ? undefined : x64Parts.get(baseName);
  const index = indexName === undefined ? undefined : x64Parts.get(indexName);
  if ((baseName && !base) || (indexName && !index)) return undefined;
  return {
    kind: "memory",
    offset: Number(sum.value),
    ...(base && { base: base.register }),
    ...(index && { index: { ...index, signed: false, scale: Number(scale) } }),
    ...(sum.symbol !== undefined && { symbol: sum.symbol }),
  };
}

function parseArm64(text: string): UsdtOperand | undefined {
  const plain = text.replaceAll("#", "");
  if (INTEGER.test(plain)) return { kind: "const", value: integer(plain) };
  if (/^[xw]zr$/.test(plain)) return { kind: "const", value: 0n };
  const register = arm64Register(plain);
  if (register) return { kind: "register", ...register };
  const inside = /^\[([^\]]+)\]$/.exec(plain)?.[1].split(/\s*,\s*/);
  const base = inside && arm64Register(inside[0]);
  if (!base || inside.length > 3) return undefined;
  const [, second, extend] = inside;
  if (second === undefined || INTEGER.test(second)) {
    if (extend !== undefined) return undefined;
    return { kind: "memory", base: base.register, offset: Number(integer(second ?? "0")) };
  }
  const index = arm64Register(second);
  const how = /^(lsl|sxtw|uxtw|sxtx)(?:\s+(\d))?$/.exec(extend ?? "lsl");
  if (!index || !how) return undefined;
  const scale = 1 << Number(how[2] ?? 0);
  return {
    kind: "memory",
    base: base.register,
    offset: 0,
    index: { ...index, signed: how[1] === "sxtw", scale },
  };
}

/** Splits an argument string: on spaces, but not within brackets. */
export const splitUsdtArgs = (text: string): string[] =>
  text.match(/-?\d+f?@(?:\[[^\]]*\]|[^\s(]*\([^)]*\)|\S+)/g) ?? [];

/** One argument; RangeError when it is of a form not known. */
export function parseUsdtArg(text: string, machine: UsdtMachine): UsdtArg {
  const match = /^(-?)([1248])(f?)@(.*)$/.exec(text);
  const operand = match && (machine === "x64" ? parseX64(match[4]) : parseArm64(match[4]));
  if (!operand) throw new RangeError(`USDT argument "${text}" is of a form not known`);
  return { size: Number(match[2]), signed: match[1] === "-", float: match[3] === "f", operand, text };
}

/** Parses a note's argument string; arguments that are not understood throw RangeError. */
export const parseUsdtArgs = (text: string, machine: UsdtMachine): UsdtArg[] =>
  splitUsdtArgs(text).map((arg) => parseUsdtArg(arg, machine));

/**
 * Puts numbers in the place of symbols: behind (%rip) the distance from the probe, as the register holds the probe's own
 * address there; elsewhere the linked address, which only programs that are not movable use. Symbols that `addressOf`
 * does not know stay.
 */
export function resolveUsdtSymbols(
  text: string,
  probeAddress: number,
  addressOf: (symbol: string) => number | undefined,
): string {
  if (!/[A-Za-z_]/.test(text.replace(/%\w+|\d+f?@|0x[0-9a-f]+/gi, ""))) return text;
  return splitUsdtArgs(text)
    .map((arg) => {
      const at = arg.indexOf("@") + 1;
      const rest = /^(\$?)([^(]*)(.*)$/.exec(arg.slice(at))!;
      const sum = rest[2].startsWith("%") || rest[2].startsWith("[") ? undefined : parseSum(rest[2]);
      const address = sum?.symbol === undefined ? undefined : addressOf(sum.symbol);
      if (sum === undefined || address === undefined) return arg;
      const from = rest[3].startsWith("(%rip") ? probeAddress : 0;
      return `${arg.slice(0, at)}${rest[1]}${sum.value + BigInt(address - from)}${rest[3]}`;
    })
    .join(" ");
}
