// USDT probes: notes that name places in a program where it has something to tell, and where its arguments are.
//
//   note "stapsdt", type 3:  u64 location, u64 base, u64 semaphore, then provider\0 name\0 arguments\0
//   arguments:               [-]size@operand, separated by spaces; "-" is signed
//
//   x86-64   $42   %rdi   %al   8(%rbp)   -4(%rbp,%rax,8)   sym(%rip)
//   arm64    42    x0     w1    [sp]      [sp, 96]

import type { ElfFile } from "./file.ts";

export type UsdtOperand =
  | { kind: "const"; value: bigint }
  /** `register` as `arch` names it; `width` in bytes and `shift` in bits for parts of registers such as %ah. */
  | { kind: "register"; register: string; width: number; shift: number }
  | { kind: "memory"; base: string; offset: number; index: string | undefined; scale: number }
  /** An address in the program itself. */
  | { kind: "global"; symbol: string; offset: number };

export interface UsdtArg {
  /** Bytes: 1, 2, 4, 8 (or 4 and 8 with "f" for floating point, which BPF can't compute with). */
  size: number;
  signed: boolean;
  float: boolean;
  operand: UsdtOperand;
  /** As written in the note. */
  text: string;
}

export interface UsdtProbe {
  provider: string;
  name: string;
  /** Linked address of the probe's instruction, corrected for prelinking. */
  address: number;
  /** The same in the file, for uprobes. */
  offset: number;
  /** File offset of the semaphore that must count above zero for the arguments to be prepared. */
  semaphoreOffset: number | undefined;
  /** For `parseUsdtArgs`. */
  args: string;
}

/** Widths and shifts of x86-64 register names, for the register they are part of. */
const x64Parts = new Map<string, { register: string; width: number; shift: number }>();
for (const name of ["ax", "bx", "cx", "dx"]) {
  x64Parts.set(`r${name}`, { register: name, width: 8, shift: 0 });
  x64Parts.set(`e${name}`, { register: name, width: 4, shift: 0 });
  x64Parts.set(name, { register: name, width: 2, shift: 0 });
  x64Parts.set(`${name[0]}l`, { register: name, width: 1, shift: 0 });
  x64Parts.set(`${name[0]}h`, { register: name, width: 1, shift: 8 });
}
for (const name of ["si", "di", "bp", "sp", "ip"]) {
  x64Parts.set(`r${name}`, { register: name, width: 8, shift: 0 });
  x64Parts.set(`e${name}`, { register: name, width: 4, shift: 0 });
  x64Parts.set(name, { register: name, width: 2, shift: 0 });
  x64Parts.set(`${name}l`, { register: name, width: 1, shift: 0 });
}
for (let i = 8; i <= 15; i++) {
  x64Parts.set(`r${i}`, { register: `r${i}`, width: 8, shift: 0 });
  x64Parts.set(`r${i}d`, { register: `r${i}`, width: 4, shift: 0 });
  x64Parts.set(`r${i}w`, { register: `r${i}`, width: 2, shift: 0 });
  x64Parts.set(`r${i}b`, { register: `r${i}`, width: 1, shift: 0 });
}

function x64Register(name: string): { register: string; width: number; shift: number } | undefined {
  return x64Parts.get(name);
}

function parseX64(text: string): UsdtOperand | undefined {
  if (/^\$-?(0x[0-9a-fA-F]+|\d+)$/.test(text)) return { kind: "const", value: integer(text.slice(1)) };
  const register = /^%(\w+)$/.exec(text);
  if (register) {
    const part = x64Register(register[1]);
    return part && { kind: "register", ...part };
  }
  const global = /^([A-Za-z_.$][\w.$@]*)?([-+]\d+)?\(%rip\)$/.exec(text);
  if (global) return { kind: "global", symbol: global[1] ?? "", offset: Number(global[2] ?? 0) };
  const memory = /^([-+]?(?:0x[0-9a-fA-F]+|\d+))?\(%(\w+)(?:,%(\w+)(?:,(\d))?)?\)$/.exec(
    text.replaceAll(" ", ""),
  );
  if (!memory) return undefined;
  const base = x64Register(memory[2]);
  const index = memory[3] === undefined ? undefined : x64Register(memory[3]);
  if (!base || (memory[3] !== undefined && !index)) return undefined;
  return {
    kind: "memory",
    base: base.register,
    offset: Number(integer(memory[1] ?? "0")),
    index: index?.register,
    scale: Number(memory[4] ?? 1),
  };
}

function parseArm64(text: string): UsdtOperand | undefined {
  if (/^-?(0x[0-9a-fA-F]+|\d+)$/.test(text)) return { kind: "const", value: integer(text) };
  const register = /^([xw])(\d+)$/.exec(text);
  if (register)
    return { kind: "register", register: `x${register[2]}`, width: register[1] === "x" ? 8 : 4, shift: 0 };
  if (text === "sp") return { kind: "register", register: "sp", width: 8, shift: 0 };
  const memory = /^\[(x\d+|sp|fp)(?:,\s*(-?\d+|x\d+))?\]$/.exec(text);
  if (!memory) return undefined;
  const second = memory[2];
  if (second?.startsWith("x")) return { kind: "memory", base: memory[1], offset: 0, index: second, scale: 1 };
  return { kind: "memory", base: memory[1], offset: Number(second ?? 0), index: undefined, scale: 1 };
}

function integer(text: string): bigint {
  return text.startsWith("-") ? -BigInt(text.slice(1)) : BigInt(text.replace(/^\+/, ""));
}

/** Splits an argument string: on spaces, but not within brackets. */
function splitArgs(text: string): string[] {
  return text.match(/-?\d+f?@(?:\[[^\]]*\]|\S*?\([^)]*\)|\S+)/g) ?? [];
}

/** Parses a note's argument string; arguments that are not understood throw RangeError. */
export function parseUsdtArgs(text: string, machine: "x64" | "arm64"): UsdtArg[] {
  return splitArgs(text).map((arg) => {
    const match = /^(-?)(\d+)(f?)@(.*)$/.exec(arg);
    const operand = match && (machine === "x64" ? parseX64(match[4]) : parseArm64(match[4]));
    if (!operand) throw new RangeError(`USDT argument "${arg}" is of a form not known`);
    return { size: Number(match[2]), signed: match[1] === "-", float: match[3] === "f", operand, text: arg };
  });
}

/** Every USDT probe of a file; a probe that stands in several places is listed for each. */
export function usdtProbes(elf: ElfFile): UsdtProbe[] {
  const base = elf.section(".stapsdt.base")?.addr;
  const probes: UsdtProbe[] = [];
  for (const note of elf.notes()) {
    if (note.name !== "stapsdt" || note.type !== 3 || note.desc.length < 27) continue;
    const [location, noteBase, semaphore] = [0, 8, 16].map((at) => Number(note.desc.readBigUInt64LE(at)));
    const [provider = "", name = "", args = ""] = note.desc.toString("utf8", 24).split("\0");
    // Prelinking moves addresses without rewriting notes: by as much as it moved .stapsdt.base.
    const moved = base === undefined || noteBase === 0 ? 0 : base - noteBase;
    const address = location + moved;
    const offset = elf.fileOffset(address);
    if (offset === undefined) continue;
    probes.push({
      provider,
      name,
      address,
      offset,
      semaphoreOffset: semaphore === 0 ? undefined : elf.fileOffset(semaphore + moved),
      args,
    });
  }
  return probes;
}
