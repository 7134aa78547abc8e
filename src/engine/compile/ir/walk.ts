/** What an instruction reads and writes, and where a block goes: what every pass asks first. */
import type { Func, Inst, Reg, Terminator, Value } from "./types.ts";

/** The values that an instruction or terminator reads. */
export function operands(inst: Inst | Terminator): Value[] {
  switch (inst.op) {
    case "move":
    case "negate":
    case "extend":
    case "swap":
    case "return":
      return [inst.value];
    case "alu":
    case "branch":
      return [inst.left, inst.right];
    case "load":
      return [inst.base];
    case "store":
    case "atomic-add":
      return [inst.base, inst.value];
    case "call":
      return inst.args;
    case "jump":
      return [];
  }
}

/** The same instruction with each value it reads replaced. */
export function mapOperands<T extends Inst | Terminator>(inst: T, map: (value: Value) => Value): T {
  const i = inst as Inst | Terminator;
  switch (i.op) {
    case "move":
    case "negate":
    case "extend":
    case "swap":
    case "return":
      return { ...i, value: map(i.value) } as T;
    case "alu":
    case "branch":
      return { ...i, left: map(i.left), right: map(i.right) } as T;
    case "load":
      return { ...i, base: map(i.base) } as T;
    case "store":
    case "atomic-add":
      return { ...i, base: map(i.base), value: map(i.value) } as T;
    case "call":
      return { ...i, args: i.args.map(map) } as T;
    case "jump":
      return inst;
  }
}

/** The register that an instruction writes. */
export function target(inst: Inst): Reg | undefined {
  switch (inst.op) {
    case "store":
      return undefined;
    case "atomic-add":
      return inst.fetch;
    default:
      return inst.dst;
  }
}

export function successors(end: Terminator): number[] {
  if (end.op === "jump") return [end.to];
  if (end.op === "branch") return end.yes === end.no ? [end.yes] : [end.yes, end.no];
  return [];
}

/** Registers that an instruction or terminator reads. */
export function* reads(inst: Inst | Terminator): Generator<Reg> {
  for (const value of operands(inst)) if (value.kind === "reg") yield value.reg;
}

/** How often each register is assigned, parameters counting once. */
export function definitionCounts(func: Func): Uint32Array {
  const counts = new Uint32Array(func.registers);
  for (const parameter of func.parameters) counts[parameter]++;
  for (const block of func.blocks) {
    for (const inst of block.code) {
      const dst = target(inst);
      if (dst !== undefined) counts[dst]++;
    }
  }
  return counts;
}

/** Block ids → the ids of blocks that go there. */
export function predecessors(func: Func): Map<number, number[]> {
  const result = new Map<number, number[]>(func.blocks.map((block) => [block.id, []]));
  for (const block of func.blocks) for (const to of successors(block.end)) result.get(to)!.push(block.id);
  return result;
}

/** Registers alive where each block begins and ends, by block id. */
export function liveness(func: Func): { into: Map<number, Set<Reg>>; out: Map<number, Set<Reg>> } {
  const into = new Map<number, Set<Reg>>();
  const out = new Map<number, Set<Reg>>();
  const uses = new Map<number, Set<Reg>>();
  const defs = new Map<number, Set<Reg>>();
  for (const block of func.blocks) {
    const use = new Set<Reg>();
    const def = new Set<Reg>();
    for (const inst of block.code) {
      for (const r of reads(inst)) if (!def.has(r)) use.add(r);
      const dst = target(inst);
      if (dst !== undefined) def.add(dst);
    }
    for (const r of reads(block.end)) if (!def.has(r)) use.add(r);
    uses.set(block.id, use);
    defs.set(block.id, def);
    into.set(block.id, new Set(use));
    out.set(block.id, new Set());
  }
  const order = [...func.blocks].reverse();
  for (let changed = true; changed; ) {
    changed = false;
    for (const block of order) {
      const o = out.get(block.id)!;
      const i = into.get(block.id)!;
      const def = defs.get(block.id)!;
      for (const to of successors(block.end)) {
        for (const r of into.get(to)!) {
          if (o.has(r)) continue;
          o.add(r);
          changed = true;
          if (!def.has(r)) i.add(r);
        }
      }
    }
  }
  return { into, out };
}
