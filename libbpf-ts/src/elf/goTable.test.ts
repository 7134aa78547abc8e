// Functions of stripped Go programs, by tables as Go's linker writes them.
import { expect, test } from "vitest";
import { ElfFile } from "./file.ts";
import { FunctionIndex } from "./functionIndex.ts";
import { ElfSymbols } from "./symbols.ts";
import { library, words } from "./testing.ts";

const NAMES = "\0main.main\0main.(*T[...]).Add\0";
const FUNCTIONS = [
  { entry: 0x401010, name: "main.main" },
  { entry: 0x401040, name: "main.(*T[...]).Add" },
];
const END = 0x401050;

interface Changes {
  magic?: number;
  pointers?: number;
  count?: number;
  table?: number;
}

/** A table of the two functions. `relative`: entries count from the start of the text, as since Go 1.18. */
function program(relative: boolean, { magic, pointers = 8, count = 2, table }: Changes = {}): ElfFile {
  const text = 0x401000;
  const width = relative ? 4 : 8;
  const number = (value: number) => (relative ? Buffer.from(Uint32Array.of(value).buffer) : words(value));
  const entry = (address: number) => number(relative ? address - text : address);
  const data = (5 * width + 7) & ~7;
  const size = width + 4;
  const functions = Buffer.concat([
    ...FUNCTIONS.flatMap((it, i) => [entry(it.entry), number(data + i * size)]),
    entry(END),
    Buffer.alloc(data - 5 * width),
    ...FUNCTIONS.flatMap((it) => [
      entry(it.entry),
      Buffer.from(Uint32Array.of(NAMES.indexOf(`\0${it.name}\0`) + 1).buffer),
    ]),
  ]);
  const names = 80;
  const after = names + NAMES.length;
  const head = Buffer.alloc(8);
  head.writeUInt32LE(magic ?? (relative ? 0xfffffff1 : 0xfffffffa), 0);
  head[6] = 1;
  head[7] = pointers;
  const header = words(count, 1, ...(relative ? [text] : []), names, after, after, after, table ?? after);
  const bytes = Buffer.concat([
    head,
    header,
    Buffer.alloc(80 - 8 - header.length),
    Buffer.from(NAMES),
    functions,
  ]);
  return ElfFile.of(library([{ name: ".gopclntab", type: 1, data: bytes }]), "memory");
}

test.each([true, false])("by address and by name, entries relative: %s", (relative) => {
  using index = FunctionIndex.of(program(relative));
  const shown = [0x40100f, 0x401010, 0x40103f, 0x401044, END].map((address) => {
    const found = index.at(address);
    return found && `${found.name}+${found.offset}`;
  });
  expect(shown).toEqual([undefined, "main.main+0", "main.main+47", "main.(*T[...]).Add+4", undefined]);
  expect(ElfSymbols.readAll(program(relative)).find("main.main")).toEqual({
    name: "main.main",
    address: 0x401010,
    size: 0x30,
    kind: "function",
  });
});

test.each<[string, Changes]>([
  ["of another Go", { magic: 0xfffffffb }],
  ["for 32 bits", { pointers: 4 }],
  ["whose functions lie outside", { table: 1 << 20 }],
  ["whose functions lie far outside", { table: 2 ** 60 }],
])("none is read from a table %s", (_, changes) => {
  expect(ElfSymbols.readAll(program(true, changes)).functions()).toEqual([]);
});

test("a table that says more than it holds costs no more than its size", () => {
  const found = ElfSymbols.readAll(program(true, { count: 2 ** 40 })).functions();
  expect(found.map(({ name }) => name)).toContain("main.main");
  expect(found.length).toBeLessThan(10);
});
