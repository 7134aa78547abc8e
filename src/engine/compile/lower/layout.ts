/**
 * The maps of a script: its own, and the ones that generated code needs. What a map costs per event and in memory is
 * decided here.
 *
 *   @x (plain)          array, addressed directly: no helper
 *   @x = count()…       per-CPU array: the lookup is inlined by the JIT since 6.10
 *   @x[k] (plain)       hash
 *   @x[k] = count()…    per-CPU hash, all words of an aggregation in one value
 */
import type { Span } from "../diagnostic.ts";
import type { ActionPlan, CapturePlan, GlobalsLayout, MapPlan, PlannedAction } from "../plan.ts";
import type { MapInfo, TypedProgram } from "../typed.ts";
import { alignOf, isAggregation, roundUp, sizeOf, stackFrameBytes, type Type } from "../types.ts";
import { UNWIND_MAPS, type UnwindMap } from "../unwindMaps.ts";
import type { Target } from "./target.ts";
import { NotSupported } from "./unsupported.ts";

export const NO_PREALLOC = 1;
const MMAPABLE = 1 << 10;

/** Preallocated maps bigger than this are allocated key by key where the kernel can do that safely. */
const PREALLOC_LIMIT = 32 << 20;
/** Largest per-CPU value (PCPU_MIN_UNIT_SIZE). */
const PER_CPU_LIMIT = 32 << 10;
/** MAX_BPF_STACK. */
const SHORT_KEY = 512;
/** What the stacks of a script may take when each takes its memory as it comes, and when all is taken at once. */
const STACK_MAP_BYTES = { lazily: 64 << 20, atOnce: 16 << 20 } as const;
const MOST_STACKS = 1 << 17;
const DEFAULT_EVENT_BYTES = 8 << 20;
const CONTROL_BYTES = 64 << 10;

export interface ScriptMap {
  index: number;
  info: MapInfo;
  plan: MapPlan;
  /** One copy per CPU: plain additions do. */
  perCpu: boolean;
  /** Offset of the word that tells if a scalar was ever set. */
  present?: number;
}

export class Layout {
  readonly maps: MapPlan[] = [];
  readonly actions: ActionPlan[] = [];
  readonly strings: string[] = [];
  readonly stackMaps: number[] = [];
  readonly captures: CapturePlan[] = [];
  readonly globals: GlobalsLayout;
  readonly #target: Target;
  readonly #typed: TypedProgram;
  readonly #scriptMaps = new Map<MapInfo, ScriptMap>();
  readonly #bigScratch: boolean;
  #scratch: number | undefined;
  #scratchSize = 0;
  #constants = new Map<string, number>();

