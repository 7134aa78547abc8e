/** The mappings of a process as the kernel's unwinder searches them: ascending, each with the rows that hold there. */
import { NOWHERE, RETURN_PAGE, SEGMENT, SEGMENTS, SEGMENTS_BYTES } from "../compile/unwindMaps.ts";
import type { Mapping } from "../symbols/mappings.ts";
import type { LoadedTable, Slice } from "./loadedTables.ts";

export interface Segment {
  start: number;
  bytes: number;
  /** Address in the table of the first byte. */
  from: number;
  /** Undefined: code without a table. */
  slice: Slice | undefined;
  /** Where functions with uretprobes return to. */
  returnPage?: boolean;
}

/** What is looked for is the byte before a return address, here the page's first. */
const returnPageAt = (start: number, bytes: number): Segment => ({
  start: start - 1,
  bytes: bytes + 1,
  from: 0,
  slice: undefined,
  returnPage: true,
});

/**
 * The page of uretprobes is mapped below the end of user memory, where nothing else is, and when the first is hit, of which perf
 * does not tell.
 */
const USUAL_RETURN_PAGE = returnPageAt(0x7fffffffe000, 0x1000);
/** The vsyscall page lies beyond. */
const USER_END = 2 ** 56;

/** Of a whole process. `loadedOf`: what is in the kernel for a mapping. */
export function processSegments(
  mappings: readonly Mapping[],
  loadedOf: (mapping: Mapping, index: number) => LoadedTable | undefined,
): Segment[] {
  const segments = joined(
    mappings.flatMap((mapping, i) =>
      mapping.start < USER_END ? segmentsOf(mapping, loadedOf(mapping, i)) : [],
    ),
  );
  const last = segments.at(-1);
  const free = !last || last.start + last.bytes <= USUAL_RETURN_PAGE.start;
  return free && !segments.some(({ returnPage }) => returnPage) ? [...segments, USUAL_RETURN_PAGE] : segments;
}

/** Parts of a mapping's code, by the slices of its file's table. */
function segmentsOf(mapping: Mapping, loaded: LoadedTable | undefined): Segment[] {
  const { start, end, fileOffset } = mapping;
  if (mapping.path === "[uprobes]") return [returnPageAt(start, end - start)];
  const bare = [{ start, bytes: end - start, from: 0, slice: undefined }];
  if (!loaded) return bare;
  const { code, base } = loaded.table;
  const size = end - start;
  const held = code.find(
    ({ offset, fileSize }) => offset < fileOffset + size && offset + fileSize > fileOffset,
  );
  if (!held) return bare;
  const from = fileOffset - held.offset + held.vaddr - base;
  if (from < 0) return bare;
  const parts = loaded.slices.flatMap((slice) => {
    const first = Math.max(slice.from, from);
    const last = Math.min(slice.end, from + size);
    return first < last ? [{ start: start + first - from, bytes: last - first, from: first, slice }] : [];
  });
  // What lies before the first row is walked by frame pointers.
  const before = parts.length > 0 ? parts[0].start - start : size;
  return before > 0 ? [{ start, bytes: before, from: 0, slice: undefined }, ...parts] : parts;
}

const isBare = ({ slice, returnPage }: Segment): boolean => !slice && !returnPage;

/** Neighbours without tables as one: a JIT may have hundreds. */
function joined(segments: readonly Segment[]): Segment[] {
  const result: Segment[] = [];
  for (const segment of segments) {
    const last = result.at(-1);
    if (last && isBare(last) && isBare(segment) && last.start + last.bytes === segment.start)
      last.bytes += segment.bytes;
    else result.push({ ...segment });
  }
  return result;
}

/** The value of `unwind_maps`; what does not fit is left out. */
export function encodeSegments(segments: readonly Segment[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(SEGMENTS_BYTES));
  for (let i = 0; i < SEGMENTS; i++) {
    const at = i * SEGMENT.size;
    const segment = segments[i];
    view.setBigUint64(at + SEGMENT.start, segment ? BigInt(segment.start) : NOWHERE, true);
    if (!segment) continue;
    view.setUint32(at + SEGMENT.bytes, Math.min(segment.bytes, 0xffffffff), true);
    view.setUint32(at + SEGMENT.from, segment.from, true);
    const map = segment.returnPage ? RETURN_PAGE : (segment.slice?.map ?? 0);
    view.setUint32(at + SEGMENT.map, map, true);
    view.setUint32(at + SEGMENT.shard, segment.slice?.shard ?? 0, true);
    view.setUint32(at + SEGMENT.row, segment.slice?.row ?? 0, true);
    view.setUint32(at + SEGMENT.rows, segment.slice?.rows ?? 0, true);
  }
  return new Uint8Array(view.buffer);
}
