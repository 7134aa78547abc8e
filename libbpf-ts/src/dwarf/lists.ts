// Lists of address ranges: of what a unit or function covers, and of where a parameter is while.
//
//   v2–4, .debug_ranges and .debug_loc: pairs of addresses above the base; (all ones, base) sets it; (0, 0) ends
//   v5, .debug_rnglists and .debug_loclists: entries that begin with their kind, below

import { At } from "./constants.ts";
import { type Cursor, DwarfError } from "./cursor.ts";
import type { Die } from "./die.ts";

export interface Range {
  low: number;
  /** The first address that does not belong to it. */
  high: number;
}

/** What an entry of a version 5 list holds; one table for ranges and locations, whose numbers differ. */
type Entry =
  | "end"
  | "base-index"
  | "index-index"
  | "index-length"
  | "offsets"
  | "default"
  | "base"
  | "addresses"
  | "address-length"
  | "views";
const RANGES: readonly Entry[] = [
  "end",
  "base-index",
  "index-index",
  "index-length",
  "offsets",
  "base",
  "addresses",
  "address-length",
];
/** The last is GNU's: several views of one address, which matter to debuggers only. */
const LOCATIONS: readonly Entry[] = [
  "end",
  "base-index",
  "index-index",
  "index-length",
  "offsets",
  "default",
  "base",
  "addresses",
  "address-length",
  "views",
];

const EVERYWHERE: Range = { low: 0, high: Number.MAX_SAFE_INTEGER };

function readList(cursor: Cursor, die: Die, kinds: readonly Entry[], visit: (range: Range) => void): void {
  const { unit } = die;
  const root = unit.root;
  let base = unit.lowPc;
  const address = () => cursor.unsigned(unit.address);
  const indexed = () => root.indexedAddress(cursor.uleb());
  for (;;) {
    const number = cursor.u8();
    const kind = kinds[number];
    switch (kind) {
      case "end":
        return;
      case "base-index":
        base = indexed();
        break;
      case "base":
        base = address();
        break;
      case "views":
        cursor.skipLeb();
        cursor.skipLeb();
        break;
      case "default":
        visit(EVERYWHERE);
        break;
      case "index-index":
        visit({ low: indexed(), high: indexed() });
        break;
      case "addresses":
        visit({ low: address(), high: address() });
        break;
      case "offsets":
        visit({ low: base + cursor.uleb(), high: base + cursor.uleb() });
        break;
      case "index-length":
      case "address-length": {
        const low = kind === "index-length" ? indexed() : address();
        visit({ low, high: low + cursor.uleb() });
        break;
      }
      default:
        throw new DwarfError(`the debug info has a list entry that is not known (${number})`);
    }
  }
}

function readOldList(cursor: Cursor, die: Die, visit: (range: Range) => void): void {
  const { unit } = die;
  const ones = unit.address === 8 ? 2 ** 64 : 0xffffffff;
  let base = unit.lowPc;
  for (;;) {
    const low = cursor.unsigned(unit.address);
    const high = cursor.unsigned(unit.address);
    if (low === 0 && high === 0) return;
    if (low >= ones) base = high;
    else visit({ low: base + low, high: base + high });
  }
}

/** Where a list that a value names by number begins. */
function listOffset(die: Die, section: "rnglists" | "loclists", attribute: number, index: number): number {
  const { unit } = die;
  const base = unit.base(attribute, 12);
  return base + unit.file.sections.need(section).parse(base + index * 4, (cursor) => cursor.u32());
}

/** The addresses that a unit, function or block covers; none when the file does not say. */
export function rangesOf(die: Die): Range[] {
  const low = die.address(At.lowPc);
  if (low !== undefined && die.has(At.highPc)) {
    const high = die.address(At.highPc) ?? low + (die.number(At.highPc) ?? 0);
    return high > low ? [{ low, high }] : [];
  }
  if (!die.has(At.ranges)) return low === undefined ? [] : [{ low, high: low + 1 }];
  const { unit } = die;
  const { sections } = unit.file;
  const found: Range[] = [];
  const add = (range: Range) => void (range.high > range.low && found.push(range));
  const index = die.listIndex(At.ranges);
  const offset =
    index === undefined ? die.number(At.ranges) : listOffset(die, "rnglists", At.rnglistsBase, index);
  if (offset === undefined) return [];
  const section = sections.need(unit.version >= 5 ? "rnglists" : "ranges");
  section.parse(offset, (cursor) => {
    found.length = 0;
    if (unit.version >= 5) readList(cursor, die, RANGES, add);
    else readOldList(cursor, die, add);
  });
  return found;
}

/** The expression for where a parameter or variable is when the processor is at an address. */
export function locationAt(die: Die, address: number): Uint8Array | undefined {
  const everywhere = die.block(At.location);
  if (everywhere) return everywhere;
  const { unit } = die;
  const { sections } = unit.file;
  const index = die.listIndex(At.location);
  const offset =
    index === undefined ? die.number(At.location) : listOffset(die, "loclists", At.loclistsBase, index);
  if (offset === undefined) return undefined;
  const isNew = unit.version >= 5;
  return sections.need(isNew ? "loclists" : "loc").parse(offset, (cursor) => {
    let found: Uint8Array | undefined;
    const visit = ({ low, high }: Range) => {
      const size = isNew ? cursor.uleb() : cursor.u16();
      const from = cursor.take(size);
      // A list entry of no length holds at its one address where another view of it follows.
      if (address >= low && (address < high || (address === low && low === high)) && !found && size > 0)
        found = cursor.bytes.slice(from, from + size);
    };
    if (isNew) readList(cursor, die, LOCATIONS, visit);
    else readOldList(cursor, die, visit);
    return found;
  });
}
