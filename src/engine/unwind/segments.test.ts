import { expect, test } from "vitest";
import { NOWHERE, RETURN_PAGE, SEGMENT, SEGMENTS } from "../compile/unwindMaps.ts";
import type { Mapping } from "../symbols/mappings.ts";
import type { LoadedTable } from "./loadedTables.ts";
import { encodeSegments, processSegments } from "./segments.ts";

const mapping = (start: number, bytes: number, fileOffset: number, path: string): Mapping => ({
  start,
  end: start + bytes,
  fileOffset,
  device: "08:01",
  path,
  seen: 0,
});

/** Code at 0x2000 of the file, loaded at 0x402000 before it is moved; its rows begin at 0x40 and lie in two shards. */
const loaded: LoadedTable = {
  table: {
    path: "lib.so",
    base: 0x402000,
    code: [{ offset: 0x2000, vaddr: 0x402000, fileSize: 0x3000 }],
    starts: new Uint32Array(),
    ruleOf: new Uint16Array(),
    rules: [],
  },
  slices: [
    { from: 0x40, end: 0x1800, map: 2, shard: 5, row: 16000, rows: 384 },
    { from: 0x1800, end: 0xffffffff, map: 2, shard: 6, row: 0, rows: 90 },
  ],
};

const shown = (mappings: readonly Mapping[]) =>
  processSegments(mappings, ({ path }) => (path === "lib.so" ? loaded : undefined)).map(
    ({ start, bytes, from, slice, returnPage }) =>
      `${start.toString(16)}+${bytes.toString(16)} ${returnPage ? "returns" : slice ? `${slice.shard} from ${from.toString(16)}` : "bare"}`,
  );

const RETURNS = "7fffffffdfff+1001 returns";

test("a file's code by the shards of its rows", () => {
  expect(shown([mapping(0x7f0000002000, 0x3000, 0x2000, "lib.so")])).toEqual([
    "7f0000002000+40 bare",
    "7f0000002040+17c0 5 from 40",
    "7f0000003800+1800 6 from 1800",
    RETURNS,
  ]);
});

test("a part of it, mapped by itself", () => {
  expect(shown([mapping(0x7f0000003000, 0x1000, 0x3000, "lib.so")])).toEqual([
    "7f0000003000+800 5 from 1000",
    "7f0000003800+800 6 from 1800",
    RETURNS,
  ]);
});

test("neighbours without tables are one; the vsyscall page is nobody's; the page of uretprobes is where it is", () => {
  expect(
    shown([
      mapping(0x1000, 0x1000, 0, ""),
      mapping(0x2000, 0x2000, 0, "//anon"),
      mapping(0x9000, 0x1000, 0, ""),
      mapping(0x7ffffffff000, 0x1000, 0, "[uprobes]"),
      mapping(0xffffffffff600000, 0x1000, 0, "[vsyscall]"),
    ]),
  ).toEqual(["1000+3000 bare", "9000+1000 bare", "7fffffffefff+1001 returns"]);
});

test("as the kernel searches them: unused ones are beyond all addresses", () => {
  const view = new DataView(
    encodeSegments(processSegments([mapping(0x7f0000003000, 0x1000, 0x3000, "lib.so")], () => loaded)).buffer,
  );
  const word = (index: number, offset: number) => view.getUint32(index * SEGMENT.size + offset, true);
  expect(view.getBigUint64(0, true)).toBe(0x7f0000003000n);
  expect([word(0, SEGMENT.bytes), word(0, SEGMENT.from)]).toEqual([0x800, 0x1000]);
  expect([word(0, SEGMENT.map), word(0, SEGMENT.shard)]).toEqual([2, 5]);
  expect([word(0, SEGMENT.row), word(0, SEGMENT.rows)]).toEqual([16000, 384]);
  expect([word(2, SEGMENT.map), word(2, SEGMENT.rows)]).toEqual([RETURN_PAGE, 0]);
  for (let i = 3; i < SEGMENTS; i++) expect(view.getBigUint64(i * SEGMENT.size, true)).toBe(NOWHERE);
});
