/**
 * What the compiler makes: everything the engine needs to load, attach, read and print a script, as plain data. It
 * holds no descriptor and no address of this boot except those the script asked for (kaddr).
 */
import type { Span } from "./diagnostic.ts";
import type { Config, EmitAction, Probe } from "./typed.ts";
import type { Type } from "./types.ts";

export interface Plan {
  programs: ProgramPlan[];
  /** Every attach point, expanded. A probe's index here is its attach cookie, and what programs know of its name. */
  probes: ProbePlan[];
  maps: MapPlan[];
  /** Index = the u32 that opens a ring buffer record. */
  actions: ActionPlan[];
  /** strftime formats, cgroup filters, … by index. */
  strings: string[];
  /** Indices into `maps` of the maps that keep stacks, by the index that stack values carry: hash → frames, zeros behind. */
  stackMaps: number[];
  /** What skboutput() writes, by the index that opens its records. */
  captures: CapturePlan[];
  /** Offsets of the words in the "globals" map that the engine reads and writes. */
  globals: GlobalsLayout;
  config: Config;
  options: { name: string; type: "bool" | "int" | "string"; default: string; description?: string }[];
  license: string;
}

/** Packets that go to one file, without their first `offset` bytes. */
export interface CapturePlan {
  path: string;
  offset: number;
  span: Span;
}

/** One BPF program. Programs that only attach to different functions share their arrays. */
export interface ProgramPlan {
  /** At most 15 characters, [A-Za-z0-9_.]. */
  name: string;
  type: "tracepoint" | "raw_tracepoint" | "perf_event" | "kprobe" | "tracing" | "xdp";
  /** For tracing: which, and the BTF id and object it is checked against. For kprobe: multi when attached so. */
  expectedAttach?:
    | "trace_raw_tp"
    | "trace_fentry"
    | "trace_fexit"
    | "trace_iter"
    | "kprobe_multi"
    | "uprobe_multi";
  attachBtf?: { module: string; id: number; program?: number };
  /** Encoded instructions, 8 bytes each; map references hold zero until relocated. */
  instructions: Uint8Array;
  relocations: Relocation[];
  /** Sub-programs and callbacks, when there are any: instruction index and name. */
  functions: { instruction: number; name: string; kind: "main" | "callback" | "subprogram" }[];
  /** Instruction index → place in the script, ascending. */
  lines: { instruction: number; span: Span }[];
}

/** Two-slot load at `instruction` takes the map's descriptor, or the address of its value plus offset. */
export interface Relocation {
  instruction: number;
  map: number;
  kind: "map" | "value";
  offset: number;
}

export interface ProbePlan extends Probe {
  program: number;
  /** Attach cookie, where it is not the probe's own index: that of the first probe of the same name. */
  cookie?: number;
  /**
   * How the program is attached for this probe. `raw-syscall`: through raw_syscalls, dispatched in the program; probes
   * with the same program share one link.
   */
  via:
    | "begin"
    | "end"
    | "tracepoint"
    | "raw-tracepoint"
    | "raw-syscall"
    | "perf-event"
    | "kprobe"
    | "kprobe-multi"
    | "uprobe"
    | "uprobe-multi"
    | "usdt"
    | "fentry"
    | "iter"
    | "signal"
    | "bench"
    | "test";
}

export interface MapPlan {
  /** "@x" for script maps; "events", "control", "globals", "scratch", "stacks_127", … for the rest. */
  name: string;
  role:
    | "script"
    | "events"
    | "control"
    | "globals"
    | "scratch"
    | "constants"
    | "stacks"
    | "packets"
    | "unwind"
    | "internal";
  type:
    | "hash"
    | "lru_hash"
    | "percpu_hash"
    | "lru_percpu_hash"
    | "array"
    | "percpu_array"
    | "ringbuf"
    | "perf_event_array"
    | "array_of_maps";
  keySize: number;
  valueSize: number;
  maxEntries: number;
  /** BPF_F_NO_PREALLOC, BPF_F_MMAPABLE, … */
  flags: number;
  /** Initial bytes of entry 0, for constants. */
  initial?: Uint8Array;
  /** Of the maps in an array of maps: arrays of any length. */
  inner?: { valueSize: number };
  /** For script maps. Scalar maps are one-entry arrays: the u32 index is no key. */
  script?: {
    key?: Type;
    value: Type;
    /** Scalar arrays always have entry 0: a word at this offset in the value tells if it was ever set (absent: shown always once written; see `present`). */
    present?: { offset: number };
  };
}

/** A record is: u32 action, u32 probe index, then the arguments at their offsets (from the record's start). */
export interface ActionPlan {
  action: PlannedAction;
  arguments: { type: Type; offset: number }[];
  /** Bytes of a record. */
  size: number;
  span: Span;
  /** Control records: u64 at offset 8 is the events ring's producer position when it was written; arguments follow. */
  control: boolean;
}

/** EmitAction with maps by index into Plan.maps. */
export type PlannedAction =
  | Exclude<EmitAction, { map: unknown }>
  | { kind: "print-map"; map: number; top?: number; div?: number }
  | { kind: "print-map-item"; map: number }
  | { kind: "clear" | "zero"; map: number };

/** Nanoseconds after which the programs of a guarded script sum their cost up anew. */
export const BUDGET_WINDOW = 500_000_000;

/** Byte offsets in the value of the one-entry "globals" array map. */
export interface GlobalsLayout {
  map: number;
  /** u32: programs return at once unless it is 1. Those of begin, end and signals do not look at it: end runs when it is 0. */
  enabled: number;
  /** u64 counters of losses: events ring full; map full (per script map index, 8 bytes each from mapFull); stacks lost. */
  eventsLost: number;
  mapFull: number;
  stacksLost: number;
  /** u64: packets that skboutput() found no room for. */
  packetsLost: number;
  /** u64: stacks that were new, and are kept. */
  stacksKept: number;
  /** u64 counts of strings cut to their size. */
  stringsTruncated: number;
  /** u64 boot-clock nanoseconds of the start: for elapsed. */
  startTime: number;
  /** i64 nanoseconds that the TAI clock is ahead of the boot clock, for kernels that don't tell programs. */
  taiOffset: number;
  /** u32 pid of -c's child. */
  cpid: number;
  /** u64: stacks of dw_ustack() that had no table to be unwound by, and the pid of the last one. */
  unwind: { lacking: number; pid: number };
  /**
   * Scripts with a limit of cost. u64 words: when the current window began and when the script switched itself off
   * (monotonic), nanoseconds spent in the window and allowed in it, and which runs are measured (lower/budget.ts).
   */
  guard?: { start: number; spent: number; limit: number; tripped: number; mask: number };
  size: number;
}
