// Which unit an address belongs to: from .debug_aranges where compilers wrote it, else from what the root entry of each
// unit says it covers. Neither reads the units themselves.

import { lastAtMost, type Ordered, sortAddresses } from "../order.ts";
import { UnitType } from "./constants.ts";
import { Cursor } from "./cursor.ts";
import type { DwarfFile } from "./file.ts";
import { rangesOf } from "./lists.ts";
import type { Unit } from "./unit.ts";

/** Address ranges in order, each with the offset of its unit. */
class Ranges {
  readonly #lows: number[] = [];
  readonly #highs: number[] = [];
  readonly #units: number[] = [];
  #ordered: Ordered | undefined;

  add(low: number, high: number, unit: number): void {
    this.#lows.push(low);
    this.#highs.push(high);
    this.#units.push(unit);
  }

  find(address: number): number | undefined {
    this.#ordered ??= sortAddresses(Float64Array.from(this.#lows), this.#lows.length, 0);
    const { sorted, order } = this.#ordered;
    const place = lastAtMost(sorted, address);
    if (place < 0) return undefined;
    const at = order[place];
    return address < this.#highs[at] ? this.#units[at] : undefined;
  }
}

/** Sets of ranges: u32 length · u16 version · u32 unit · u8 address size · u8 segment size · pairs (low, length), (0, 0). */
function readAranges(file: DwarfFile): { ranges: Ranges; covered: Set<number> } {
  const ranges = new Ranges();
  const covered = new Set<number>();
  const section = file.sections.get("aranges");
  for (let offset = 0; section && offset < section.size; ) {
    const head = new Cursor(section.upTo(offset, 12));
    const length = head.u32();
    const version = head.u16();
    const unit = head.u32();
    const address = head.u8();
    const end = offset + 4 + length;
    if (version !== 2 || (address !== 4 && address !== 8)) break;
    covered.add(unit);
    const cursor = new Cursor(section.bytes(offset, 4 + length));
    cursor.at = Math.min(cursor.end, Math.ceil(12 / (2 * address)) * 2 * address);
    while (cursor.at + 2 * address <= cursor.end) {
      const low = cursor.unsigned(address);
      const size = cursor.unsigned(address);
      if (low === 0 && size === 0) break;
      if (low > 0) ranges.add(low, low + size, unit);
    }
    offset = end;
  }
  return { ranges, covered };
}

export class UnitIndex {
  readonly #file: DwarfFile;
  #aranges: { ranges: Ranges; covered: Set<number> } | undefined;
  #roots: Ranges | undefined;

  constructor(file: DwarfFile) {
    this.#file = file;
  }

  /** The unit whose code includes an address. */
  find(address: number): Unit | undefined {
    this.#aranges ??= readAranges(this.#file);
    const listed = this.#aranges.ranges.find(address);
    if (listed !== undefined) return this.#file.unitAt(listed);
    const offset = (this.#roots ??= this.#readRoots(this.#aranges.covered)).find(address);
    return offset === undefined ? undefined : this.#file.unitAt(offset);
  }

  #readRoots(covered: ReadonlySet<number>): Ranges {
    const ranges = new Ranges();
    const info = this.#file.sections.get("info");
    for (const unit of this.#file.units) {
      if (unit.section !== info || covered.has(unit.offset) || unit.type === UnitType.partial) continue;
      for (const { low, high } of rangesOf(unit.root)) if (low > 0) ranges.add(low, high, unit.offset);
    }
    return ranges;
  }
}
