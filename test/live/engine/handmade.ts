/** Plans put together by hand: the engine is tested with them apart from the compiler. */
import * as asm from "libbpf-ts/asm";
import type {
  ActionPlan,
  MapPlan,
  Plan,
  ProbePlan,
  ProgramPlan,
  Relocation,
} from "../../../src/engine/compile/plan.ts";
import type { Attach } from "../../../src/engine/compile/typed.ts";
import { INT64, type Type } from "../../../src/engine/compile/types.ts";

const span = { start: 0, end: 1 };

/** Script map "@" (0): a per-CPU count; globals (1); events (2); control (3); further maps may follow. */
export const COUNT = 0;
export const GLOBALS = 1;
export const EVENTS = 2;
export const CONTROL = 3;

const mapDefaults = { keySize: 4, valueSize: 8, maxEntries: 1, flags: 0 };

function maps(value: Type, key?: Type): MapPlan[] {
  const keyed = key !== undefined;
  return [
    {
      ...mapDefaults,
      name: "@",
      role: "script",
      type: keyed ? "percpu_hash" : "percpu_array",
      keySize: keyed ? 8 : 4,
      maxEntries: keyed ? 1024 : 1,
      script: { value, key },
    },
    { ...mapDefaults, name: "globals", role: "globals", type: "array", valueSize: 64 },
    {
      name: "events",
      role: "events",
      type: "ringbuf",
      keySize: 0,
      valueSize: 0,
      maxEntries: 1 << 20,
      flags: 0,
    },
    {
      name: "control",
      role: "control",
      type: "ringbuf",
      keySize: 0,
      valueSize: 0,
      maxEntries: 1 << 16,
      flags: 0,
    },
  ];
}

export interface Piece {
  type: ProgramPlan["type"];
  instructions: readonly asm.Insn[];
  /** Map references by place in `instructions`. */
  references?: Omit<Relocation, "instruction">[];
  probes: { via: ProbePlan["via"]; attach: Attach; name: string }[];
}

/** Marks a two-slot load that `references` fills in, in order. */
export const mapReference = (register: number): asm.Insn => asm.ldImm64(register, 0);

function program(piece: Piece, index: number): ProgramPlan {
  const relocations: Relocation[] = [];
  let slot = 0;
  for (const instruction of piece.instructions) {
    const reference = asm.slots(instruction) === 2 ? piece.references?.[relocations.length] : undefined;
    if (reference) relocations.push({ instruction: slot, ...reference });
    slot += asm.slots(instruction);
  }
  return {
    name: `p${index}`,
    type: piece.type,
    instructions: asm.encode(piece.instructions),
    relocations,
    functions: [],
    lines: [{ instruction: 0, span }],
  };
}

export interface PlanParts {
  pieces: Piece[];
  actions?: Pick<ActionPlan, "action" | "control" | "arguments" | "size">[];
  value?: Type;
  key?: Type;
  missingProbes?: "error" | "warn" | "ignore";
}

export function handmadePlan(parts: PlanParts): Plan {
  return {
    programs: parts.pieces.map(program),
    probes: parts.pieces.flatMap((piece, i) => piece.probes.map((probe) => ({ ...probe, span, program: i }))),
    maps: maps(parts.value ?? { kind: "count" }, parts.key),
    actions: (parts.actions ?? []).map((action) => ({ ...action, span })),
    strings: [],
    stackMaps: [],
    captures: [],
    globals: {
      map: GLOBALS,
      enabled: 0,
      cpid: 4,
      startTime: 8,
      eventsLost: 16,
      stacksLost: 24,
      stacksKept: 64,
      taiOffset: 72,
      stringsTruncated: 32,
      unwind: { lacking: 80, pid: 88 },
      mapFull: 40,
      packetsLost: 96,
      size: 104,
    },
    config: { missingProbes: parts.missingProbes ?? "error" } as Plan["config"],
    options: [],
    license: "GPL",
  };
}

/** `if (!enabled) return 0`, as the first instructions of a program; its reference comes first. */
export const checkEnabled: readonly asm.Insn[] = [
  mapReference(1),
  asm.ldx(4, 1, 1, 0),
  asm.jmpImm("ne", 1, 0, 2),
  asm.movImm(0, 0),
  asm.exit(),
];
export const enabledReference = { map: GLOBALS, kind: "value", offset: 0 } as const;

/** `@ = count()` on the per-CPU array. */
export const countUp: readonly asm.Insn[] = [
  asm.st(4, 10, -4, 0),
  asm.mov(2, 10),
  asm.aluImm("add", 2, -4),
  mapReference(1),
  asm.call("map_lookup_elem"),
  asm.jmpImm("eq", 0, 0, 3),
  asm.ldx(8, 1, 0, 0),
  asm.aluImm("add", 1, 1),
  asm.stx(8, 0, 0, 1),
];
export const countReference = { map: COUNT, kind: "map", offset: 0 } as const;

export const done: readonly asm.Insn[] = [asm.movImm(0, 0), asm.exit()];

/** A record of `action` with one s64 argument, by bpf_ringbuf_output; one map reference. */
export function emitRecord(action: number, argument: number): readonly asm.Insn[] {
  return [
    asm.st(4, 10, -16, action),
    asm.st(4, 10, -12, 0),
    asm.st(8, 10, -8, argument),
    mapReference(1),
    asm.mov(2, 10),
    asm.aluImm("add", 2, -16),
    asm.movImm(3, 16),
    asm.movImm(4, 1),
    asm.call("ringbuf_output"),
  ];
}
export const eventsReference = { map: EVENTS, kind: "map", offset: 0 } as const;

/** A control record of `action`: how far the events ring was written, then one s64. Two map references. */
export function emitControl(action: number, argument: number): readonly asm.Insn[] {
  return [
    mapReference(1),
    asm.movImm(2, 3),
    asm.call("ringbuf_query"),
    asm.st(4, 10, -24, action),
    asm.st(4, 10, -20, 0),
    asm.stx(8, 10, -16, 0),
    asm.st(8, 10, -8, argument),
    mapReference(1),
    asm.mov(2, 10),
    asm.aluImm("add", 2, -24),
    asm.movImm(3, 24),
    asm.movImm(4, 1),
    asm.call("ringbuf_output"),
  ];
}
export const controlReferences = [eventsReference, { map: CONTROL, kind: "map", offset: 0 }] as const;

export const printAction = (offset = 8) => ({
  action: { kind: "printf", format: "%d\n" } as const,
  control: false,
  arguments: [{ type: INT64, offset }],
  size: offset + 8,
});
export const exitAction = () => ({
  action: { kind: "exit" } as const,
  control: true,
  arguments: [{ type: INT64, offset: 16 }],
  size: 24,
});
