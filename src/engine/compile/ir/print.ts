/** IR as text, for `run -d ir` and for tests: one line per instruction, C-like. */
import type { Func, Inst, ProgramIr, Terminator, Value } from "./types.ts";

const SIGNS: Record<string, string> = {
  add: "+",
  sub: "-",
  mul: "*",
  div: "/",
  mod: "%",
  sdiv: "s/",
  smod: "s%",
  or: "|",
  and: "&",
  xor: "^",
  lsh: "<<",
  rsh: ">>",
  arsh: "s>>",
  eq: "==",
  ne: "!=",
  gt: ">",
  ge: ">=",
  lt: "<",
  le: "<=",
  sgt: "s>",
  sge: "s>=",
  slt: "s<",
  sle: "s<=",
  set: "&",
};

export type MapNames = (map: number) => string;

const plus = (offset: number): string => (offset === 0 ? "" : offset > 0 ? `+${offset}` : `${offset}`);

function value(v: Value, maps: MapNames): string {
  switch (v.kind) {
    case "reg":
      return `%${v.reg}`;
    case "const":
      return String(v.value);
    case "slot":
      return `&slot${v.slot}${plus(v.offset)}`;
    case "map":
      return `map(${maps(v.map)})`;
    case "map-value":
      return `&${maps(v.map)}${plus(v.offset)}`;
    case "function":
      return `&${v.name}()`;
  }
}

export function printInst(inst: Inst, maps: MapNames = (m) => `map${m}`): string {
  const text = (v: Value) => value(v, maps);
  const cell = (size: number, signed: boolean, base: Value, offset: number) =>
    `${signed ? "s" : "u"}${size * 8}[${text(base)}${plus(offset)}]`;
  const width = (w: number) => (w === 32 ? "w" : "");
  switch (inst.op) {
    case "move":
      return `%${inst.dst} = ${text(inst.value)}`;
    case "alu":
      return `%${inst.dst} = ${text(inst.left)} ${width(inst.width)}${SIGNS[inst.alu]} ${text(inst.right)}`;
    case "negate":
      return `%${inst.dst} = -${text(inst.value)}`;
    case "extend":
      return `%${inst.dst} = (${inst.signed ? "s" : "u"}${inst.bits})${text(inst.value)}`;
    case "swap":
      return `%${inst.dst} = swap${inst.bits} ${text(inst.value)}`;
    case "load":
      return `%${inst.dst} = ${cell(inst.size, inst.signed, inst.base, inst.offset)}`;
    case "store":
      return `${cell(inst.size, false, inst.base, inst.offset)} = ${text(inst.value)}`;
    case "atomic-add":
      return `${inst.fetch === undefined ? "" : `%${inst.fetch} = `}atomic ${cell(inst.size, false, inst.base, inst.offset)} += ${text(inst.value)}`;
    case "call":
      return `${inst.dst === undefined ? "" : `%${inst.dst} = `}${inst.helper}(${inst.args.map(text).join(", ")})`;
  }
}

function printEnd(end: Terminator, maps: MapNames, label: (id: number) => string): string {
  switch (end.op) {
    case "jump":
      return `goto ${label(end.to)}`;
    case "branch":
      return `if ${value(end.left, maps)} ${end.width === 32 ? "w" : ""}${SIGNS[end.condition]} ${value(end.right, maps)} goto ${label(end.yes)} else ${label(end.no)}`;
    case "return":
      return `return ${value(end.value, maps)}`;
  }
}

export function printFunc(func: Func, maps: MapNames = (m) => `map${m}`): string {
  const label = (id: number) => `${func.blocks.find((b) => b.id === id)?.name ?? "block"}.${id}`;
  const parameters = func.parameters.map((p) => `%${p}`).join(", ");
  const lines = [`${func.kind} ${func.name}(${parameters})`];
  func.slots.forEach((slot, i) => {
    lines.push(`  slot${i}: ${slot.size} bytes (${slot.name})`);
  });
  for (const block of func.blocks) {
    lines.push(`${label(block.id)}:${block.cold ? " (cold)" : ""}`);
    for (const inst of block.code) lines.push(`  ${printInst(inst, maps)}`);
    lines.push(`  ${printEnd(block.end, maps, label)}`);
  }
  return lines.join("\n");
}

export function printIr(programs: readonly ProgramIr[], maps?: MapNames): string {
  return programs
    .map(
      (program) =>
        `program ${program.name}\n${program.functions.map((f) => printFunc(f, maps)).join("\n\n")}`,
    )
    .join("\n\n");
}
