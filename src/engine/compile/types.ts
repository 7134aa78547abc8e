/**
 * The types of the language, and how each lies in memory.
 *
 * One description serves the checker (what may be done with a value), the code generator (where its bytes go: stack,
 * map key, map value, ring buffer record) and the decoder on the other side (how to read those bytes back).
 * `sizeOf`, `alignOf` and `tupleLayout` are the only places that know the layout.
 */

export type AddressSpace = "kernel" | "user" | "bpf" | "none";

export type StackMode = "bpftrace" | "perf" | "raw" | "build_id";

/** A member of a struct or union. `bit` is set for bit-fields: position from the start of the field's storage unit. */
export interface Field {
  name: string;
  type: Type;
  /** Bytes from the start of the struct. For a bit-field: of its storage unit. */
  offset: number;
  bit?: { offset: number; width: number };
  /** Tracepoint `__data_loc`: the u32 here holds (length << 16 | offset from the record's start). */
  dataLoc?: boolean;
  /** `__rel_loc`: as dataLoc, the offset counted from the end of this field. */
  relLoc?: boolean;
}

export interface StructLayout {
  size: number;
  align: number;
  fields: Field[];
}

export type IntType = {
  kind: "int";
  size: 1 | 2 | 4 | 8;
  signed: boolean /** Prints names for values. */;
  enum?: EnumType;
  /** What the number stands for, where it came from a builtin or field that says so: screens tell more about it. */
  identity?: Identity;
};

/** A process or thread as the tracer's pid namespace numbers it, or the initial one; a cgroup of version 2. */
export type Identity = "process" | "process.init" | "cgroup";

export interface EnumType {
  name: string;
  /** Value (as a decimal string) → name. */
  names: ReadonlyMap<bigint, string>;
}

export type Type =
  | { kind: "void" }
  | IntType
  | { kind: "bool" }
  /** `size` bytes, NUL-padded; the terminator counts. */
  | { kind: "string"; size: number }
  /** u32 length, then `size` bytes. */
  | { kind: "buffer"; size: number }
  | { kind: "pointer"; to: Type; space: AddressSpace }
  | { kind: "array"; of: Type; length: number }
  /** Kernel structs are many and recursive: the layout is looked up when asked for. */
  | { kind: "struct"; name: string; union: boolean; layout: () => StructLayout; space?: AddressSpace }
  | { kind: "tuple"; elements: Type[] /** A record's field names, one per element. */; names?: string[] }
  /** s64 hash of the frames (0: there are none; negative: an error), u32 pid, u32 index into Plan.stackMaps. 16 bytes. */
  | { kind: "stack"; space: "kernel" | "user"; mode: StackMode; depth: number }
  /** u64 address. */
  | { kind: "ksym" }
  /** u64 address, u32 pid, u32 probe index + 1 (0: none). 16 bytes. */
  | { kind: "usym" }
  /** u32 address family (2 or 10), 16 bytes. 20 bytes. */
  | { kind: "inet" }
  | { kind: "macaddr" }
  /** strftime(): u64 nanoseconds, u32 index into Plan.strings (the format), u32 clock (0 boot, 1 monotonic, 2 tai). 16 bytes. */
  | { kind: "timestamp" }
  /** u64 cgroup id, u32 index + 1 into Plan.strings (the filter; 0: none), u32 zero. 16 bytes. */
  | { kind: "cgroupPath" }
  /** u32 uid. */
  | { kind: "username" }
  /** u32 index into Plan.probes: shown as the probe's full name. */
  | { kind: "probe" }
  | AggregationType;

/**
 * What a map holds for `count()` and its kind. In 8-byte words, per CPU unless the map says otherwise:
 * count [n] · sum [n] · avg, stats [count, total] · min, max [value, set] · hist, lhist [bucket 0, bucket 1, …] ·
 * tseries [per interval: epoch, value, count].
 */
export type AggregationType =
  | { kind: "count" }
  | { kind: "sum"; signed: boolean }
  | { kind: "avg"; signed: boolean }
  | { kind: "stats"; signed: boolean }
  | { kind: "min"; signed: boolean }
  | { kind: "max"; signed: boolean }
  | { kind: "hist"; bits: number }
  | { kind: "lhist"; min: bigint; max: bigint; step: bigint }
  | {
      kind: "tseries";
      interval: bigint;
      intervals: number;
      agg: "last" | "avg" | "min" | "max" | "sum";
      signed: boolean;
    };

