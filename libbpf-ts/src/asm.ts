// BPF instructions: making, encoding, decoding and printing them. Pure: bytes in, bytes out.
//
//   byte 0     byte 1            bytes 2-3   bytes 4-7
//   opcode     src:4 | dst:4     offset      immediate          (little endian)
//
//   opcode of arithmetic and jumps:  operation:4 | source:1 (0 immediate, 1 register) | class:3
//   opcode of loads and stores:      mode:3 | size:2 | class:3
//
// Loading a 64-bit constant takes two slots; the second one has the upper half of the constant as its immediate. Jump
// offsets count slots from the next instruction.

import { helperId, helperNames } from "./helpers.ts";

export { helperId, helperNames };

/** Register 0 to 9; 10 is the read-only frame pointer. */
export type Reg = number;

export interface Insn {
  op: number;
  dst: Reg;
  src: Reg;
  off: number;
  imm: number;
  /** Immediate of the second slot; its presence makes the instruction two slots long. */
  hi?: number;
}

export const Class = { ld: 0, ldx: 1, st: 2, stx: 3, alu32: 4, jmp: 5, jmp32: 6, alu64: 7 } as const;
export const Mode = { imm: 0x00, mem: 0x60, memsx: 0x80, atomic: 0xc0 } as const;

/** Access sizes by width in bytes. */
const sizeBits: Record<number, number> = { 4: 0x00, 2: 0x08, 1: 0x10, 8: 0x18 };
const sizeBytes: Record<number, number> = { 0: 4, 8: 2, 16: 1, 24: 8 };
export type Size = 1 | 2 | 4 | 8;

interface AluRow {
  code: number;
  sign: string;
  /** Signed division and modulo are told by the offset field (6.6). */
  off?: number;
}

/** Arithmetic operations. */
export const aluOps = {
  add: { code: 0x00, sign: "+=" },
  sub: { code: 0x10, sign: "-=" },
  mul: { code: 0x20, sign: "*=" },
  div: { code: 0x30, sign: "/=" },
  or: { code: 0x40, sign: "|=" },
  and: { code: 0x50, sign: "&=" },
  lsh: { code: 0x60, sign: "<<=" },
  rsh: { code: 0x70, sign: ">>=" },
  mod: { code: 0x90, sign: "%=" },
  xor: { code: 0xa0, sign: "^=" },
  mov: { code: 0xb0, sign: "=" },
  arsh: { code: 0xc0, sign: "s>>=" },
  sdiv: { code: 0x30, sign: "s/=", off: 1 },
  smod: { code: 0x90, sign: "s%=", off: 1 },
} as const satisfies Record<string, AluRow>;
export type AluOp = keyof typeof aluOps;

/** Conditions of jumps. */
export const jmpOps = {
  eq: { code: 0x10, sign: "==" },
  gt: { code: 0x20, sign: ">" },
  ge: { code: 0x30, sign: ">=" },
  set: { code: 0x40, sign: "&" },
  ne: { code: 0x50, sign: "!=" },
  sgt: { code: 0x60, sign: "s>" },
  sge: { code: 0x70, sign: "s>=" },
  lt: { code: 0xa0, sign: "<" },
  le: { code: 0xb0, sign: "<=" },
  slt: { code: 0xc0, sign: "s<" },
  sle: { code: 0xd0, sign: "s<=" },
} as const;
export type JmpOp = keyof typeof jmpOps;

/** The condition that holds when `op` does not; `set` has none. */
export const negatedJmp: Partial<Record<JmpOp, JmpOp>> = {
  eq: "ne",
  ne: "eq",
  gt: "le",
  le: "gt",
  ge: "lt",
  lt: "ge",
  sgt: "sle",
  sle: "sgt",
  sge: "slt",
  slt: "sge",
};

