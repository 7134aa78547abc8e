// DWARF expressions as unwind tables of x86-64 use them. There are few, all written by assemblers and linkers: they are told by
// their form, so that no stack machine has to run in the kernel.

import { Cursor, DwarfError } from "../dwarf/cursor.ts";
import { Cfa } from "./rules.ts";

/** DW_OP_… */
const Op = {
  deref: 0x06,
  and: 0x1a,
  plus: 0x22,
  plusConst: 0x23,
  shl: 0x24,
  ge: 0x2a,
  lit0: 0x30,
  breg0: 0x70,
} as const;

const FRAME_POINTER = Op.breg0 + 6;
const STACK_POINTER = Op.breg0 + 7;
const INSTRUCTION_POINTER = Op.breg0 + 16;
const lit = (value: number) => Op.lit0 + value;

/** Longer ones are of no form known here. */
const LONGEST = 64;

/** The operations with their operands, where they are among those above; undefined: another is met. */
function operations(
  bytes: Uint8Array,
  from: number,
  end: number,
): [op: number, operand: number][] | undefined {
  if (end - from > LONGEST) return undefined;
  const at = new Cursor(bytes, from, end);
  const found: [number, number][] = [];
  try {
    while (!at.done) {
      const op = at.u8();
      if (op >= Op.breg0 && op < Op.breg0 + 32) found.push([op, Number(at.sleb())]);
      else if (op === Op.plusConst) found.push([op, at.uleb()]);
      else found.push([op, 0]);
    }
  } catch (error) {
    if (error instanceof DwarfError) return undefined;
    throw error;
  }
  return found;
}

/** (ip & 15) >= N, times eight, plus sp + 8: from there on an entry has pushed its number. */
function pltThreshold(ops: readonly [number, number][]): number | undefined {
  if (ops.length !== 9) return undefined;
  const threshold = ops[4][0] - Op.lit0;
  const form = [
    [STACK_POINTER, 8],
    [INSTRUCTION_POINTER, 0],
    [lit(15), 0],
    [Op.and, 0],
    [lit(threshold), 0],
    [Op.ge, 0],
    [lit(3), 0],
    [Op.shl, 0],
    [Op.plus, 0],
  ];
  const fits = form.every(([op, operand], i) => ops[i][0] === op && ops[i][1] === operand);
  return fits && threshold >= 0 && threshold < 16 ? threshold : undefined;
}

export interface CfaRule {
  cfa: number;
  offset: number;
  at: number;
}

/** DW_CFA_def_cfa_expression; undefined: none of the forms that are known. */
export function cfaOfExpression(bytes: Uint8Array, from: number, end: number): CfaRule | undefined {
  const ops = operations(bytes, from, end);
  if (!ops || ops.length === 0) return undefined;
  const threshold = pltThreshold(ops);
  if (threshold !== undefined) return { cfa: Cfa.plt, offset: threshold, at: 0 };
  const [[base, at]] = ops;
  const ofStack = base === STACK_POINTER;
  if (!ofStack && base !== FRAME_POINTER) return undefined;
  if (ops.length === 1) return { cfa: ofStack ? Cfa.stackPointer : Cfa.framePointer, offset: at, at: 0 };
  if (ops[1][0] !== Op.deref || ops.length > 3) return undefined;
  if (ops.length === 3 && ops[2][0] !== Op.plusConst) return undefined;
  const offset = ops.length === 3 ? ops[2][1] : 0;
  return { cfa: ofStack ? Cfa.atStackPointer : Cfa.atFramePointer, offset, at };
}

/** DW_CFA_expression: the register's word is at sp or bp plus a number; undefined: anywhere else. */
export function placeOfExpression(
  bytes: Uint8Array,
  from: number,
  end: number,
): { stackPointer: boolean; offset: number } | undefined {
  const ops = operations(bytes, from, end);
  if (ops?.length !== 1) return undefined;
  const [[base, offset]] = ops;
  if (base !== STACK_POINTER && base !== FRAME_POINTER) return undefined;
  return { stackPointer: base === STACK_POINTER, offset };
}
