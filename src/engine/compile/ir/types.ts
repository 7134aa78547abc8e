/**
 * The intermediate form between a checked script and machine code: functions of basic blocks over virtual registers.
 *
 * It stays close to BPF, so that it can be read next to a listing, and knows nothing of BPF's ten registers, so that
 * passes can rewrite it freely. Registers hold 64 bits and may be assigned more than once (locals, loop counters).
 * Addresses of stack slots, maps and functions are values, not registers: they cost an instruction where they are used
 * and no register in between.
 */
import type { JmpOp, AluOp as MachineAlu } from "libbpf-ts/asm";
import type { Span } from "../diagnostic.ts";

export type Reg = number;

export type Value =
  | { kind: "reg"; reg: Reg }
  /** Kept as a signed 64-bit number. */
  | { kind: "const"; value: bigint }
  /** Address of a stack slot's byte. */
  | { kind: "slot"; slot: number; offset: number }
  /** A map, as helpers want it. */
  | { kind: "map"; map: number }
  /** Address of a byte in the value of a one-entry array map. */
  | { kind: "map-value"; map: number; offset: number }
  /** A function of the same program, as a callback. */
  | { kind: "function"; name: string };

export type Alu = Exclude<MachineAlu, "mov">;
export type Condition = JmpOp;
export type Width = 32 | 64;
export type Bits = 8 | 16 | 32;
export type Size = 1 | 2 | 4 | 8;

export type Inst = { span?: Span } & (
  | { op: "move"; dst: Reg; value: Value }
  | { op: "alu"; alu: Alu; dst: Reg; left: Value; right: Value; width: Width }
  | { op: "negate"; dst: Reg; value: Value }
  /** The low bits of a value, sign- or zero-extended to 64. */
  | { op: "extend"; dst: Reg; value: Value; bits: Bits; signed: boolean }
  | { op: "swap"; dst: Reg; value: Value; bits: 16 | 32 | 64 }
  | { op: "load"; dst: Reg; base: Value; offset: number; size: Size; signed: boolean }
  | { op: "store"; base: Value; offset: number; size: Size; value: Value }
  /** Atomic addition in memory. */
  | { op: "atomic-add"; base: Value; offset: number; size: 4 | 8; value: Value; fetch?: Reg }
  /** A kernel helper by name; with `kfunc`, a function of the kernel by its BTF id. */
  | { op: "call"; helper: string; kfunc?: number; args: Value[]; dst?: Reg }
);

export type Terminator = { span?: Span } & (
  | { op: "jump"; to: number }
  | {
      op: "branch";
      condition: Condition;
      left: Value;
      right: Value;
      width: Width;
      yes: number;
      no: number;
    }
  | { op: "return"; value: Value }
);

export interface Block {
  id: number;
  name: string;
  /** Laid out after the others: misses, failures. */
  cold: boolean;
  code: Inst[];
  end: Terminator;
}

export interface Slot {
  /** Bytes, a multiple of 8; slots are 8-byte aligned. */
  size: number;
  name: string;
}

export interface Func {
  name: string;
  kind: "main" | "callback" | "subprogram";
  /** Registers that hold r1, r2, … at entry. */
  parameters: Reg[];
  blocks: Block[];
  slots: Slot[];
  /** Number of virtual registers. */
  registers: number;
}

/** One BPF program: its main function, then the callbacks that it passes to helpers. */
export interface ProgramIr {
  name: string;
  functions: Func[];
}

export const reg = (r: Reg): Value => ({ kind: "reg", reg: r });
export const constant = (value: bigint | number): Value => ({
  kind: "const",
  value: BigInt.asIntN(64, BigInt(value)),
});
export const ZERO = constant(0);
export const ONE = constant(1);
export const isConst = (value: Value): value is Extract<Value, { kind: "const" }> => value.kind === "const";

/** Whether a constant fits an instruction's 32-bit immediate, which is sign-extended. */
export const fits32 = (value: bigint): boolean => value >= -0x80000000n && value <= 0x7fffffffn;

export function sameValue(a: Value, b: Value): boolean {
  if (a.kind !== b.kind) return false;
  switch (a.kind) {
    case "reg":
      return a.reg === (b as typeof a).reg;
    case "const":
      return a.value === (b as typeof a).value;
    case "slot":
      return a.slot === (b as typeof a).slot && a.offset === (b as typeof a).offset;
    case "map":
      return a.map === (b as typeof a).map;
    case "map-value":
      return a.map === (b as typeof a).map && a.offset === (b as typeof a).offset;
    case "function":
      return a.name === (b as typeof a).name;
  }
}
