/**
 * Unwind tables in the kernel (`compile/unwindMaps.ts` draws them): each file's once, its rows in shards of arrays that are
 * made as they are needed. A shard's rest is filled by the next table, so that libraries loaded one by one take no map each;
 * programs meanwhile read other rows of it, which are written as they were.
 */
import type { BpfMap, UnwindRule } from "libbpf-ts";
import { Cfa } from "libbpf-ts";
import { ROW_MAPS, RULE, RULES, SHARD_BYTES, SHARD_ROWS } from "../compile/unwindMaps.ts";
import { createInner } from "../session/load.ts";
import type { FileTable, KnownFile } from "./files.ts";

/** What the rows of all tables may take of the kernel's memory. */
const MOST_BYTES = 128 << 20;
const MOST_SHARDS = MOST_BYTES / SHARD_BYTES;
const UNKNOWN = 2;

/** Rows that lie together: from an address of the table up to another. */
export interface Slice {
  from: number;
  end: number;
  map: number;
  shard: number;
  row: number;
  rows: number;
}

export interface LoadedTable {
  table: FileTable;
  slices: readonly Slice[];
}

const key = (index: number): Uint8Array => new Uint8Array(Uint32Array.of(index).buffer);

/** The shard that has room left. */
interface Open {
  inner: BpfMap;
  map: number;
  shard: number;
  used: number;
  bytes: Uint32Array;
}

export class LoadedTables implements Disposable {
  readonly #rows: BpfMap;
  readonly #rules: BpfMap;
  /** By the files' identity; undefined: there was no room. */
  readonly #loaded = new Map<string, LoadedTable | undefined>();
  readonly #known = new Map<string, number>();
  readonly #ruleBytes: DataView;
  #maps = 0;
  #shards = 0;
  #open: Open | undefined;
  /** Made for rows that do not fit what is open. */
  #next: { inner: BpfMap; shards: number } | undefined;
  /** Files whose tables did not fit. */
  readonly refused: string[] = [];

  constructor(rows: BpfMap, rules: BpfMap) {
    this.#rows = rows;
    this.#rules = rules;
    this.#ruleBytes = new DataView(new ArrayBuffer(rules.valueSize));
  }

  /** The table in the kernel, undefined where it was refused or there is none. */
  get({ identity }: KnownFile): LoadedTable | undefined {
    return this.#loaded.get(identity);
  }

  /** Puts tables there that are not yet. Each array that is made has the kernel wait for its programs, some 20 ms. */
  load(files: readonly KnownFile[]): void {
    const added = new Map<string, FileTable>();
    for (const { identity, table } of files)
      if (table && table.starts.length > 0 && !this.#loaded.has(identity)) added.set(identity, table);
    if (added.size === 0) return;
    const rules = new Map([...added].map(([identity, { rules: own }]) => [identity, this.#internRules(own)]));
    this.#rules.update(key(0), new Uint8Array(this.#ruleBytes.buffer));
    let left = [...added.values()].reduce((sum, { starts }) => sum + starts.length, 0);
    for (const [identity, table] of added) {
      const slices = this.#place(table, rules.get(identity)!, left);
      this.#loaded.set(identity, slices && { table, slices });
      if (!slices) this.refused.push(table.path);
      left -= table.starts.length;
    }
    this.#write();
  }

  /** Writes a table's rows; undefined: there is no room. `more`: rows that are to come, its own among them. */
  #place(
    { starts, ruleOf }: FileTable,
    rules: readonly number[],
    more: number,
  ): readonly Slice[] | undefined {
    const room = this.#open ? SHARD_ROWS - this.#open.used : 0;
    const free = this.#open ? this.#shardsLeft() * SHARD_ROWS + room : 0;
    if (starts.length > free && !this.#addMap(Math.max(more - free, starts.length - free))) return undefined;
    const slices: Slice[] = [];
    for (let at = 0; at < starts.length; ) {
      const open = this.#openShard();
      const count = Math.min(starts.length - at, SHARD_ROWS - open.used);
      for (let i = 0; i < count; i++) {
        open.bytes[(open.used + i) * 2] = starts[at + i];
        open.bytes[(open.used + i) * 2 + 1] = rules[ruleOf[at + i]];
      }
      const { map, shard, used: row } = open;
      const end = at + count < starts.length ? starts[at + count] : 0xffffffff;
      slices.push({ from: starts[at], end, map, shard, row, rows: count });
      open.used += count;
      at += count;
    }
    return slices;
  }

  #shardsLeft(): number {
    return this.#open ? this.#open.inner.maxEntries - this.#open.shard - 1 : 0;
  }

  /** Makes an array for so many rows more; what the last one has left stays empty. */
  #addMap(rows: number): boolean {
    const shards = Math.ceil(rows / SHARD_ROWS);
    if (this.#maps >= ROW_MAPS || this.#shards + shards > MOST_SHARDS) return false;
    // Rows that are placed now begin in the shard that is open, and go on in the next array.
    this.#next = { inner: createInner(SHARD_BYTES, shards), shards };
    return true;
  }

  /** The shard that rows go to. */
  #openShard(): Open {
    const open = this.#open;
    if (open && open.used < SHARD_ROWS) return open;
    this.#write();
    if (open && this.#shardsLeft() > 0) {
      this.#open = { ...open, shard: open.shard + 1, used: 0, bytes: new Uint32Array(SHARD_BYTES / 4) };
      return this.#open;
    }
    const { inner, shards } = this.#next!;
    this.#next = undefined;
    open?.inner[Symbol.dispose]();
    this.#rows.update(key(this.#maps), new Uint8Array(Uint32Array.of(inner.fd).buffer));
    this.#shards += shards;
    this.#open = { inner, map: this.#maps++, shard: 0, used: 0, bytes: new Uint32Array(SHARD_BYTES / 4) };
    return this.#open;
  }

  #write(): void {
    if (!this.#open) return;
    const { inner, shard, bytes } = this.#open;
    inner.update(key(shard), new Uint8Array(bytes.buffer));
  }

  /** Numbers of a table's rules among those of all. */
  #internRules(own: readonly UnwindRule[]): number[] {
    return own.map((rule) => {
      const text = Object.values(rule).join();
      const known = this.#known.get(text);
      if (known !== undefined) return known;
      const index = this.#known.size;
      if (index >= RULES) return UNKNOWN;
      this.#known.set(text, index);
      writeRule(this.#ruleBytes, index * RULE.size, rule);
      return index;
    });
  }

  [Symbol.dispose](): void {
    this.#open?.inner[Symbol.dispose]();
    this.#next?.inner[Symbol.dispose]();
    this.#open = this.#next = undefined;
  }
}

function writeRule(view: DataView, at: number, rule: UnwindRule): void {
  view.setUint8(at + RULE.cfa, rule.cfa);
  view.setUint8(at + RULE.framePointer, rule.framePointer);
  view.setUint8(at + RULE.signal, rule.signal ? 1 : 0);
  view.setUint8(at + RULE.guess, rule.cfa === Cfa.guess ? 1 : 0);
  view.setInt32(at + RULE.offset, rule.offset, true);
  view.setInt32(at + RULE.at, rule.at, true);
  view.setInt32(at + RULE.fp, rule.fp, true);
  view.setInt32(at + RULE.returnAt, rule.returnAt, true);
}