  constructor(
    typed: TypedProgram,
    target: Target,
    { bigScratch = false, guarded = false }: { bigScratch?: boolean; guarded?: boolean },
  ) {
    this.#typed = typed;
    this.#bigScratch = bigScratch;
    this.#target = target;
    for (const info of typed.maps) this.#scriptMaps.set(info, this.#planScriptMap(info));
    const mapFull = 80;
    const guard = mapFull + 8 * typed.maps.length;
    const words = guarded ? 5 : 0;
    this.globals = {
      map: this.maps.length,
      enabled: 0,
      cpid: 4,
      startTime: 8,
      eventsLost: 16,
      stacksLost: 24,
      stacksKept: 40,
      stringsTruncated: 32,
      taiOffset: 48,
      packetsLost: 56,
      unwind: { lacking: 64, pid: 72 },
      mapFull,
      ...(guarded && {
        guard: { start: guard, spent: guard + 8, limit: guard + 16, tripped: guard + 24, mask: guard + 32 },
      }),
      size: guard + 8 * words + 8,
    };
    this.#add({
      name: "globals",
      role: "globals",
      type: "array",
      keySize: 4,
      valueSize: this.globals.size,
      maxEntries: 1,
      flags: MMAPABLE,
    });
  }

  /** A word of the globals that is always zero, which the verifier does not know. */
  get unknownZero(): number {
    return this.globals.size - 8;
  }

  script(info: MapInfo): ScriptMap {
    return this.#scriptMaps.get(info)!;
  }

  #add(plan: MapPlan): number {
    return this.maps.push(plan) - 1;
  }

  #planScriptMap(info: MapInfo): ScriptMap {
    const aggregate = isAggregation(info.value);
    // Merging CPUs in the kernel takes bpf_map_lookup_percpu_elem; without it there is one shared copy.
    const perCpuReads = !info.readInKernel || this.#target.can("lookupPercpu");
    const fits = sizeOf(info.value) <= PER_CPU_LIMIT;
    const shape = info.key
      ? this.#hashShape(info, aggregate && perCpuReads && fits)
      : this.#scalarShape(info, aggregate && perCpuReads && fits);
    const index = this.#add({ name: info.name, role: "script", ...shape.plan });
    return { index, info, plan: this.maps[index], perCpu: shape.perCpu, present: shape.present };
  }

  #scalarShape(info: MapInfo, perCpu: boolean) {
    const valueBytes = roundUp(sizeOf(info.value), 8);
    const present = !isAggregation(info.value) || info.value.kind === "sum" ? valueBytes : undefined;
    const plan: Omit<MapPlan, "name" | "role"> = {
      type: perCpu ? "percpu_array" : "array",
      keySize: 4,
      valueSize: valueBytes + (present === undefined ? 0 : 8),
      maxEntries: 1,
      flags: 0,
      script: {
        value: info.value,
        ...(present === undefined ? {} : { present: { offset: present } }),
      },
    };
    return { plan, perCpu, present };
  }

  #hashShape(info: MapInfo, perCpu: boolean) {
    const declared = info.declared?.mapType;
    const shared = declared === "hash" || declared === "lruhash";
    const usesPerCpu = perCpu && !shared;
    const lru = declared === "lruhash" || declared === "percpulruhash";
    const maxEntries = info.declared?.maxEntries ?? this.#typed.config.maxMapKeys;
    const keySize = sizeOf(info.key!);
    if (keySize > SHORT_KEY && !this.#target.can("longKeys")) {
      throw new NotSupported(
        `a key of ${info.name} takes ${keySize} bytes; before Linux 5.11 a key has at most ${SHORT_KEY}: shorten its strings, as in str(x, 64)`,
        info.span,
      );
    }
    const valueSize = sizeOf(info.value);
    const copies = usesPerCpu ? this.#target.kernel.possibleCpus : 1;
    const bytes = maxEntries * (roundUp(keySize, 8) + roundUp(valueSize, 8) * copies);
    const lazily = !lru && bytes > PREALLOC_LIMIT && this.#target.can("noPrealloc");
    const plan: Omit<MapPlan, "name" | "role"> = {
      type: usesPerCpu ? (lru ? "lru_percpu_hash" : "percpu_hash") : lru ? "lru_hash" : "hash",
      keySize,
      valueSize,
      maxEntries,
      flags: lazily ? NO_PREALLOC : 0,
      script: { key: info.key, value: info.value },
    };
    return { plan, perCpu: usesPerCpu, present: undefined };
  }

  /** The ring of records; made when the first action asks for it. */
  eventsMap(): number {
    const pages = this.#typed.config.perfRbPages;
    const bytes = pages === undefined ? DEFAULT_EVENT_BYTES : pages * this.#target.kernel.pageSize;
    return this.#ring("events", 2 ** Math.ceil(Math.log2(Math.max(bytes, this.#target.kernel.pageSize))));
  }

  controlMap(): number {
    return this.#ring("control", CONTROL_BYTES);
  }

  #ring(role: "events" | "control", bytes: number): number {
    const found = this.maps.findIndex((map) => map.role === role);
    if (found >= 0) return found;
    return this.#add({
      name: role,
      role,
      type: "ringbuf",
      keySize: 0,
      valueSize: 0,
      maxEntries: bytes,
      flags: 0,
    });
  }

  /** Where each CPU's buffer for packets goes. */
  packetsMap(): number {
    const found = this.maps.findIndex((map) => map.role === "packets");
    if (found >= 0) return found;
    return this.#add({
      name: "packets",
      role: "packets",
      type: "perf_event_array",
      keySize: 4,
      valueSize: 4,
      maxEntries: this.#target.kernel.possibleCpus,
      flags: 0,
    });
  }

  /** The index of a file that packets go to from an offset on. */
  capture(capture: CapturePlan): number {
    const found = this.captures.findIndex(
      ({ path, offset }) => path === capture.path && offset === capture.offset,
    );
    return found >= 0 ? found : this.captures.push(capture) - 1;
  }

  /** Bytes of the per-CPU scratch value; every caller gets its own. */
  takeScratch(size: number): number {
    const offset = this.#scratchSize;
    this.#scratchSize = offset + roundUp(size, 8);
    this.maps[this.scratchMap()].valueSize = this.#scratchSize;
    return offset;
  }

  /** Whether the scratch value outgrew what one CPU can have. */
  get scratchTooBig(): boolean {
    return this.#scratchSize > PER_CPU_LIMIT;
  }

  scratchMap(): number {
    const big = this.#bigScratch;
    this.#scratch ??= this.#add({
      name: "scratch",
      role: "scratch",
      type: big ? "array" : "percpu_array",
      keySize: 4,
      valueSize: 8,
      maxEntries: big ? this.#target.kernel.possibleCpus : 1,
      flags: 0,
    });
    return this.#scratch;
  }

  /** The scratch map is no per-CPU array: a CPU's value is found by the CPU's number. */
  get scratchByCpu(): boolean {
    return this.#bigScratch;
  }

  /** A one-entry array with these bytes: tables, and zeros for new map entries. */
  constants(name: string, bytes: Uint8Array): number {
    let index = this.#constants.get(name);
    if (index === undefined) {
      const initial = new Uint8Array(roundUp(bytes.length, 8));
      initial.set(bytes);
      index = this.#add({
        name,
        role: "constants",
        type: "array",
        keySize: 4,
        valueSize: initial.length,
        maxEntries: 1,
        flags: 0,
        initial,
      });
      this.#constants.set(name, index);
    }
    return index;
  }

  /** A map of dw_ustack(); the first question makes all of them. */
  unwindMap(name: UnwindMap): number {
    const find = () => this.maps.findIndex((map) => map.name === name);
    if (find() < 0) for (const map of UNWIND_MAPS) this.#add({ ...map });
    return find();
  }

  /** Zeros of at least `size` bytes. */
  zeros(size: number): number {
    const index = this.constants("zeros", new Uint8Array(8));
    const plan = this.maps[index];
    if (plan.valueSize < size) {
      plan.valueSize = roundUp(size, 8);
      plan.initial = new Uint8Array(plan.valueSize);
    }
    return index;
  }

  /** The map that a stack type's frames go to, and its index in `stackMaps`. */
  stackMap(type: Extract<Type, { kind: "stack" }>): { map: number; index: number } {
    const name = `stacks_${type.depth}${type.mode === "build_id" ? "_id" : ""}`;
    let map = this.maps.findIndex((m) => m.name === name);
    if (map < 0) {
      const valueSize = type.depth * stackFrameBytes(type);
      const lazily = this.#target.can("noPrealloc");
      const room = STACK_MAP_BYTES[lazily ? "lazily" : "atOnce"];
      map = this.#add({
        name,
        role: "stacks",
        type: "hash",
        keySize: 8,
        valueSize,
        maxEntries: Math.min(MOST_STACKS, 2 ** Math.floor(Math.log2(room / valueSize))),
        flags: lazily ? NO_PREALLOC : 0,
      });
      this.stackMaps.push(map);
    }
    return { map, index: this.stackMaps.indexOf(map) };
  }

  string(text: string): number {
    const found = this.strings.indexOf(text);
    return found >= 0 ? found : this.strings.push(text) - 1;
  }

  /** A new kind of record, and its index. */
  action(action: PlannedAction, types: readonly Type[], span: Span, control: boolean): number {
    let offset = control ? 16 : 8;
    const args = types.map((type) => {
      offset = roundUp(offset, Math.max(1, alignOf(type)));
      const at = offset;
      offset += sizeOf(type);
      return { type, offset: at };
    });
    this.actions.push({ action, arguments: args, size: roundUp(offset, 8), span, control });
    return this.actions.length - 1;
  }
}
