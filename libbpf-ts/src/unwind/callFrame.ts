// Call frame instructions (DW_CFA_…) → rows: from which instruction on which rule holds.

import { Cursor, DwarfError } from "../dwarf/cursor.ts";
import type { Cie } from "./ehFrame.ts";
import { cfaOfExpression, placeOfExpression } from "./expressions.ts";
import { Cfa, END_INDEX, FramePointer, type RuleSet, UNKNOWN_INDEX } from "./rules.ts";

const BP = 6;
const SP = 7;

/** Where the return address is. */
const Return = { belowCfa: 0, none: 1, unknown: 2, atStackPointer: 3 } as const;

/** Assigned in place: there is one for each of hundreds of thousands of functions. */
class State {
  cfa: number = Cfa.unknown;
  offset = 0;
  at = 0;
  framePointer: number = FramePointer.same;
  fp = 0;
  returns: number = Return.belowCfa;
  returnAt = 0;

  become(other: State): void {
    this.cfa = other.cfa;
    this.offset = other.offset;
    this.at = other.at;
    this.framePointer = other.framePointer;
    this.fp = other.fp;
    this.returns = other.returns;
    this.returnAt = other.returnAt;
  }

  copy(): State {
    const state = new State();
    state.become(this);
    return state;
  }
}

const START = new State();

/** States that a function may put by. */
const MOST_REMEMBERED = 64;
/** Farther places are none of a stack's, and have no room in the table. */
const FARTHEST = 0x7ffff0;

const isFar = (offset: number): boolean => offset > FARTHEST || offset < -FARTHEST;

/** DW_CFA_…; of the first three the low six bits are an operand. */
const Op = {
  advanceLoc: 0x40,
  offset: 0x80,
  restore: 0xc0,
  nop: 0x00,
  setLoc: 0x01,
  advanceLoc1: 0x02,
  advanceLoc2: 0x03,
  advanceLoc4: 0x04,
  offsetExtended: 0x05,
  restoreExtended: 0x06,
  undefined: 0x07,
  sameValue: 0x08,
  register: 0x09,
  rememberState: 0x0a,
  restoreState: 0x0b,
  defCfa: 0x0c,
  defCfaRegister: 0x0d,
  defCfaOffset: 0x0e,
  defCfaExpression: 0x0f,
  expression: 0x10,
  offsetExtendedSf: 0x11,
  defCfaSf: 0x12,
  defCfaOffsetSf: 0x13,
  valOffset: 0x14,
  valOffsetSf: 0x15,
  valExpression: 0x16,
  gnuArgsSize: 0x2e,
  gnuNegativeOffset: 0x2f,
} as const;

/** The rule holds from `address` up to that of the next row. */
export type EmitRow = (address: number, rule: number) => void;

export class CallFrames {
  readonly #bytes: Uint8Array;
  readonly #rules: RuleSet;
  readonly #initial = new Map<Cie, State>();
  #cie!: Cie;
  readonly #state = new State();
  readonly #remembered: State[] = [];
  #location = 0;
  #end = 0;

  constructor(bytes: Uint8Array, rules: RuleSet) {
    this.#bytes = bytes;
    this.#rules = rules;
  }

  /** The rows of one FDE's code, ascending. Throws DwarfError where it is damaged. */
  run(start: number, end: number, cie: Cie, from: number, to: number, emit: EmitRow): void {
    this.#cie = cie;
    const initial = this.#initialOf(cie);
    this.#begin(initial, start, end);
    this.#execute(new Cursor(this.#bytes, from, to), initial, emit);
    if (this.#location < end) emit(this.#location, this.#rule());
  }

  #initialOf(cie: Cie): State {
    let state = this.#initial.get(cie);
    if (!state) {
      this.#begin(START, 0, 0);
      this.#execute(new Cursor(this.#bytes, cie.from, cie.end), START, () => {});
      state = this.#state.copy();
      this.#initial.set(cie, state);
    }
    return state;
  }