/** Atomic operations (5.12, add alone before; the last two 6.15); `fetch` leaves the old value in the source register. */
export const atomicOps = {
  add: 0x00,
  or: 0x40,
  and: 0x50,
  xor: 0xa0,
  fetch_add: 0x01,
  fetch_or: 0x41,
  fetch_and: 0x51,
  fetch_xor: 0xa1,
  xchg: 0xe1,
  cmpxchg: 0xf1,
  load_acquire: 0x100,
  store_release: 0x110,
} as const;
export type AtomicOp = keyof typeof atomicOps;

/** Kinds of 64-bit immediates, in the source register's field. */
export const Pseudo = {
  mapFd: 1,
  mapValue: 2,
  btfId: 3,
  func: 4,
  mapIdx: 5,
  mapIdxValue: 6,
} as const;

const SRC_REG = 0x08;
const CALL = { op: 0x85, helper: 0, subprog: 1, kfunc: 2 };

function insn(op: number, dst: Reg, src: Reg, off: number, imm: number): Insn {
  return { op, dst, src, off, imm };
}

function aluInsn(cls: number, op: AluOp, dst: Reg, src: Reg | undefined, imm: number): Insn {
  const row: AluRow = aluOps[op];
  return insn(row.code | cls | (src === undefined ? 0 : SRC_REG), dst, src ?? 0, row.off ?? 0, imm);
}

/** dst op= src, 64 bits. */
export function alu(op: AluOp, dst: Reg, src: Reg): Insn {
  return aluInsn(Class.alu64, op, dst, src, 0);
}
/** dst op= imm, 64 bits; the immediate is sign-extended. */
export function aluImm(op: AluOp, dst: Reg, imm: number): Insn {
  return aluInsn(Class.alu64, op, dst, undefined, imm);
}
/** dst op= src, 32 bits; the upper half becomes zero. */
export function alu32(op: AluOp, dst: Reg, src: Reg): Insn {
  return aluInsn(Class.alu32, op, dst, src, 0);
}
/** dst op= imm, 32 bits. */
export function alu32Imm(op: AluOp, dst: Reg, imm: number): Insn {
  return aluInsn(Class.alu32, op, dst, undefined, imm);
}
/** dst = -dst. */
export function neg(dst: Reg): Insn {
  return insn(0x80 | Class.alu64, dst, 0, 0, 0);
}
export function neg32(dst: Reg): Insn {
  return insn(0x80 | Class.alu32, dst, 0, 0, 0);
}
/** dst = src. */
export function mov(dst: Reg, src: Reg): Insn {
  return alu("mov", dst, src);
}
/** dst = imm, sign-extended to 64 bits. */
export function movImm(dst: Reg, imm: number): Insn {
  return aluImm("mov", dst, imm);
}
/** dst = src, sign-extended from 8, 16 or 32 bits (6.6). */
export function movsx(dst: Reg, src: Reg, bits: 8 | 16 | 32): Insn {
  return insn(0xb0 | SRC_REG | Class.alu64, dst, src, bits, 0);
}
/** dst = the low 16, 32 or 64 bits of dst in big or little endian order. */
export function toEndian(order: "le" | "be", dst: Reg, bits: 16 | 32 | 64): Insn {
  return insn(0xd0 | (order === "be" ? SRC_REG : 0) | Class.alu32, dst, 0, 0, bits);
}
/** dst = dst with its bytes swapped (6.6). */
export function bswap(dst: Reg, bits: 16 | 32 | 64): Insn {
  return insn(0xd0 | Class.alu64, dst, 0, 0, bits);
}

