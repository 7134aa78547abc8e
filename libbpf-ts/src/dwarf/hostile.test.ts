// Types that hold others twice over, level by level: a few hundred bytes of debug info, billions of paths through it.
import { expect, test } from "vitest";
import { ElfFile } from "../elf/file.ts";
import { library } from "../elf/testing.ts";
import { Dwarf } from "./dwarf.ts";
import { declaration } from "./names.ts";

const LEVELS = 30;
const ENTRY = 0x401000;
const END = 0;

const text = (value: string) => [...Buffer.from(`${value}\0`)];
const u32 = (value: number) => [...Buffer.from(Uint32Array.of(value).buffer)];
const u64 = (value: number) => [...u32(value), 0, 0, 0, 0];

/** code, tag, has children, then attribute and form in pairs. */
const ABBREVIATIONS = [
  [1, 0x11, 1],
  [2, 0x13, 1, 0x0b, 0x0b],
  [3, 0x0d, 0, 0x49, 0x13],
  [4, 0x15, 1],
  [5, 0x05, 0, 0x49, 0x13],
  [6, 0x2e, 1, 0x03, 0x08, 0x11, 0x01],
  [7, 0x05, 0, 0x03, 0x0e, 0x49, 0x13],
].flatMap((each) => [...each, 0, 0]);

/** `void f(struct level0 a, level0 b)`: structs of two structs, and functions of two functions. */
function program(name: Buffer): Dwarf {
  const bytes: number[] = [];
  const at = () => 11 + bytes.length;
  bytes.push(1);
  const levels = (outer: number[], inner: number): number => {
    let below: number | undefined;
    for (let i = 0; i < LEVELS; i++) {
      const here = at();
      bytes.push(...outer);
      if (below !== undefined) bytes.push(inner, ...u32(below), inner, ...u32(below));
      bytes.push(END);
      below = here;
    }
    return below!;
  };
  const struct = levels([2, 8], 3);
  const callback = levels([4], 5);
  bytes.push(6, ...text("f"), ...u64(ENTRY));
  for (const type of [struct, callback]) bytes.push(7, ...u32(0), ...u32(type));
  bytes.push(END, END);
  const unit = [4, 0, ...u32(0), 8, ...bytes];
  const sections = [
    { name: ".debug_info", type: 1, data: Buffer.from([...u32(unit.length), ...unit]) },
    { name: ".debug_abbrev", type: 1, data: Buffer.from([...ABBREVIATIONS, 0]) },
    { name: ".debug_str", type: 1, data: name },
    {
      name: ".debug_aranges",
      type: 1,
      data: Buffer.from([
        ...u32(44),
        ...[2, 0],
        ...u32(0),
        ...[8, 0, 0, 0, 0, 0],
        ...u64(ENTRY),
        ...u64(16),
        ...u64(0),
        ...u64(0),
      ]),
    },
  ];
  // Sections of the helper are part of memory; these are not packed.
  const elf = ElfFile.of(library(sections), "memory");
  return Dwarf.of(elf, elf);
}

test("arguments whose types nest without end are found and named", () => {
  const dwarf = program(Buffer.from("argument\0"));
  const start = process.cpuUsage();
  const found = dwarf.functionAt(ENTRY, "f");
  expect(found?.parameters.map(({ name, place }) => [name, place.kind])).toEqual([
    ["argument", "argument"],
    ["argument", "argument"],
  ]);
  const named = dwarf.read(() => declaration(found?.parameters[1].type, "callback"));
  expect(named).toMatch(/^void callback\(void \(void \(/);
  expect(named.length).toBeLessThan(10_000);
  expect(process.cpuUsage(start).user / 1000).toBeLessThan(1000);
});

test("a name without an end is cut", () => {
  const found = program(Buffer.alloc(1 << 22, "a")).functionAt(ENTRY, "f");
  expect(found?.parameters[0].name).toBe("a".repeat(4096));
});
