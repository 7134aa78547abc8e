// The rules of x86-64 code: how the canonical frame address (CFA: the stack pointer before the call), the caller's frame
// pointer and the return address are found. Of the other registers nothing is kept: code that has its CFA in one of them is
// rare, and a stack ends there.

/** What a CFA is made of: `offset` is added to a register, or to what a word of memory has. */
export const Cfa = {
  /** By the frame pointer, where nothing is known: it may be wrong. */
  guess: 0,
  /** Nothing is above: the start of a program or a thread. */
  end: 1,
  /** It takes more than is kept here. */
  unknown: 2,
  stackPointer: 3,
  framePointer: 4,
  /** In an entry of the procedure linkage table: sp + 8, and 8 more from byte `offset` of its 16 on. */
  plt: 5,
  /** The word at sp + `at`, plus `offset`: frames of signals. */
  atStackPointer: 6,
  /** The word at bp + `at`, plus `offset`: realigned stacks. */
  atFramePointer: 7,
} as const;

/** Where the caller's frame pointer is. */
export const FramePointer = {
  /** Still in the register. */
  same: 0,
  /** In the word at CFA + `fp`. */
  atCfa: 1,
  /** In the word at sp + `fp`. */
  atStackPointer: 2,
  /** In the word at bp + `fp`. */
  atFramePointer: 3,
} as const;

export interface UnwindRule {
  cfa: number;
  offset: number;
  at: number;
  framePointer: number;
  fp: number;
  /** Of a frame that a signal made: the return address is in the word at sp + `returnAt`, and the caller made no call. */
  signal: boolean;
  returnAt: number;
}

const NONE = { offset: 0, at: 0, framePointer: FramePointer.same, fp: 0, signal: false, returnAt: 0 };

export const GUESS: UnwindRule = {
  ...NONE,
  cfa: Cfa.guess,
  offset: 16,
  framePointer: FramePointer.atCfa,
  fp: -16,
};
export const END: UnwindRule = { ...NONE, cfa: Cfa.end };
export const UNKNOWN: UnwindRule = { ...NONE, cfa: Cfa.unknown };

/** Different rules of one table, each once. Rules 0, 1 and 2 are GUESS, END and UNKNOWN. */
export class RuleSet {
  readonly rules: UnwindRule[] = [GUESS, END, UNKNOWN];
  readonly #known = new Map<string, number>();
  /** The frequent ones, by CFA and frame pointer. */
  readonly #plain = new Map<number, number>();
  readonly #most: number;

  constructor(most = 0xffff) {
    this.#most = most;
    this.rules.forEach((rule, i) => {
      this.#known.set(keyOf(rule), i);
    });
  }

  /** sp or bp + offset, the caller's bp in its register or at CFA + fp. Offsets within ±2²³. */
  plain(cfa: number, offset: number, framePointer: number, fp: number): number {
    const key = ((offset + 0x800000) * 0x1000000 + (fp + 0x800000)) * 16 + (cfa & 1) * 2 + framePointer;
    let index = this.#plain.get(key);
    if (index === undefined) {
      index = this.index({ ...NONE, cfa, offset, framePointer, fp });
      this.#plain.set(key, index);
    }
    return index;
  }

  /** That of UNKNOWN once there are too many. */
  index(rule: UnwindRule): number {
    const key = keyOf(rule);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    if (this.rules.length >= this.#most) return UNKNOWN_INDEX;
    this.#known.set(key, this.rules.length);
    return this.rules.push(rule) - 1;
  }
}

export const GUESS_INDEX = 0;
export const END_INDEX = 1;
export const UNKNOWN_INDEX = 2;

const keyOf = (r: UnwindRule): string =>
  [r.cfa, r.offset, r.at, r.framePointer, r.fp, r.signal, r.returnAt].join();