/** if (dst op src) skip `off` slots. */
export function jmp(op: JmpOp, dst: Reg, src: Reg, off: number): Insn {
  return insn(jmpOps[op].code | SRC_REG | Class.jmp, dst, src, off, 0);
}
export function jmpImm(op: JmpOp, dst: Reg, imm: number, off: number): Insn {
  return insn(jmpOps[op].code | Class.jmp, dst, 0, off, imm);
}
/** The same on the low 32 bits (5.1). */
export function jmp32(op: JmpOp, dst: Reg, src: Reg, off: number): Insn {
  return insn(jmpOps[op].code | SRC_REG | Class.jmp32, dst, src, off, 0);
}
export function jmp32Imm(op: JmpOp, dst: Reg, imm: number, off: number): Insn {
  return insn(jmpOps[op].code | Class.jmp32, dst, 0, off, imm);
}
/** Skips `off` slots, always. */
export function ja(off: number): Insn {
  return insn(Class.jmp, 0, 0, off, 0);
}
/** Skips further than 16 bits reach (6.6). */
export function jal(off: number): Insn {
  return insn(Class.jmp32, 0, 0, 0, off);
}
export function exit(): Insn {
  return insn(0x95, 0, 0, 0, 0);
}

/** Calls a helper, by name or id: arguments in r1 to r5, result in r0. */
export function call(helper: string | number): Insn {
  return insn(CALL.op, 0, CALL.helper, 0, typeof helper === "string" ? helperId(helper) : helper);
}
/** Calls a function of the same program, `off` slots on (4.16). */
export function callSubprog(off: number): Insn {
  return insn(CALL.op, 0, CALL.subprog, 0, off);
}
/** Calls a kernel function by its BTF id; `fdIndex` names a module's BTF in the program's fdArray. */
export function callKfunc(btfId: number, fdIndex = 0): Insn {
  return insn(CALL.op, 0, CALL.kfunc, fdIndex, btfId);
}

/** dst = *(uN *)(src + off). */
export function ldx(size: Size, dst: Reg, src: Reg, off: number): Insn {
  return insn(Mode.mem | sizeBits[size] | Class.ldx, dst, src, off, 0);
}
/** dst = *(sN *)(src + off), sign-extended (6.6). */
export function ldxs(size: 1 | 2 | 4, dst: Reg, src: Reg, off: number): Insn {
  return insn(Mode.memsx | sizeBits[size] | Class.ldx, dst, src, off, 0);
}
/** *(uN *)(dst + off) = src. */
export function stx(size: Size, dst: Reg, off: number, src: Reg): Insn {
  return insn(Mode.mem | sizeBits[size] | Class.stx, dst, src, off, 0);
}
/** *(uN *)(dst + off) = imm. */
export function st(size: Size, dst: Reg, off: number, imm: number): Insn {
  return insn(Mode.mem | sizeBits[size] | Class.st, dst, 0, off, imm);
}
/** An atomic operation on *(uN *)(dst + off) with src; `load_acquire` reads from src into dst. */
export function atomic(op: AtomicOp, size: 4 | 8, dst: Reg, off: number, src: Reg): Insn {
  return insn(Mode.atomic | sizeBits[size] | Class.stx, dst, src, off, atomicOps[op]);
}

function ld64(dst: Reg, kind: number, imm: number, hi: number): Insn {
  return { op: 0x18, dst, src: kind, off: 0, imm, hi };
}

/** dst = a 64-bit constant. */
export function ldImm64(dst: Reg, value: bigint | number): Insn {
  const bits = BigInt.asUintN(64, BigInt(value));
  return ld64(dst, 0, Number(BigInt.asIntN(32, bits)), Number(BigInt.asIntN(32, bits >> 32n)));
}
/** dst = a map, for helpers. */
export function ldMapFd(dst: Reg, fd: number): Insn {
  return ld64(dst, Pseudo.mapFd, fd, 0);
}
/** dst = the address of byte `off` in the value of an array map with one entry (5.2). */
export function ldMapValue(dst: Reg, fd: number, off = 0): Insn {
  return ld64(dst, Pseudo.mapValue, fd, off);
}
/** dst = a map, by its place in the program's fdArray (5.14). */
export function ldMapIdx(dst: Reg, index: number): Insn {
  return ld64(dst, Pseudo.mapIdx, index, 0);
}
export function ldMapIdxValue(dst: Reg, index: number, off = 0): Insn {
  return ld64(dst, Pseudo.mapIdxValue, index, off);
}
/** dst = the address of a kernel variable, by its BTF id (5.10). */
export function ldBtfId(dst: Reg, btfId: number, btfFd = 0): Insn {
  return ld64(dst, Pseudo.btfId, btfId, btfFd);
}
/** dst = a function of the same program, `off` slots on, to be passed to a helper (5.13). */
export function ldFunc(dst: Reg, off: number): Insn {
  return ld64(dst, Pseudo.func, off, 0);
}

