import { describe, expect, test } from "vitest";
import { ElfFile } from "../elf/file.ts";
import { library } from "../elf/testing.ts";
import { Cfa, FramePointer } from "./rules.ts";
import { unwindTable } from "./table.ts";

const FRAME = 0x401600;
const u32 = (value: number): Buffer => Buffer.from(Int32Array.of(value).buffer);

/** An entry with its length, filled up with DW_CFA_nop. */
function entry(...parts: (Buffer | number[])[]): Buffer {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part)));
  const padded = Buffer.concat([body], (body.length + 3) & ~3);
  return Buffer.concat([u32(padded.length), padded]);
}

/** CFA = rsp + 8, the return address below it; addresses are relative, of four bytes. `letters` after "zR". */
const cie = (letters = ""): Buffer =>
  entry(u32(0), [1], Buffer.from(`zR${letters}\0`), [1, 0x78, 16, 1, 0x1b], [0x0c, 7, 8, 0x90, 1]);

interface Function {
  start: number;
  size: number;
  code: number[];
}

/** A section of one CIE and functions. */
function frame(functions: readonly Function[], first = cie()): Buffer {
  let bytes = first;
  for (const { start, size, code } of functions) {
    const back = bytes.length + 4;
    const place = FRAME + bytes.length + 8;
    bytes = Buffer.concat([bytes, entry(u32(back), u32(start - place), u32(size), [0], code)]);
  }
  return Buffer.concat([bytes, u32(0)]);
}

const elfOf = (data: Buffer) =>
  ElfFile.of(library([{ name: ".eh_frame", type: 1, addr: FRAME, data }]), "test.so");

/** "401000 sp+8": where a rule begins, its CFA, and where the frame pointer is unless it is in its register. */
function rowsOf(data: Buffer): string[] {
  const table = unwindTable(elfOf(data))!;
  const names = ["guess", "end", "unknown", "sp", "bp", "plt", "*sp", "*bp"];
  return Array.from(table.starts, (start, i) => {
    const { cfa, offset, at, framePointer, fp, signal, returnAt } = table.rules[table.ruleOf[i]];
    const kind = names[cfa];
    const known = cfa > Cfa.unknown;
    const place = kind.startsWith("*") ? `*(${kind.slice(1)}+${at})+${offset}` : `${kind}+${offset}`;
    const saved = ["", ` bp at cfa${fp}`, ` bp at sp+${fp}`, ` bp at bp+${fp}`][framePointer];
    return `${(table.base + start).toString(16)} ${known ? place + saved : kind}${signal ? ` signal ${returnAt}` : ""}`;
  });
}

const ROWS: readonly [what: string, functions: readonly Function[], rows: readonly string[]][] = [
  [
    "pushes and pops move the CFA",
    // push %rbp (1 byte), 0x40 bytes more after 4, and back after 16 and 1.
    [
      {
        start: 0x401000,
        size: 32,
        code: [0x41, 0x0e, 16, 0x86, 2, 0x44, 0x0e, 80, 0x50, 0x0e, 16, 0x41, 0xc6, 0x0e, 8],
      },
    ],
    [
      "401000 sp+8",
      "401001 sp+16 bp at cfa-16",
      "401005 sp+80 bp at cfa-16",
      "401015 sp+16 bp at cfa-16",
      "401016 sp+8",
      "401020 guess",
    ],
  ],
  [
    "a frame pointer, a state put by and taken back",
    [{ start: 0x401000, size: 16, code: [0x43, 0x0d, 6, 0x0a, 0x42, 0x0c, 7, 8, 0x42, 0x0b] }],
    ["401000 sp+8", "401003 bp+8", "401005 sp+8", "401007 bp+8", "401010 guess"],
  ],
  [
    "equal neighbours are one, gaps wide and narrow",
    [
      { start: 0x401000, size: 16, code: [] },
      { start: 0x401020, size: 16, code: [] },
      { start: 0x401100, size: 16, code: [] },
    ],
    ["401000 sp+8", "401030 guess", "401100 sp+8", "401110 guess"],
  ],
  [
    "functions in any order",
    [
      { start: 0x401010, size: 16, code: [0x0e, 24] },
      { start: 0x401000, size: 16, code: [] },
    ],
    ["401000 sp+8", "401010 sp+24", "401020 guess"],
  ],
  [
    "no return address: the stack ends",
    [{ start: 0x401000, size: 16, code: [0x07, 16] }],
    ["401000 end", "401010 guess"],
  ],
  [
    "CFA in another register",
    [{ start: 0x401000, size: 16, code: [0x42, 0x0c, 10, 0] }],
    ["401000 sp+8", "401002 unknown", "401010 guess"],
  ],
  [
    "the procedure linkage table",
    [
      {
        start: 0x401000,
        size: 64,
        code: [0x0f, 11, 0x77, 8, 0x80, 0, 0x3f, 0x1a, 0x3b, 0x2a, 0x33, 0x24, 0x22],
      },
    ],
    ["401000 plt+11", "401040 guess"],
  ],
  [
    "a realigned stack",
    [{ start: 0x401000, size: 16, code: [0x10, 6, 2, 0x76, 0, 0x0f, 3, 0x76, 0x78, 0x06] }],
    ["401000 *(bp+-8)+0 bp at bp+0", "401010 guess"],
  ],
  [
    "an expression of no known form",
    [{ start: 0x401000, size: 16, code: [0x0f, 2, 0x70, 8] }],
    ["401000 unknown", "401010 guess"],
  ],
];

