/**
 * IR function → BPF instructions: each IR instruction becomes one to a few machine instructions on the registers that
 * the allocator chose.
 *
 * The frame, from the frame pointer down: the slots of the IR, then one word for each spilled register.
 */
import * as asm from "libbpf-ts/asm";
import type { Span } from "../../diagnostic.ts";
import { type Func, fits32, type Inst, type Reg, type Terminator, type Value } from "../../ir/types.ts";
import { operands } from "../../ir/walk.ts";
import { type Allocation, allocate } from "./allocate.ts";

export interface SelectOptions {
  /** Instructions of 6.6 (-mcpu=v4): sign-extending loads and moves, signed division, byte swaps. */
  v4: boolean;
}

/** What must be patched when the program is put together; positions are in slots of 8 bytes. */
export interface Fixup {
  at: number;
  value: Extract<Value, { kind: "map" | "map-value" | "function" }>;
}

export interface Selected {
  code: asm.Insn[];
  fixups: Fixup[];
  lines: { at: number; span: Span }[];
  /** Bytes of stack. */
  frame: number;
}

/** Offsets of loads and stores have 16 bits. */
const FARTHEST = 0x7fff;

const R0 = 0;
const R5 = 5;
const FP = 10;

export function select(func: Func, options: SelectOptions): Selected {
  const allocation = allocate(func);
  return new Selector(func, allocation, options).run();
}

function usedSlots(func: Func): Set<number> {
  const used = new Set<number>();
  for (const block of func.blocks) {
    for (const inst of [...block.code, block.end]) {
      for (const value of operands(inst)) if (value.kind === "slot") used.add(value.slot);
    }
  }
  return used;
}

class Selector {
  readonly #func: Func;
  readonly #allocation: Allocation;
  readonly #options: SelectOptions;
  readonly #code: asm.Insn[] = [];
  readonly #fixups: Fixup[] = [];
  readonly #lines: { at: number; span: Span }[] = [];
  readonly #slotOffsets: number[] = [];
  readonly #spillBase: number;
  readonly #frame: number;
  #at = 0;
  readonly #blockStarts = new Map<number, number>();
  readonly #jumps: { insn: asm.Insn; at: number; to: number }[] = [];

  constructor(func: Func, allocation: Allocation, options: SelectOptions) {
    this.#func = func;
    this.#allocation = allocation;
    this.#options = options;
    let depth = 0;
    const used = usedSlots(func);
    func.slots.forEach((slot, i) => {
      if (used.has(i)) depth += slot.size;
      this.#slotOffsets.push(-depth);
    });
    this.#spillBase = -depth;
    this.#frame = depth + allocation.spills * 8;
  }

  run(): Selected {
    const blocks = [
      ...this.#func.blocks.filter((b, i) => i === 0 || !b.cold),
      ...this.#func.blocks.filter((b, i) => i > 0 && b.cold),
    ];
    this.#moveParameters();
    blocks.forEach((block, i) => {
      this.#blockStarts.set(block.id, this.#at);
      for (const inst of block.code) {
        this.#line(inst.span);
        this.#inst(inst);
      }
      this.#line(block.end.span);
      this.#end(block.end, blocks[i + 1]?.id);
    });
    for (const { insn, at, to } of this.#jumps) {
      const offset = this.#blockStarts.get(to)! - at - 1;
      if (insn.op === 0x06) insn.imm = offset;
      else insn.off = offset;
    }
    return { code: this.#code, fixups: this.#fixups, lines: this.#lines, frame: this.#frame };
  }

  #emit(insn: asm.Insn): void {
    this.#code.push(insn);
    this.#at += asm.slots(insn);
  }

  #line(span: Span | undefined): void {
    const last = this.#lines.at(-1);
    if (!span || (last && last.span.start === span.start && last.span.end === span.end)) return;
    if (last?.at === this.#at) this.#lines.pop();
    this.#lines.push({ at: this.#at, span });
  }