/** Slots an instruction takes. */
export function slots(instruction: Insn): 1 | 2 {
  return instruction.hi === undefined ? 1 : 2;
}

/** Instructions as the bytes the kernel loads. */
export function encode(instructions: readonly Insn[]): Uint8Array {
  let count = 0;
  for (const instruction of instructions) count += slots(instruction);
  const bytes = new Uint8Array(count * 8);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const { op, dst, src, off, imm, hi } of instructions) {
    bytes[at] = op;
    bytes[at + 1] = (src << 4) | dst;
    view.setInt16(at + 2, off, true);
    view.setInt32(at + 4, imm, true);
    at += 8;
    if (hi !== undefined) {
      view.setInt32(at + 4, hi, true);
      at += 8;
    }
  }
  return bytes;
}

/** The instructions in bytes; throws RangeError where they end in the middle of one. */
export function decode(bytes: Uint8Array): Insn[] {
  if (bytes.byteLength % 8 !== 0) throw new RangeError("BPF instructions are 8 bytes long");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const instructions: Insn[] = [];
  for (let at = 0; at < bytes.byteLength; at += 8) {
    const op = bytes[at];
    const decoded = insn(
      op,
      bytes[at + 1] & 15,
      bytes[at + 1] >> 4,
      view.getInt16(at + 2, true),
      view.getInt32(at + 4, true),
    );
    if (op === 0x18) {
      at += 8;
      if (at === bytes.byteLength) throw new RangeError("the last instruction lacks its second slot");
      decoded.hi = view.getInt32(at + 4, true);
    }
    instructions.push(decoded);
  }
  return instructions;
}

const aluByCode = new Map<number, string>();
const signedAluByCode = new Map<number, string>();
for (const row of Object.values(aluOps) as AluRow[])
  (row.off ? signedAluByCode : aluByCode).set(row.code, row.sign);
const jmpByCode = new Map<number, string>(Object.values(jmpOps).map((row) => [row.code, row.sign]));
const atomicSigns: Record<number, string> = { 0: "+=", 64: "|=", 80: "&=", 160: "^=" };
const fetchNames: Record<number, string> = {
  1: "fetch_add",
  65: "fetch_or",
  81: "fetch_and",
  161: "fetch_xor",
  225: "xchg",
};

function signed(value: number): string {
  return value < 0 ? String(value) : `+${value}`;
}

function typeName(op: number): string {
  const letter = (op & 0xe0) === Mode.memsx ? "s" : "u";
  return `${letter}${sizeBytes[op & 0x18] * 8}`;
}

function aluText({ op, dst, src, off, imm }: Insn): string {
  const letter = (op & 7) === Class.alu64 ? "r" : "w";
  const code = op & 0xf0;
  if (code === 0xd0) {
    const name = (op & 7) === Class.alu64 ? "bswap" : op & SRC_REG ? "be" : "le";
    return `r${dst} = ${name}${imm} r${dst}`;
  }
  if (code === 0x80) return `${letter}${dst} = -${letter}${dst}`;
  const isMov = code === aluOps.mov.code;
  const sign = (isMov || off === 0 ? aluByCode : signedAluByCode).get(code) ?? `op${code.toString(16)}`;
  if ((op & SRC_REG) === 0) return `${letter}${dst} ${sign} ${imm}`;
  return `${letter}${dst} ${sign} ${isMov && off !== 0 ? `(s${off})` : ""}${letter}${src}`;
}

