/**
 * What dw_ustack() needs of the engine: the unwind tables of the processes that are asked for, kept up with what they map. A
 * process's segments are written into a slot that nobody reads, then its pid leads there: no walk sees half of them.
 */
import { readFileSync } from "node:fs";
import type { BpfMap } from "libbpf-ts";
import { SEGMENTS, SLOTS, UNWOUND_PROCESSES, type UnwindMap } from "../compile/unwindMaps.ts";
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
  readonly #unwound: Unwound[] = [];
  readonly #free = Array.from({ length: SLOTS }, (_, i) => i);
  readonly #files = new WeakMap<Mapping, KnownFile>();
  #refused = 0;
  #crowded = false;
  #lackingTold = false;

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

  /** From now on this process is unwound by tables, as long as it lives. */
  follow(pid: number): void {
    if (this.#unwound.some((one) => one.pid === pid)) return;
    if (this.#unwound.length >= UNWOUND_PROCESSES) {
      this.#warn(`dw_ustack() unwinds ${UNWOUND_PROCESSES} processes at most: ${pid} is not among them`);
      return;
    }
    const unwound = { pid, mappings: [], slot: undefined };
    this.#unwound.push(unwound);
    this.#update(unwound);
  }

  /** Takes what processes have mapped since. */
  look(): void {
    for (const unwound of this.#unwound) this.#update(unwound);
  }

  /** A stack of a process without tables was walked by frame pointers: says so once. */
  lacking(pid: number): void {
    if (this.#lackingTold || this.#unwound.some((one) => one.pid === pid && one.slot !== undefined)) return;
    this.#lackingTold = true;
    this.#warn(
      `dw_ustack() has no unwind tables for process ${pid}${nameOf(pid)}: its stacks, as those of others that were not asked for, are walked by frame pointers. --dwarf-pid ${pid} has them unwound`,
    );
  }

  /** Bytes of kernel memory that tables take. */
  get bytes(): number {
    return this.#tables.bytes;
  }

  #update(unwound: Unwound): void {
    const process = this.#process(unwound.pid);
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
    const before = unwound.slot;
    if (segments.some(({ slice }) => slice)) {
      const slot = this.#free.shift()!;
      this.#maps.update(key(slot), encodeSegments(segments));
      this.#pids.update(key(unwound.pid), key(slot));
      unwound.slot = slot;
    } else {
      if (before !== undefined) this.#pids.delete(key(unwound.pid));
      unwound.slot = undefined;
    }
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
    const { refused } = this.#tables;
    if (refused.length === this.#refused) return;
    const paths = refused.slice(this.#refused).join(", ");
    this.#refused = refused.length;
    this.#warn(`no room for the unwind table of ${paths}: its code is walked by frame pointers`);
  }

  [Symbol.dispose](): void {
    this.#tables[Symbol.dispose]();
  }
}

function nameOf(pid: number): string {
  try {
    return ` (${readFileSync(`/proc/${pid}/comm`, "utf8").trim()})`;
  } catch {
    return "";
  }
}