  #begin(initial: State, start: number, end: number): void {
    this.#state.become(initial);
    this.#remembered.length = 0;
    this.#location = start;
    this.#end = end;
  }

  #advance(delta: number, emit: EmitRow): void {
    const next = this.#location + delta * this.#cie.codeAlignment;
    if (next > this.#location && this.#location < this.#end) emit(this.#location, this.#rule());
    this.#location = Math.min(next, this.#end);
  }

  #rule(): number {
    const { cfa, offset, at, framePointer, fp, returns, returnAt } = this.#state;
    if (returns === Return.none) return END_INDEX;
    if (returns === Return.unknown || cfa === Cfa.unknown) return UNKNOWN_INDEX;
    if (isFar(offset) || isFar(at) || isFar(fp) || isFar(returnAt)) return UNKNOWN_INDEX;
    const signal = returns === Return.atStackPointer;
    if (cfa <= Cfa.framePointer && framePointer <= FramePointer.atCfa && !signal)
      return this.#rules.plain(cfa, offset, framePointer, fp);
    return this.#rules.index({ cfa, offset, at, framePointer, fp, signal, returnAt });
  }

  #execute(at: Cursor, initial: State, emit: EmitRow): void {
    const { dataAlignment } = this.#cie;
    const state = this.#state;
    while (!at.done) {
      const byte = at.u8();
      const operand = byte & 0x3f;
      const op = byte & 0xc0 || byte;
      switch (op) {
        case Op.advanceLoc:
          this.#advance(operand, emit);
          break;
        case Op.offset:
          this.#saved(operand, at.uleb() * dataAlignment);
          break;
        case Op.restore:
          this.#restore(operand, initial);
          break;
        case Op.nop:
          break;
        case Op.advanceLoc1:
          this.#advance(at.u8(), emit);
          break;
        case Op.advanceLoc2:
          this.#advance(at.u16(), emit);
          break;
        case Op.advanceLoc4:
          this.#advance(at.u32(), emit);
          break;
        case Op.offsetExtended:
          this.#saved(at.uleb(), at.uleb() * dataAlignment);
          break;
        case Op.offsetExtendedSf:
          this.#saved(at.uleb(), Number(at.sleb()) * dataAlignment);
          break;
        case Op.gnuNegativeOffset:
          this.#saved(at.uleb(), -at.uleb() * dataAlignment);
          break;
        case Op.restoreExtended:
          this.#restore(at.uleb(), initial);
          break;
        case Op.undefined:
          this.#lost(at.uleb(), Return.none);
          break;
        case Op.sameValue:
          this.#lost(at.uleb(), Return.unknown);
          break;
        case Op.register:
        case Op.valOffset:
        case Op.valOffsetSf:
          this.#lost(at.uleb(), Return.unknown);
          at.skipLeb();
          break;
        case Op.rememberState:
          if (this.#remembered.length >= MOST_REMEMBERED)
            throw new DwarfError("a function of .eh_frame puts too many states by");
          this.#remembered.push(state.copy());
          break;
        case Op.restoreState:
          state.become(this.#remembered.pop() ?? initial);
          break;
        case Op.defCfa:
          this.#defineCfa(at.uleb(), at.uleb());
          break;
        case Op.defCfaSf:
          this.#defineCfa(at.uleb(), Number(at.sleb()) * dataAlignment);
          break;
        case Op.defCfaRegister:
          this.#defineCfa(at.uleb(), state.offset);
          break;
        case Op.defCfaOffset:
          state.offset = at.uleb();
          break;
        case Op.defCfaOffsetSf:
          state.offset = Number(at.sleb()) * dataAlignment;
          break;
        case Op.defCfaExpression: {
          const size = at.uleb();
          const from = at.take(size);
          const found = cfaOfExpression(this.#bytes, from, from + size);
          Object.assign(state, found ?? { cfa: Cfa.unknown });
          break;
        }
        case Op.expression:
          this.#atExpression(at.uleb(), at);
          break;
        case Op.valExpression: {
          this.#lost(at.uleb(), Return.unknown);
          at.take(at.uleb());
          break;
        }
        case Op.gnuArgsSize:
          at.skipLeb();
          break;
        default:
          throw new DwarfError(`.eh_frame has the call frame instruction 0x${byte.toString(16)}`);
      }
    }
  }

  #defineCfa(register: number, offset: number): void {
    const state = this.#state;
    state.cfa = register === SP ? Cfa.stackPointer : register === BP ? Cfa.framePointer : Cfa.unknown;
    state.offset = offset;
    state.at = 0;
  }

  /** A register is in the word at CFA + `offset`. */
  #saved(register: number, offset: number): void {
    const state = this.#state;
    if (register === BP) {
      state.framePointer = FramePointer.atCfa;
      state.fp = offset;
    } else if (register === this.#cie.returnRegister) {
      state.returns = offset === -8 ? Return.belowCfa : Return.unknown;
    }
  }

  #restore(register: number, initial: State): void {
    const state = this.#state;
    if (register === BP) {
      state.framePointer = initial.framePointer;
      state.fp = initial.fp;
    } else if (register === this.#cie.returnRegister) {
      state.returns = initial.returns;
      state.returnAt = initial.returnAt;
    }
  }

  /** A register is not in memory: the frame pointer counts as unchanged. */
  #lost(register: number, returns: number): void {
    const state = this.#state;
    if (register === BP) state.framePointer = FramePointer.same;
    else if (register === this.#cie.returnRegister) state.returns = returns;
  }

  #atExpression(register: number, at: Cursor): void {
    const size = at.uleb();
    const from = at.take(size);
    if (register !== BP && register !== this.#cie.returnRegister) return;
    const place = placeOfExpression(this.#bytes, from, from + size);
    const state = this.#state;
    if (register === BP) {
      state.framePointer = !place
        ? FramePointer.same
        : place.stackPointer
          ? FramePointer.atStackPointer
          : FramePointer.atFramePointer;
      state.fp = place?.offset ?? 0;
    } else {
      state.returns = place?.stackPointer ? Return.atStackPointer : Return.unknown;
      state.returnAt = place?.offset ?? 0;
    }
  }
}