export const AGGREGATIONS = [
  "count",
  "sum",
  "avg",
  "stats",
  "min",
  "max",
  "hist",
  "lhist",
  "tseries",
] as const;

export const isAggregation = (type: Type): type is AggregationType =>
  (AGGREGATIONS as readonly string[]).includes(type.kind);

export const int = (size: 1 | 2 | 4 | 8, signed: boolean): IntType => ({ kind: "int", size, signed });
export const INT64 = int(8, true);
export const UINT64 = int(8, false);
export const INT32 = int(4, true);
export const BOOL: Type = { kind: "bool" };
export const VOID: Type = { kind: "void" };

export const roundUp = (value: number, to: number): number => Math.ceil(value / to) * to;

/**
 * Number of 8-byte buckets in a log2 histogram with 2^bits buckets per power of two. Bucket 0 counts negative values;
 * bucket 1 + v counts v for v < 2^bits; after that each power of two has 2^bits buckets.
 */
export const histBuckets = (bits: number): number => 1 + (1 << bits) + (64 - bits) * (1 << bits);

/** Buckets of a linear histogram: below min, the steps, at or above max. */
export const lhistBuckets = (type: { min: bigint; max: bigint; step: bigint }): number =>
  Number((type.max - type.min + type.step - 1n) / type.step) + 2;

const FIXED: Partial<Record<Type["kind"], { size: number; align: number }>> = {
  void: { size: 0, align: 1 },
  bool: { size: 1, align: 1 },
  pointer: { size: 8, align: 8 },
  stack: { size: 16, align: 8 },
  ksym: { size: 8, align: 8 },
  usym: { size: 16, align: 8 },
  inet: { size: 20, align: 4 },
  macaddr: { size: 6, align: 1 },
  timestamp: { size: 16, align: 8 },
  cgroupPath: { size: 16, align: 8 },
  username: { size: 4, align: 4 },
  probe: { size: 4, align: 4 },
  count: { size: 8, align: 8 },
  sum: { size: 8, align: 8 },
  avg: { size: 16, align: 8 },
  stats: { size: 16, align: 8 },
  min: { size: 16, align: 8 },
  max: { size: 16, align: 8 },
};

/** Bytes that a value of the type takes. */
export function sizeOf(type: Type): number {
  switch (type.kind) {
    case "int":
      return type.size;
    case "string":
      return type.size;
    case "buffer":
      return roundUp(4 + type.size, 4);
    case "array":
      return sizeOf(type.of) * type.length;
    case "struct":
      return type.layout().size;
    case "tuple":
      return tupleLayout(type.elements).size;
    case "hist":
      return histBuckets(type.bits) * 8;
    case "lhist":
      return lhistBuckets(type) * 8;
    case "tseries":
      return type.intervals * 24;
    default:
      return FIXED[type.kind]!.size;
  }
}

/** Alignment in bytes, as C would lay it out. */
export function alignOf(type: Type): number {
  switch (type.kind) {
    case "int":
      return type.size;
    case "string":
      return 1;
    case "buffer":
      return 4;
    case "array":
      return alignOf(type.of);
    case "struct":
      return type.layout().align;
    case "tuple":
      return Math.max(1, ...type.elements.map(alignOf));
    case "hist":
    case "lhist":
    case "tseries":
      return 8;
    default:
      return FIXED[type.kind]!.align;
  }
}

/** Offsets of a tuple's elements and its size, aligned as a C struct. Padding is always zero. */
export function tupleLayout(elements: readonly Type[]): { offsets: number[]; size: number } {
  let offset = 0;
  let align = 1;
  const offsets: number[] = [];
  for (const element of elements) {
    const a = alignOf(element);
    align = Math.max(align, a);
    offset = roundUp(offset, a);
    offsets.push(offset);
    offset += sizeOf(element);
  }
  return { offsets, size: roundUp(offset, align) };
}

/** Bytes of one frame where stacks are kept: an address, or s32 status, 20 bytes of build id, u64 file offset or address. */
export const stackFrameBytes = ({ mode }: { mode: StackMode }): number => (mode === "build_id" ? 32 : 8);
