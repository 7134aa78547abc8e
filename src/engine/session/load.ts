/**
 * Plan → kernel objects: maps are created, programs get the maps' descriptors and are loaded. Nothing is attached yet.
 *
 * Programs are loaded without line information; only one that the verifier refuses is loaded again with it, so that the
 * log quotes the script.
 */
import { totalmem } from "node:os";
import {
  BpfMap,
  BpfProgram,
  BtfObject,
  BtfWriter,
  encodeFuncInfo,
  encodeLineInfo,
  MapFlag,
  type ProgramSpec,
  VerifierError,
} from "libbpf-ts";
import type { Span } from "../compile/diagnostic.ts";
import type { MapPlan, Plan, ProgramPlan } from "../compile/plan.ts";

/** Finds a span's first line in the script. */
export type LocateLine = (span: Span) => { file: string; text: string; line: number; column: number };

const PSEUDO_MAP_FD = 1;
const PSEUDO_MAP_VALUE = 2;

/** Part of the machine's memory that the ring of events may take, unless the script sets its size. */
const RING_SHARE = 256;
const LEAST_RING = 64 * 1024;

/** The ring's size as planned, or less where memory is scarce. A power of two, as the kernel wants it. */
export function eventRingBytes(planned: number, memory = totalmem()): number {
  const most = 2 ** Math.floor(Math.log2(memory / RING_SHARE));
  return Math.max(Math.min(planned, most), Math.min(planned, LEAST_RING));
}

/** A script that prints nothing itself has a ring of events only for the position that its control records name. */
const writesEvents = (plan: Plan): boolean => plan.actions.some(({ control }) => !control);

/** One of those that an array of maps may hold. */
export const createInner = (valueSize: number, maxEntries: number): BpfMap =>
  BpfMap.create({ type: "array", name: "inner", keySize: 4, valueSize, maxEntries, flags: MapFlag.innerMap });

function createMap(map: MapPlan, plan: Plan): BpfMap {
  const globals = map.role === "globals";
  const ring = map.role === "events" && plan.config.perfRbPages === undefined;
  using inner = map.inner && createInner(map.inner.valueSize, 1);
  const created = BpfMap.create({
    type: map.type,
    name: map.name.replace(/^@/, "at_"),
    keySize: map.keySize,
    valueSize: map.valueSize,
    maxEntries: ring ? eventRingBytes(writesEvents(plan) ? map.maxEntries : LEAST_RING) : map.maxEntries,
    flags: globals ? map.flags | MapFlag.mmapable : map.flags,
    innerMapFd: inner?.fd,
  });
  if (map.initial) created.update(new Uint8Array(map.keySize), map.initial);
  return created;
}

/** All maps of a plan, in its order. */
export function createMaps(plan: Plan): BpfMap[] {
  const maps: BpfMap[] = [];
  try {
    for (const map of plan.maps) maps.push(createMap(map, plan));
    return maps;
  } catch (error) {
    for (const map of maps) map[Symbol.dispose]();
    throw error;
  }
}

/** The program's instructions with the maps' descriptors in place. */
export function relocate(program: ProgramPlan, maps: readonly { fd: number }[]): Uint8Array {
  const bytes = program.instructions.slice();
  const view = new DataView(bytes.buffer);
  for (const { instruction, map, kind, offset } of program.relocations) {
    const at = instruction * 8;
    const source = kind === "map" ? PSEUDO_MAP_FD : PSEUDO_MAP_VALUE;
    bytes[at + 1] = (bytes[at + 1] & 0x0f) | (source << 4);
    view.setInt32(at + 4, maps[map].fd, true);
    view.setInt32(at + 12, kind === "map" ? 0 : offset, true);
  }
  return bytes;
}

/** func_info, and line_info where `locate` is given. */
function describe(program: ProgramPlan, locate: LocateLine | undefined) {
  const writer = new BtfWriter();
  const integer = writer.int("long", 8, { signed: true });
  const pointer = writer.ptr(0);
  const taking = (count: number) =>
    writer.funcProto(
      integer,
      Array.from({ length: count }, (_, i) => ({ name: `a${i}`, type: pointer })),
    );
  const signatures = { main: taking(1), callback: taking(4), subprogram: taking(1) };
  const functions = program.functions.some((f) => f.instruction === 0)
    ? program.functions
    : [{ instruction: 0, name: program.name, kind: "main" as const }, ...program.functions];
  const funcInfo = encodeFuncInfo(
    functions.map(({ instruction, name, kind }) => ({
      insnOff: instruction,
      typeId: writer.func(name.replace(/[^A-Za-z0-9_]/g, "_"), signatures[kind]),
    })),
  );
  if (!locate || program.lines.length === 0) return { bytes: writer.build(), funcInfo };
  const place = (instruction: number, span: Span) => {
    const { file, text, line, column } = locate(span);
    return {
      insnOff: instruction,
      fileNameOff: writer.string(file),
      lineOff: writer.string(text),
      line,
      column,
    };
  };
  const lines = program.lines.map(({ instruction, span }) => place(instruction, span));
  const starts = new Set(lines.map((line) => line.insnOff));
  // The kernel wants a line at the first instruction of every function.
  for (const { instruction } of functions) {
    if (!starts.has(instruction)) lines.push({ ...lines[0], insnOff: instruction });
  }
  lines.sort((a, b) => a.insnOff - b.insnOff);
  return { bytes: writer.build(), funcInfo, lineInfo: encodeLineInfo(lines) };
}

const ATTACH_TYPES = {
  trace_raw_tp: "trace_raw_tp",
  trace_fentry: "trace_fentry",
  trace_fexit: "trace_fexit",
  trace_iter: "trace_iter",
  kprobe_multi: "trace_kprobe_multi",
  uprobe_multi: "trace_uprobe_multi",
} as const;

/** Loads one program; throws VerifierError with a log that quotes the script, or SysError. */
export function loadProgram(
  program: ProgramPlan,
  plan: Plan,
  maps: readonly BpfMap[],
  locate: LocateLine,
  logLevel = 0,
): BpfProgram {
  const { expectedAttach, attachBtf } = program;
  using target = attachBtf?.program === undefined ? undefined : BpfProgram.open(attachBtf.program);
  using moduleBtf =
    attachBtf && !target && attachBtf.module !== "vmlinux"
      ? BtfObject.openModule(attachBtf.module)
      : undefined;
  const spec: ProgramSpec = {
    type: program.type,
    name: program.name,
    license: plan.license,
    instructions: relocate(program, maps),
    expectedAttachType: expectedAttach && ATTACH_TYPES[expectedAttach],
    attachBtfId: attachBtf?.id,
    attachBtfFd: moduleBtf?.fd,
    attachProgFd: target?.fd,
    logLevel,
  };
  const load = (withLines: boolean) => {
    const { bytes, ...info } = describe(program, withLines ? locate : undefined);
    using btf = BtfObject.load(bytes);
    return BpfProgram.load({ ...spec, ...info, btfFd: btf.fd });
  };
  const needsFunctions = program.functions.length > 1;
  try {
    return needsFunctions || logLevel > 0 ? load(logLevel > 0) : BpfProgram.load(spec);
  } catch (error) {
    if (!(error instanceof VerifierError) || logLevel > 0) throw error;
    try {
      return load(true);
    } catch (withLines) {
      throw withLines instanceof VerifierError ? withLines : error;
    }
  }
}