  #location(vreg: Reg) {
    return this.#allocation.locations[vreg];
  }

  #spillOffset(index: number): number {
    return this.#spillBase - (index + 1) * 8;
  }

  #moveParameters(): void {
    this.#parallelMove(
      this.#func.parameters.flatMap((vreg, i) => {
        const to = this.#location(vreg);
        if (!to) return [];
        if (to.kind === "spill") {
          this.#emit(asm.stx(8, FP, this.#spillOffset(to.index), i + 1));
          return [];
        }
        return [{ to: to.reg, from: i + 1 }];
      }),
    );
  }

  /** Register moves that happen at once; r0 breaks cycles. */
  #parallelMove(moves: { to: number; from: number }[]): void {
    let pending = moves.filter((m) => m.to !== m.from);
    while (pending.length > 0) {
      const safe = pending.find((m) => !pending.some((other) => other !== m && other.from === m.to));
      if (safe) {
        this.#emit(asm.mov(safe.to, safe.from));
        pending = pending.filter((m) => m !== safe);
      } else {
        const blocked = pending[0];
        this.#emit(asm.mov(R0, blocked.from));
        pending = pending.map((m) => (m.from === blocked.from ? { ...m, from: R0 } : m));
      }
    }
  }

  /** Puts a value into a given machine register. */
  #into(machine: number, value: Value): void {
    switch (value.kind) {
      case "const":
        this.#emit(
          fits32(value.value) ? asm.movImm(machine, Number(value.value)) : asm.ldImm64(machine, value.value),
        );
        return;
      case "slot":
        this.#emit(asm.mov(machine, FP));
        this.#emit(asm.aluImm("add", machine, this.#slotOffsets[value.slot] + value.offset));
        return;
      case "map":
      case "map-value":
      case "function":
        this.#fixups.push({ at: this.#at, value });
        this.#emit(asm.ldImm64(machine, 0));
        return;
      case "reg": {
        const from = this.#location(value.reg);
        if (!from) this.#emit(asm.movImm(machine, 0));
        else if (from.kind === "spill") this.#emit(asm.ldx(8, machine, FP, this.#spillOffset(from.index)));
        else if (from.reg !== machine) this.#emit(asm.mov(machine, from.reg));
      }
    }
  }

  /** The machine register that holds a value; what has none goes through `scratch`. */
  #use(value: Value, scratch: number): number {
    if (value.kind === "reg") {
      const location = this.#location(value.reg);
      if (location?.kind === "reg") return location.reg;
    }
    this.#into(scratch, value);
    return scratch;
  }

  /** Base register and offset of a memory operand. */
  #address(base: Value, offset: number): { reg: number; offset: number } {
    if (base.kind === "slot") return { reg: FP, offset: this.#slotOffsets[base.slot] + base.offset + offset };
    if (base.kind === "map-value") {
      this.#into(R5, { ...base, offset: base.offset + offset });
      return { reg: R5, offset: 0 };
    }
    if (offset <= FARTHEST) return { reg: this.#use(base, R5), offset };
    this.#into(R5, base);
    this.#emit(asm.aluImm("add", R5, offset));
    return { reg: R5, offset: 0 };
  }

  /** Computes into the register of `dst`, or through r0 into its stack word. */
  #define(dst: Reg, compute: (machine: number) => void): void {
    const location = this.#location(dst);
    if (location?.kind === "reg") {
      compute(location.reg);
      return;
    }
    compute(R0);
    if (location) this.#emit(asm.stx(8, FP, this.#spillOffset(location.index), R0));
  }

  #inst(inst: Inst): void {
    switch (inst.op) {
      case "move":
        this.#define(inst.dst, (to) => this.#into(to, inst.value));
        return;
      case "alu":
        this.#alu(inst);
        return;
      case "negate":
        this.#define(inst.dst, (to) => {
          this.#into(to, inst.value);
          this.#emit(asm.neg(to));
        });
        return;
      case "extend":
        this.#define(inst.dst, (to) => this.#extend(to, this.#use(inst.value, to), inst.bits, inst.signed));
        return;
      case "swap":
        this.#define(inst.dst, (to) => {
          this.#into(to, inst.value);
          this.#emit(asm.toEndian("be", to, inst.bits));
        });
        return;
      case "load": {
        const { reg, offset } = this.#address(inst.base, inst.offset);
        this.#define(inst.dst, (to) => {
          if (inst.signed && inst.size < 8 && this.#options.v4) {
            this.#emit(asm.ldxs(inst.size as 1 | 2 | 4, to, reg, offset));
            return;
          }
          this.#emit(asm.ldx(inst.size, to, reg, offset));
          if (inst.signed && inst.size < 8) this.#extend(to, to, (inst.size * 8) as 8 | 16 | 32, true);
        });
        return;
      }
      case "store": {
        const { reg, offset } = this.#address(inst.base, inst.offset);
        if (inst.value.kind === "const") {
          const value = BigInt.asIntN(inst.size * 8, inst.value.value);
          if (fits32(value)) {
            this.#emit(asm.st(inst.size, reg, offset, Number(value)));
            return;
          }
        }
        this.#emit(asm.stx(inst.size, reg, offset, this.#use(inst.value, R0)));
        return;
      }
      case "atomic-add": {
        const { reg, offset } = this.#address(inst.base, inst.offset);
        if (inst.fetch === undefined) {
          this.#emit(asm.atomic("add", inst.size, reg, offset, this.#use(inst.value, R0)));
          return;
        }
        this.#into(R0, inst.value);
        this.#emit(asm.atomic("fetch_add", inst.size, reg, offset, R0));
        this.#define(inst.fetch, (to) => to !== R0 && this.#emit(asm.mov(to, R0)));
        return;
      }
      case "call":
        this.#call(inst);
    }
  }

  #extend(to: number, from: number, bits: 8 | 16 | 32, signed: boolean): void {
    if (signed && this.#options.v4) {
      this.#emit(asm.movsx(to, from, bits));
    } else if (!signed && bits === 32) {
      this.#emit(asm.alu32("mov", to, from));
    } else {
      if (to !== from) this.#emit(asm.mov(to, from));
      if (!signed) {
        this.#emit(asm.aluImm("and", to, bits === 8 ? 0xff : 0xffff));
        return;
      }
      this.#emit(asm.aluImm("lsh", to, 64 - bits));
      this.#emit(asm.aluImm("arsh", to, 64 - bits));
    }
  }

  #alu(inst: Extract<Inst, { op: "alu" }>): void {
    const { alu, right } = inst;
    const emitReg = inst.width === 32 ? asm.alu32 : asm.alu;
    const emitImm = inst.width === 32 ? asm.alu32Imm : asm.aluImm;
    if (right.kind === "const" && fits32(right.value)) {
      this.#define(inst.dst, (to) => {
        this.#into(to, inst.left);
        this.#emit(emitImm(alu, to, Number(right.value)));
      });
      return;
    }
    const rightReg = this.#use(right, R5);
    this.#define(inst.dst, (to) => {
      const leftReg = inst.left.kind === "reg" ? this.#location(inst.left.reg) : undefined;
      const leftIsHere = leftReg?.kind === "reg" && leftReg.reg === to;
      if (rightReg === to && !leftIsHere) {
        // The result takes over the right operand's register.
        this.#into(R0, inst.left);
        this.#emit(emitReg(alu, R0, rightReg));
        this.#emit(asm.mov(to, R0));
        return;
      }
      this.#into(to, inst.left);
      this.#emit(emitReg(alu, to, rightReg));
    });
  }

  #call(inst: Extract<Inst, { op: "call" }>): void {
    const moves: { to: number; from: number }[] = [];
    const later: { to: number; value: Value }[] = [];
    inst.args.forEach((value, i) => {
      const location = value.kind === "reg" ? this.#location(value.reg) : undefined;
      if (location?.kind === "reg") moves.push({ to: i + 1, from: location.reg });
      else later.push({ to: i + 1, value });
    });
    this.#parallelMove(moves);
    for (const { to, value } of later) this.#into(to, value);
    this.#emit(inst.kfunc === undefined ? asm.call(inst.helper) : asm.callKfunc(inst.kfunc));
    if (inst.dst !== undefined) {
      this.#define(inst.dst, (to) => to !== R0 && this.#emit(asm.mov(to, R0)));
    }
  }

  #jumpTo(insn: asm.Insn, to: number): void {
    this.#jumps.push({ insn, at: this.#at, to });
    this.#emit(insn);
  }

  #end(end: Terminator, next: number | undefined): void {
    if (end.op === "return") {
      this.#into(R0, end.value);
      this.#emit(asm.exit());
      return;
    }
    if (end.op === "jump") {
      if (end.to !== next) this.#jumpTo(asm.ja(0), end.to);
      return;
    }
    const negated = asm.negatedJmp[end.condition];
    const flip = end.yes === next && negated !== undefined;
    const condition = flip ? negated : end.condition;
    const [to, otherwise] = flip ? [end.no, end.yes] : [end.yes, end.no];
    const left = this.#use(end.left, R0);
    if (end.right.kind === "const" && fits32(end.right.value)) {
      const emitImm = end.width === 32 ? asm.jmp32Imm : asm.jmpImm;
      this.#jumpTo(emitImm(condition, left, Number(end.right.value), 0), to);
    } else {
      const emitReg = end.width === 32 ? asm.jmp32 : asm.jmp;
      this.#jumpTo(emitReg(condition, left, this.#use(end.right, R5), 0), to);
    }
    if (otherwise !== next) this.#jumpTo(asm.ja(0), otherwise);
  }
}
