/**
 * Random functions, run by the kernel and by an interpreter of the IR: both must leave the same memory. Many values are
 * alive at once and helpers are called in between, so that the allocator has to spill.
 */
import { BpfMap, BpfProgram, kernelAtLeast } from "libbpf-ts";
import { expect, test } from "vitest";
import { emitProgram } from "../../../src/engine/compile/emit/bpf/program.ts";
import { Builder } from "../../../src/engine/compile/ir/build.ts";
import { foldAlu, foldCondition, foldExtend } from "../../../src/engine/compile/ir/fold.ts";
import {
  type Alu,
  type Bits,
  type Condition,
  constant,
  type Func,
  type Reg,
  reg,
  type Size,
  type Value,
} from "../../../src/engine/compile/ir/types.ts";
import { simplifyBranches } from "../../../src/engine/compile/optimise/branches.ts";
import { optimise } from "../../../src/engine/compile/optimise/index.ts";
import { relocate } from "../../../src/engine/session/load.ts";

const WORDS = 64;

/** xorshift: the same programs every time. */
function random(seed: number): (below: number) => number {
  let state = seed * 2654435761 + 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** The last two are instructions of 6.6. */
const OPS: Alu[] = [
  "add",
  "sub",
  "mul",
  "div",
  "mod",
  "or",
  "and",
  "xor",
  "lsh",
  "rsh",
  "arsh",
  "sdiv",
  "smod",
];
const TESTS: Condition[] = ["eq", "ne", "gt", "ge", "lt", "le", "sgt", "sge", "slt", "sle", "set"];
const memory = (word: number): Value => ({ kind: "map-value", map: 0, offset: word * 8 });

function randomFunction(seed: number, v4: boolean): Func {
  const next = random(seed);
  const b = new Builder("main", "main", 1);
  const slot = b.slot(64, "memory", true);
  for (let i = 0; i < 8; i++) b.store(slot, i * 8, 8, constant(i * 77));
  const alive: Reg[] = [];
  for (let i = 0; i < 14; i++) {
    const r = b.fresh();
    b.assign(r, b.load(memory(i), 0, 8));
    alive.push(r);
  }
  const any = (): Value => {
    if (next(5) > 0) return reg(alive[next(alive.length)]);
    return constant(next(3) === 0 ? BigInt(next(1 << 30)) * 0x12345n : BigInt(next(200) - 100));
  };
  const into = (value: Value) => b.assign(alive[next(alive.length)], value);
  const shift = (): Value => constant(next(63) + 1);
  const step = (depth: number): void => {
    switch (next(9)) {
      case 0:
      case 1:
      case 2: {
        const op = OPS[next(OPS.length - (v4 ? 0 : 2))];
        const isShift = op.endsWith("sh");
        // A divisor that is not known may be 0, which BPF defines, or -1.
        into(b.alu(op, any(), isShift ? shift() : any()));
        return;
      }
      case 3:
        into(b.extend(any(), [1, 2, 4][next(3)], next(2) === 0));
        return;
      case 4:
        b.store(slot, next(8) * 8, 8, any());
        return;
      case 5: {
        const size = [1, 2, 4, 8][next(4)] as Size;
        into(b.load(slot, next(8) * 8, size, next(2) === 0));
        return;
      }
      case 6:
        b.call("get_smp_processor_id");
        b.call("map_delete_elem", { kind: "map", map: 1 }, slot);
        return;
      case 7:
        b.atomicAdd(memory(20 + next(8)), 0, 8, any());
        return;
      default:
        if (depth > 3) into(b.negate(any()));
        else {
          const yes = b.block("yes", next(3) === 0);
          const no = b.block("no");
          const after = b.block("after");
          b.branch(TESTS[next(TESTS.length)], any(), any(), yes, no, 64);
          b.startBlock(yes);
          for (let i = next(4); i >= 0; i--) step(depth + 1);
          b.jump(after);
          b.startBlock(no);
          for (let i = next(3); i > 0; i--) step(depth + 1);
          b.startBlock(after);
        }
    }
  };
  for (let i = 0; i < 30; i++) step(0);
  alive.forEach((r, i) => {
    b.store(memory(32 + i), 0, 8, reg(r));
  });
  for (let i = 0; i < 8; i++) b.store(memory(50 + i), 0, 8, b.load(slot, i * 8, 8));
  b.return();
  return b.func;
}

function interpret(func: Func, words: BigInt64Array): void {
  const regs = new Map<Reg, bigint>();
  const slot = new DataView(new ArrayBuffer(64));
  const map = new DataView(words.buffer);
  const read = (v: Value): bigint => {
    if (v.kind === "const") return v.value;
    if (v.kind === "reg") return regs.get(v.reg)!;
    throw new Error(`${v.kind} is not a number`);
  };
  const at = (base: Value, offset: number): [DataView, number] => {
    if (base.kind === "slot") return [slot, base.offset + offset];
    if (base.kind === "map-value") return [map, base.offset + offset];
    throw new Error(`${base.kind} is not an address`);
  };
  const load = ([view, offset]: [DataView, number], size: Size, signed: boolean) =>
    size === 8
      ? view.getBigInt64(offset, true)
      : foldExtend(
          view.getBigInt64(offset & ~7, true) >> BigInt((offset & 7) * 8),
          (size * 8) as Bits,
          signed,
        );
  const set = (r: Reg, value: bigint) => regs.set(r, BigInt.asIntN(64, value));
  const blocks = new Map(func.blocks.map((block) => [block.id, block]));
  for (let block = func.blocks[0]; ; ) {
    for (const inst of block.code) {
      switch (inst.op) {
        case "move":
          set(inst.dst, read(inst.value));
          break;
        case "alu": {
          const folded = foldAlu(inst.alu, constant(read(inst.left)), constant(read(inst.right)), inst.width);
          set(inst.dst, (folded as { value: bigint }).value);
          break;
        }
        case "negate":
          set(inst.dst, -read(inst.value));
          break;
        case "extend":
          set(inst.dst, foldExtend(read(inst.value), inst.bits, inst.signed));
          break;
        case "load":
          set(inst.dst, load(at(inst.base, inst.offset), inst.size, inst.signed));
          break;
        case "store":
        case "atomic-add": {
          const [view, offset] = at(inst.base, inst.offset);
          const old = inst.op === "store" ? 0n : view.getBigInt64(offset, true);
          view.setBigInt64(offset, BigInt.asIntN(64, old + read(inst.value)), true);
          break;
        }
        case "call":
          break;
        default:
          throw new Error(inst.op);
      }
    }
    const { end } = block;
    if (end.op === "return") return;
    if (end.op === "jump") block = blocks.get(end.to)!;
    else {
      const holds = foldCondition(end.condition, read(end.left), read(end.right), end.width);
      block = blocks.get(holds ? end.yes : end.no)!;
    }
  }
}

function inputs(seed: number): BigInt64Array {
  const next = random(seed + 999);
  const words = new BigInt64Array(WORDS);
  for (let i = 0; i < 14; i++) {
    const small = BigInt(next(20) - 10);
    words[i] = next(2) === 0 ? small : BigInt.asIntN(64, BigInt(next(1 << 31)) * BigInt(next(1 << 31)) * 31n);
  }
  return words;
}

const variants: [name: string, v4: boolean][] = [["with the oldest instructions", false]];
if (kernelAtLeast("6.6")) variants.push(["with 6.6's instructions", true]);

test.each(variants)("compiled and interpreted functions agree, %s", (_name, v4) => {
  const bytes = WORDS * 8;
  using data = BpfMap.create({ type: "array", keySize: 4, valueSize: bytes, maxEntries: 1 });
  using other = BpfMap.create({ type: "hash", keySize: 8, valueSize: 8, maxEntries: 1 });
  for (let seed = 1; seed <= 60; seed++) {
    const func = randomFunction(seed, v4);
    const program = { name: "random", functions: [func] };
    // The kernel refuses code that nothing reaches.
    const reachable = { name: "random", functions: [simplifyBranches(func)] };
    const expected = inputs(seed);
    interpret(func, expected);
    for (const ir of [reachable, optimise(program)]) {
      const emitted = emitProgram(ir, { v4 });
      using loaded = BpfProgram.load({
        type: "raw_tracepoint",
        instructions: relocate({ ...emitted, name: "random", type: "raw_tracepoint" }, [data, other]),
      });
      data.update(new Uint8Array(4), new Uint8Array(inputs(seed).buffer));
      loaded.testRun();
      const value = data.lookup(new Uint8Array(4))!;
      const actual = new BigInt64Array(value.slice().buffer);
      expect([...actual], `seed ${seed}`).toEqual([...expected]);
    }
  }
});