function jmpText({ op, dst, src, off, imm }: Insn, helpers: readonly string[]): string {
  const code = op & 0xf0;
  if (op === CALL.op) {
    if (src === CALL.subprog) return `call pc${signed(imm)}`;
    if (src === CALL.kfunc) return `call kernel-function#${imm}`;
    return `call ${helpers[imm] ? `bpf_${helpers[imm]}` : "unknown"}#${imm}`;
  }
  if (op === 0x95) return "exit";
  if (op === Class.jmp) return `goto pc${signed(off)}`;
  if (op === Class.jmp32) return `gotol pc${signed(imm)}`;
  const letter = (op & 7) === Class.jmp ? "r" : "w";
  const right = op & SRC_REG ? `${letter}${src}` : `0x${(imm >>> 0).toString(16)}`;
  return `if ${letter}${dst} ${jmpByCode.get(code) ?? `op${code.toString(16)}`} ${right} goto pc${signed(off)}`;
}

function atomicText({ op, dst, src, off, imm }: Insn): string {
  const place = `(${typeName(op)} *)(r${dst} ${signed(off)})`;
  const width = sizeBytes[op & 0x18] === 8 ? "64" : "";
  if (imm === atomicOps.cmpxchg) return `r0 = atomic${width}_cmpxchg(${place}, r0, r${src})`;
  if (fetchNames[imm]) return `r${src} = atomic${width}_${fetchNames[imm]}(${place}, r${src})`;
  if (imm === atomicOps.load_acquire)
    return `r${dst} = load_acquire((${typeName(op)} *)(r${src} ${signed(off)}))`;
  if (imm === atomicOps.store_release) return `store_release(${place}, r${src})`;
  return `lock *${place} ${atomicSigns[imm] ?? `op${imm.toString(16)}`} r${src}`;
}

function ld64Text({ dst, src, imm, hi = 0 }: Insn): string {
  const constant = (BigInt(hi >>> 0) << 32n) | BigInt(imm >>> 0);
  const plus = hi === 0 ? "" : `+${hi}`;
  const text: Record<number, string> = {
    [Pseudo.mapFd]: `map[fd:${imm}]`,
    [Pseudo.mapValue]: `map[fd:${imm}][0]+${hi}`,
    [Pseudo.btfId]: `btf_id[${imm}]`,
    [Pseudo.func]: `subprog[${signed(imm)}]`,
    [Pseudo.mapIdx]: `map[idx:${imm}]${plus}`,
    [Pseudo.mapIdxValue]: `map[idx:${imm}][0]+${hi}`,
  };
  return `r${dst} = ${text[src] ?? `0x${constant.toString(16)}`}`;
}

/** One instruction in the kernel's verifier style, "(79) r1 = *(u64 *)(r2 +8)". */
export function formatInsn(instruction: Insn, helpers: readonly string[] = helperNames): string {
  const { op, dst, src, off, imm } = instruction;
  const text = () => {
    switch (op & 7) {
      case Class.alu32:
      case Class.alu64:
        return aluText(instruction);
      case Class.jmp:
      case Class.jmp32:
        return jmpText(instruction, helpers);
      case Class.ldx:
        return `r${dst} = *(${typeName(op)} *)(r${src} ${signed(off)})`;
      case Class.stx:
        if ((op & 0xe0) === Mode.atomic) return atomicText(instruction);
        return `*(${typeName(op)} *)(r${dst} ${signed(off)}) = r${src}`;
      case Class.st:
        return `*(${typeName(op)} *)(r${dst} ${signed(off)}) = ${imm}`;
      default:
        return op === 0x18 ? ld64Text(instruction) : `unknown opcode 0x${op.toString(16)}`;
    }
  };
  return `(${op.toString(16).padStart(2, "0")}) ${text()}`;
}

/** A listing, one instruction a line, numbered by slots. */
export function disassemble(bytes: Uint8Array, options: { helpers?: readonly string[] } = {}): string {
  let slot = 0;
  const lines = decode(bytes).map((instruction) => {
    const line = `${String(slot).padStart(4)}: ${formatInsn(instruction, options.helpers)}`;
    slot += slots(instruction);
    return line;
  });
  return lines.join("\n");
}
