/**
 * Builds a function block by block. Arithmetic on constants is folded on the way, so lowering can be written without
 * special cases; what needs the whole function is left to the optimiser.
 */
import type { Span } from "../diagnostic.ts";
import { Arena } from "./arena.ts";
import { foldAlu, foldCondition, foldExtend } from "./fold.ts";
import {
  type Alu,
  type Bits,
  type Block,
  type Condition,
  constant,
  type Func,
  type Inst,
  isConst,
  type Reg,
  reg,
  type Size,
  type Terminator,
  type Value,
  type Width,
} from "./types.ts";

export class Builder {
  readonly func: Func;
  /** Where code goes now; undefined after a terminator: what follows can't be reached and is dropped. */
  #block: Block | undefined;
  #blockCount = 0;
  #slotName = "";
  readonly slots = new Arena((size) => this.func.slots.push({ size, name: this.#slotName }) - 1);
  span: Span | undefined;

  constructor(name: string, kind: Func["kind"], parameterCount: number) {
    this.func = { name, kind, parameters: [], blocks: [], slots: [], registers: 0 };
    for (let i = 0; i < parameterCount; i++) this.func.parameters.push(this.fresh());
    this.startBlock(this.block("entry"));
  }

  fresh(): Reg {
    return this.func.registers++;
  }

  /** A new block, not yet placed. */
  block(name: string, cold = false): Block {
    return { id: this.#blockCount++, name, cold, code: [], end: { op: "return", value: constant(0) } };
  }

  /** Places a block and goes on there; falls through from the current one. */
  startBlock(block: Block): void {
    if (this.#block) this.jump(block);
    this.func.blocks.push(block);
    this.#block = block;
  }

  get reachable(): boolean {
    return this.#block !== undefined;
  }

  #add(inst: Inst): void {
    this.#block?.code.push(this.span ? { ...inst, span: this.span } : inst);
  }

  #finish(end: Terminator): void {
    if (this.#block) this.#block.end = this.span ? { ...end, span: this.span } : end;
    this.#block = undefined;
  }

  jump(to: Block): void {
    this.#finish({ op: "jump", to: to.id });
  }

  branch(
    condition: Condition,
    left: Value,
    right: Value,
    then: Block,
    otherwise: Block,
    width: Width = 64,
  ): void {
    if (isConst(left) && isConst(right)) {
      this.jump(foldCondition(condition, left.value, right.value, width) ? then : otherwise);
      return;
    }
    this.#finish({ op: "branch", condition, left, right, width, yes: then.id, no: otherwise.id });
  }

  return(value: Value = constant(0)): void {
    this.#finish({ op: "return", value });
  }

  /** Runs `body` when the condition holds; goes on behind it. */
  when(condition: Condition, left: Value, right: Value, body: () => void, cold = false): void {
    const then = this.block("then", cold);
    const after = this.block("after");
    this.branch(condition, left, right, then, after);
    this.startBlock(then);
    body();
    this.startBlock(after);
  }

  /** The value as a register, moving constants and addresses into one. */
  toReg(value: Value): Reg {
    if (value.kind === "reg") return value.reg;
    const dst = this.fresh();
    this.#add({ op: "move", dst, value });
    return dst;
  }

  /** Assigns a register that is assigned elsewhere too. */
  assign(dst: Reg, value: Value): void {
    this.#add({ op: "move", dst, value });
  }

  alu(alu: Alu, left: Value, right: Value, width: Width = 64): Value {
    const folded = foldAlu(alu, left, right, width);
    if (folded) return folded;
    const dst = this.fresh();
    this.#add({ op: "alu", alu, dst, left, right, width });
    return reg(dst);
  }

  add(left: Value, right: Value | number): Value {
    return this.alu("add", left, typeof right === "number" ? constant(right) : right);
  }

  negate(value: Value): Value {
    if (isConst(value)) return constant(-value.value);
    const dst = this.fresh();
    this.#add({ op: "negate", dst, value });
    return reg(dst);
  }

  extend(value: Value, size: number, signed: boolean): Value {
    if (size >= 8) return value;
    const bits = (size * 8) as Bits;
    if (isConst(value)) return constant(foldExtend(value.value, bits, signed));
    const dst = this.fresh();
    this.#add({ op: "extend", dst, value, bits, signed });
    return reg(dst);
  }

  swap(value: Value, bits: 16 | 32 | 64): Value {
    const dst = this.fresh();
    this.#add({ op: "swap", dst, value, bits });
    return reg(dst);
  }

  load(base: Value, offset: number, size: Size, signed = false): Value {
    const dst = this.fresh();
    this.#add({ op: "load", dst, base, offset, size, signed });
    return reg(dst);
  }

  store(base: Value, offset: number, size: Size, value: Value): void {
    this.#add({ op: "store", base, offset, size, value });
  }

  atomicAdd(base: Value, offset: number, size: 4 | 8, value: Value): void {
    this.#add({ op: "atomic-add", base, offset, size, value });
  }

  /** Adds and gives what was there before (5.12). */
  fetchAdd(base: Value, offset: number, size: 4 | 8, value: Value): Value {
    const fetch = this.fresh();
    this.#add({ op: "atomic-add", base, offset, size, value, fetch });
    return reg(fetch);
  }

  call(helper: string, ...args: Value[]): Value {
    const dst = this.fresh();
    this.#add({ op: "call", helper, args, dst });
    return reg(dst);
  }

  /** A function of the kernel, by name and BTF id. */
  callKfunc(name: string, kfunc: number, ...args: Value[]): Value {
    const dst = this.fresh();
    this.#add({ op: "call", helper: name, kfunc, args, dst });
    return reg(dst);
  }

  /** 0 or 1. */
  compare(condition: Condition, left: Value, right: Value, width: Width = 64): Value {
    if (isConst(left) && isConst(right)) {
      return constant(foldCondition(condition, left.value, right.value, width) ? 1 : 0);
    }
    const dst = this.fresh();
    const no = this.block("no");
    const after = this.block("after");
    this.assign(dst, constant(1));
    this.branch(condition, left, right, after, no, width);
    this.startBlock(no);
    this.assign(dst, constant(0));
    this.startBlock(after);
    return reg(dst);
  }

  /** Bytes on the stack, given back at the end of the enclosing scope unless they are to be kept. */
  slot(size: number, name = "tmp", keep = false): Extract<Value, { kind: "slot" }> {
    this.#slotName = name;
    return { kind: "slot", slot: this.slots.piece(size, keep), offset: 0 };
  }
}