describe("unwind tables", () => {
  test.each(ROWS)("%s", (_, functions, rows) => {
    expect(rowsOf(frame(functions))).toEqual(rows);
  });

  test("where signals return to", () => {
    const code = [
      [0x0f, 4, 0x77, 0xa0, 1, 0x06],
      [0x10, 6, 3, 0x77, 0xf8, 0],
      [0x10, 16, 3, 0x77, 0xa8, 1],
    ].flat();
    expect(rowsOf(frame([{ start: 0x401000, size: 16, code }], cie("S")))).toEqual([
      "401000 *(sp+160)+0 bp at sp+120 signal 168",
      "401010 guess",
    ]);
  });

  test("rules are few, and each is there once", () => {
    const functions = Array.from({ length: 50 }, (_, i) => ({
      start: 0x401000 + i * 16,
      size: 16,
      code: [0x44, 0x0e, 16 + 8 * (i % 3)],
    }));
    const { rules, starts } = unwindTable(elfOf(frame(functions)))!;
    expect(rules).toHaveLength(3 + 4);
    expect(starts).toHaveLength(1 + 2 * 50);
    expect(rules[0]).toMatchObject({ cfa: Cfa.guess, framePointer: FramePointer.atCfa });
  });

  test("no section, and a file of another processor", () => {
    expect(unwindTable(ElfFile.of(library([]), "test.so"))).toBeUndefined();
    const other = library([{ name: ".eh_frame", type: 1, addr: FRAME, data: frame([]) }]);
    other.writeUInt16LE(183, 18);
    expect(unwindTable(ElfFile.of(other, "test.so"))).toBeUndefined();
  });
});

describe("damaged sections", () => {
  const good = frame([{ start: 0x401000, size: 32, code: [0x41, 0x0e, 16, 0x86, 2, 0x44, 0x0e, 80] }]);

  test("whatever byte is wrong, there is a table or an error in words", () => {
    let refused = 0;
    for (let at = 0; at < good.length; at++) {
      for (const value of [0, 0x7f, 0x80, 0xff]) {
        const bytes = Buffer.from(good);
        bytes[at] = value;
        try {
          const table = unwindTable(elfOf(bytes))!;
          expect(table.starts.every((start, i) => i === 0 || start > table.starts[i - 1])).toBe(true);
        } catch (error) {
          expect((error as Error).name).toMatch(/^(Dwarf|Elf)Error$/);
          refused++;
        }
      }
    }
    expect(refused).toBeGreaterThan(10);
  });

  test("cut anywhere", () => {
    for (let size = 0; size < good.length; size++) {
      try {
        unwindTable(elfOf(good.subarray(0, size)));
      } catch (error) {
        expect((error as Error).name).toMatch(/^(Dwarf|Elf)Error$/);
      }
    }
  });

  test("a CIE that would be all of the section", () => {
    const large = entry(u32(0), [1], Buffer.from("zR\0"), [1, 0x78, 16, 1, 0x1b], new Array(5000).fill(0));
    expect(() => unwindTable(elfOf(frame([{ start: 0x401000, size: 16, code: [] }], large)))).toThrow(
      /there is no CIE/,
    );
  });

  test("states without end are not put by", () => {
    const code = new Array(1000).fill(0x0a);
    expect(() => unwindTable(elfOf(frame([{ start: 0x401000, size: 16, code }])))).toThrow(/too many states/);
  });
});

test("CIEs that overlap, so that each is long, end in an error soon", () => {
  const count = 400;
  // The first is as long as all, and nobody's.
  const heads = Array.from({ length: count }, (_, i) =>
    Buffer.concat([u32(16 * (i === 0 ? count : 255) - 4), u32(0), Buffer.from([3, 0, 1, 0x78, 16, 0, 0, 0])]),
  );
  let bytes: Buffer = Buffer.concat(heads);
  for (let i = 1; i < count; i++)
    bytes = Buffer.concat([
      bytes,
      entry(u32(bytes.length + 4 - 16 * i), u32(0x401000), u32(0), u32(16), u32(0)),
    ]);
  expect(() => unwindTable(elfOf(Buffer.concat([bytes, u32(0)])))).toThrow(/CIEs overlap/);
});
