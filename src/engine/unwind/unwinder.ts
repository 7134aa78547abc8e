/**
 * What dw_ustack() needs of the engine: the unwind tables of the processes that are asked for, kept up with what they map. A
 * process's segments are written into a slot that nobody reads, then its pid leads there: no walk sees half of them.
 */
import type { BpfMap } from "libbpf-ts";
import { SEGMENTS, SLOTS, UNWOUND_PROCESSES, type UnwindMap } from "../compile/unwindMaps.ts";
import { isAlive } from "../kernel/processes.ts";
import { isAnonymous, type Mapping } from "../symbols/mappings.ts";
import type { ProcessSymbols } from "../symbols/process.ts";
import { fileTable, type KnownFile, vdsoTable } from "./files.ts";
import { LoadedTables } from "./loadedTables.ts";
import { encodeSegments, processSegments } from "./segments.ts";

const key = (index: number): Uint8Array => new Uint8Array(Uint32Array.of(index).buffer);

interface Unwound {
  pid: number;
  mappings: readonly Mapping[];
  slot: number | undefined;
}

export class Unwinder implements Disposable {
  readonly #pids: BpfMap;
  readonly #maps: BpfMap;
  readonly #tables: LoadedTables;
  readonly #process: (pid: number) => ProcessSymbols;
  readonly #warn: (message: string) => void;
  readonly #unwound = new Map<number, Unwound>();
  readonly #free = Array.from({ length: SLOTS }, (_, i) => i);
  readonly #files = new WeakMap<Mapping, KnownFile>();
  #refused = 0;
  #crowded = false;

  /** `mapOf`: the script's maps for unwinding. `warn`: of what is not unwound. */
  constructor(
    mapOf: (name: UnwindMap) => BpfMap,
    process: (pid: number) => ProcessSymbols,
    warn: (message: string) => void,
  ) {
    this.#pids = mapOf("unwind_pids");
    this.#maps = mapOf("unwind_maps");
    this.#tables = new LoadedTables(mapOf("unwind_rows"), mapOf("unwind_rules"));
    this.#process = process;
    this.#warn = warn;
  }

  /** Loads the tables of files that a process is about to map. */
  expect(paths: readonly string[]): void {
    this.#load([vdsoTable(), ...paths.flatMap((path) => fileTable({ path }) ?? [])]);
  }

  /** From now on this process is unwound by tables, as long as it lives. False: there are too many. */
  follow(pid: number): boolean {
    if (this.#unwound.has(pid)) return true;
    if (this.#unwound.size >= UNWOUND_PROCESSES) this.#forgetEnded();
    if (this.#unwound.size >= UNWOUND_PROCESSES) return false;
    const unwound = { pid, mappings: [], slot: undefined };
    this.#unwound.set(pid, unwound);
    this.#update(unwound);
    return true;
  }

  /** Nobody tells of ends where perf events are not permitted. */
  #forgetEnded(): void {
    for (const unwound of this.#unwound.values()) if (!isAlive(unwound.pid)) this.#forget(unwound);
  }

  #forget(unwound: Unwound): void {
    this.#unwound.delete(unwound.pid);
    this.#leadTo(unwound, undefined);
  }

  /** Takes what processes have mapped since. */
  look(): void {
    for (const unwound of this.#unwound.values()) this.#update(unwound);
  }

  #update(unwound: Unwound): void {
    const process = this.#process(unwound.pid);
    if (process.ended) {
      this.#forget(unwound);
      return;
    }
    const { mappings } = process;
    if (mappings === unwound.mappings) return;
    unwound.mappings = mappings;
    const files = mappings.map((mapping) => this.#fileOf(process, mapping));
    this.#load(files.flatMap((file) => file ?? []));
    const segments = processSegments(mappings, (_, i) => {
      const file = files[i];
      return file && this.#tables.get(file);
    });
    if (segments.length > SEGMENTS && !this.#crowded) {
      this.#crowded = true;
      this.#warn(
        `process ${unwound.pid} has ${segments.length} areas of code, of which dw_ustack() unwinds the first ${SEGMENTS}`,
      );
    }
    // Without any table the kernel's own walk does the same, and more quickly.
    this.#leadTo(unwound, segments.some(({ slice }) => slice) ? encodeSegments(segments) : undefined);
  }

  /** Has the process's pid lead to these segments from now on. */
  #leadTo(unwound: Unwound, segments: Uint8Array | undefined): void {
    const before = unwound.slot;
    unwound.slot = segments && this.#free.shift();
    if (segments && unwound.slot !== undefined) {
      this.#maps.update(key(unwound.slot), segments);
      this.#pids.update(key(unwound.pid), key(unwound.slot));
    } else if (before !== undefined) this.#pids.delete(key(unwound.pid));
    if (before !== undefined) this.#free.push(before);
  }

  #fileOf(process: ProcessSymbols, mapping: Mapping): KnownFile | undefined {
    if (mapping.path === "[vdso]") return vdsoTable();
    if (isAnonymous(mapping)) return undefined;
    let file = this.#files.get(mapping);
    if (!file) {
      file = process.fromFile(mapping, fileTable);
      if (file) this.#files.set(mapping, file);
    }
    return file;
  }

  #load(files: readonly KnownFile[]): void {
    this.#tables.load(files);
    const refused = this.#tables.refused.slice(this.#refused);
    this.#refused += refused.length;
    for (const path of refused)
      this.#warn(`no room for the unwind table of ${path}: its code is walked by frame pointers`);
  }

  [Symbol.dispose](): void {
    this.#tables[Symbol.dispose]();
  }
}
