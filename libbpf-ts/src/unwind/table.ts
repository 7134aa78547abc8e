// The unwind table of one file: sorted rows, each from an address on, and few different rules.

import { DwarfError } from "../dwarf/cursor.ts";
import type { ElfFile } from "../elf/file.ts";
import { SegmentType } from "../elf/file.ts";
import { CallFrames } from "./callFrame.ts";
import { type Cie, ehFrameOf, visitFdes } from "./ehFrame.ts";
import { GUESS_INDEX, RuleSet, type UnwindRule } from "./rules.ts";

export interface UnwindTable {
  /** Address, before the loader moves the file, that rows count from: where its code begins, rounded down to a page. */
  base: number;
  /** Rows: addresses − base, ascending; a rule holds up to the next row. */
  starts: Uint32Array;
  /** By row: index into `rules`. */
  ruleOf: Uint16Array;
  rules: readonly UnwindRule[];
}

/** Bytes between two functions that are filled up, and never run. */
const PADDING = 64;
const PAGE = 4096;
const EXECUTABLE = 1;

/** What a table may have; bigger files are none of this world. */
const MOST_ROWS = 1 << 22;
const MOST_FUNCTIONS = 1 << 21;

class Rows {
  #starts = new Uint32Array(1 << 12);
  #rules = new Uint16Array(1 << 12);
  count = 0;
  readonly #base: number;

  constructor(base: number) {
    this.#base = base;
  }

  add(address: number, rule: number): void {
    const { count } = this;
    if (count > 0 && this.#rules[count - 1] === rule) return;
    const start = address - this.#base;
    if (count > 0 && this.#starts[count - 1] >= start) {
      this.#rules[count - 1] = rule;
      return;
    }
    if (count === this.#starts.length) this.#grow();
    this.#starts[count] = start;
    this.#rules[count] = rule;
    this.count++;
  }

  #grow(): void {
    if (this.count >= MOST_ROWS) throw new DwarfError(`.eh_frame has more than ${MOST_ROWS} rows`);
    const starts = new Uint32Array(this.count * 2);
    const rules = new Uint16Array(this.count * 2);
    starts.set(this.#starts);
    rules.set(this.#rules);
    this.#starts = starts;
    this.#rules = rules;
  }

  finish(): Pick<UnwindTable, "starts" | "ruleOf"> {
    return { starts: this.#starts.slice(0, this.count), ruleOf: this.#rules.slice(0, this.count) };
  }
}

/** FDEs as columns: there may be hundreds of thousands. */
class Fdes {
  readonly start: number[] = [];
  readonly end: number[] = [];
  readonly cie: Cie[] = [];
  readonly from: number[] = [];
  readonly to: number[] = [];

  /** Indexes in the order of addresses. */
  ordered(): ArrayLike<number> {
    const count = this.start.length;
    let ascending = true;
    for (let i = 1; ascending && i < count; i++) ascending = this.start[i] >= this.start[i - 1];
    const indexes = Uint32Array.from({ length: count }, (_, i) => i);
    return ascending ? indexes : indexes.sort((a, b) => this.start[a] - this.start[b]);
  }
}

/**
 * Made from a file's .eh_frame; undefined: it has none, or is of another processor than x86-64. Throws DwarfError and ElfError
 * where it is damaged.
 */
export function unwindTable(elf: ElfFile): UnwindTable | undefined {
  if (elf.machine !== "x64") return undefined;
  const frame = ehFrameOf(elf);
  if (!frame) return undefined;
  const code = elf.segments.filter(({ type, flags }) => type === SegmentType.load && flags & EXECUTABLE);
  if (code.length === 0) return undefined;
  const base = Math.min(...code.map(({ vaddr }) => vaddr));
  const limit = Math.max(...code.map(({ vaddr, memSize }) => vaddr + memSize));
  const from = base - (base % PAGE);
  if (limit - from > 0xffffffff) throw new DwarfError("its code is spread over more than 4 GiB");
  const fdes = new Fdes();
  visitFdes(frame, (start, end, cie, first, to) => {
    if (start < from || end > limit) return;
    if (fdes.start.length >= MOST_FUNCTIONS)
      throw new DwarfError(`.eh_frame has more than ${MOST_FUNCTIONS} functions`);
    fdes.start.push(start);
    fdes.end.push(end);
    fdes.cie.push(cie);
    fdes.from.push(first);
    fdes.to.push(to);
  });
  const rules = new RuleSet();
  const frames = new CallFrames(frame.bytes, rules);
  const rows = new Rows(from);
  const emit = (address: number, rule: number) => rows.add(address, rule);
  let covered = from;
  const order = fdes.ordered();
  for (let i = 0; i < order.length; i++) {
    const index = order[i];
    const start = fdes.start[index];
    if (start < covered) continue;
    if (start - covered > PADDING) rows.add(covered, GUESS_INDEX);
    covered = fdes.end[index];
    frames.run(start, covered, fdes.cie[index], fdes.from[index], fdes.to[index], emit);
  }
  rows.add(covered, GUESS_INDEX);
  return { base: from, ...rows.finish(), rules: rules.rules };
}
