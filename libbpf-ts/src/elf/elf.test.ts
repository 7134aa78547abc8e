import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { ElfError, ElfFile } from "./file.ts";
import { FunctionIndex } from "./functionIndex.ts";
import { ElfSymbols } from "./symbols.ts";
import { library, symbol, words } from "./testing.ts";
import { usdtProbes } from "./usdt.ts";

const directory = mkdtempSync(join(tmpdir(), "elf-"));
afterAll(() => rmSync(directory, { recursive: true }));

function file(bytes: Uint8Array): string {
  const path = join(directory, `${Math.random()}`);
  writeFileSync(path, bytes);
  return path;
}

function note(name: string, type: number, desc: Buffer): Buffer {
  const padded = (bytes: Buffer) => Buffer.concat([bytes], Math.ceil(bytes.length / 4) * 4);
  const nameBytes = Buffer.from(`${name}\0`);
  const head = Buffer.from(Uint32Array.of(nameBytes.length, desc.length, type).buffer);
  return Buffer.concat([head, padded(nameBytes), padded(desc)]);
}

const strings = Buffer.from("\0do_work\0counter\0late\0imported\0");
const symtab = Buffer.concat([
  symbol(0, 0, 0, 0, 0),
  symbol(strings.indexOf("late"), 0x12, 1, 0x401100, 0),
  symbol(strings.indexOf("do_work"), 0x12, 1, 0x401010, 0x20),
  // Linkers let "work" be the tail of "do_work".
  symbol(strings.indexOf("work"), 0x12, 1, 0x401040, 0x10),
  symbol(strings.indexOf("counter"), 0x11, 1, 0x603010, 8),
  symbol(strings.indexOf("imported"), 0x12, 0, 0, 0),
]);
const usdt = note(
  "stapsdt",
  3,
  Buffer.concat([
    words(0x401010 - 0x100, 0x700000 - 0x100, 0x603020 - 0x100),
    Buffer.from("prov\0probe\0-4@%edi 8@$3\0"),
  ]),
);
const path = file(
  library([
    { name: ".note.stapsdt", type: 7, data: usdt },
    { name: ".stapsdt.base", type: 1, addr: 0x700000, data: Buffer.alloc(1) },
    { name: ".note.gnu.build-id", type: 7, data: note("GNU", 3, Buffer.from("0badcafe", "hex")) },
    { name: ".symtab", type: 2, link: 5, data: symtab },
    { name: ".strtab", type: 3, data: strings },
  ]),
);

describe("an ELF file", () => {
  test("is described", () => {
    using elf = ElfFile.open(path);
    expect(elf).toMatchObject({ machine: "x64", relocatable: true });
    expect(elf.buildId()).toBe("0badcafe");
    expect(elf.section(".strtab")?.size).toBe(strings.length);
  });

  test("addresses are file offsets and back", () => {
    using elf = ElfFile.open(path);
    expect(elf.fileOffset(0x401010)).toBe(0x1010);
    expect(elf.fileOffset(0x603020)).toBe(0x2020);
    expect(elf.fileOffset(0x500000)).toBeUndefined();
    expect(elf.address(0x1010)).toBe(0x401010);
    expect(elf.address(0x2fff)).toBeUndefined();
  });

  test("symbols by name and by address", () => {
    using elf = ElfFile.open(path);
    const symbols = ElfSymbols.read(elf);
    expect(symbols.find("do_work")).toEqual({
      name: "do_work",
      address: 0x401010,
      size: 0x20,
      kind: "function",
    });
    expect(symbols.find("work")).toMatchObject({ name: "work", address: 0x401040 });
    expect(symbols.find("counter")).toMatchObject({ kind: "object", address: 0x603010 });
    expect(symbols.find("imported")).toBeUndefined();
    expect(symbols.find("do_wor")).toBeUndefined();
    expect(symbols.functions().map(({ name }) => name)).toEqual(["late", "do_work", "work"]);
    const rows: [number, string | undefined][] = [
      [0x40100f, undefined],
      [0x401010, "do_work+0"],
      [0x40102f, "do_work+31"],
      [0x401030, undefined],
      [0x401041, "work+1"],
      // Size 0: goes on to the next.
      [0x401150, "late+80"],
    ];
    for (const [address, expected] of rows) {
      const found = symbols.at(address);
      expect(found && `${found.name}+${found.offset}`).toBe(expected);
    }
  });

  test("of several names for one place the best known, of functions within functions the innermost", () => {
    const names = Buffer.from("\0__open64\0_open\0open\0outer\0inner\0");
    const at = (name: string) => names.indexOf(`\0${name}\0`) + 1;
    const table = Buffer.concat([
      symbol(0, 0, 0, 0, 0),
      ...["__open64", "open", "_open"].map((name) => symbol(at(name), 0x12, 1, 0x401000, 0x10)),
      symbol(at("outer"), 0x12, 1, 0x401100, 0x100),
      symbol(at("inner"), 0x02, 1, 0x401120, 0x10),
    ]);
    const sections = [
      { name: ".symtab", type: 2, link: 2, data: table },
      { name: ".strtab", type: 3, data: names },
    ];
    using elf = ElfFile.of(library(sections), "memory");
    const symbols = ElfSymbols.readAll(elf);
    const shown = (address: number) => {
      const found = symbols.at(address);
      return found && `${found.name}+${found.offset}`;
    };
    expect([0x40100f, 0x40110f, 0x40112f, 0x401130, 0x401200].map(shown)).toEqual([
      "open+15",
      "outer+15",
      "inner+15",
      "outer+48",
      undefined,
    ]);
  });

  test("names of a long table are read one by one, until it is let go", () => {
    const long = "n".repeat(3000);
    const names = Buffer.from(`\0_open\0open\0${long}\0${"x".repeat(5 << 20)}\0last\0`);
    const at = (name: string) => names.indexOf(`\0${name}\0`) + 1;
    const table = Buffer.concat([
      symbol(0, 0, 0, 0, 0),
      ...["_open", "open"].map((name) => symbol(at(name), 0x12, 1, 0x401000, 0x10)),
      ...[long, "last"].map((name, i) => symbol(at(name), 0x12, 1, 0x401010 + i * 16, 0x10)),
      symbol(names.length + 5, 0x12, 1, 0x401030, 0x10),
      symbol(at(long) + 3000, 0x12, 1, 0x401040, 0x10),
    ]);
    const sections = [
      { name: ".symtab", type: 2, link: 2, data: table },
      { name: ".strtab", type: 3, data: names },
    ];
    using functions = FunctionIndex.of(ElfFile.open(file(library(sections))));
    expect(functions.openFiles).toBe(1);
    expect(functions.bytes).toBeLessThan(1000);
    const name = (address: number) => functions.at(address)?.name;
    expect([0x401000, 0x401010, 0x401020, 0x401030, 0x401040].map(name)).toEqual([
      "open",
      long,
      "last",
      "",
      "",
    ]);
    functions[Symbol.dispose]();
    // Its descriptor's number is given to the next file.
    using _other = ElfFile.open(file(library(sections)));
    expect(functions.openFiles).toBe(0);
    expect(name(0x401000)).toBe("");
  });

  test("what is no regular file is refused without waiting", () => {
    expect(() => ElfFile.open("/dev/zero")).toThrow("not a regular file");
    expect(() => ElfFile.open(directory)).toThrow("not a regular file");
  });

  test("USDT probes, moved by prelinking", () => {
    using elf = ElfFile.open(path);
    expect(usdtProbes(elf)).toEqual([
      {
        provider: "prov",
        name: "probe",
        address: 0x401010,
        offset: 0x1010,
        semaphoreOffset: 0x2020,
        args: "-4@%edi 8@$3",
      },
    ]);
  });

  test("what is none is refused", () => {
    const good = library([]);
    expect(() => ElfFile.open(file(Buffer.from("#!/bin/sh")))).toThrow(ElfError);
    expect(() => ElfFile.open(file(Buffer.alloc(64)))).toThrow("not an ELF file");
    expect(() => ElfFile.open(file(good.subarray(0, 200)))).toThrow("the file ends");
    const narrow = Buffer.from(good);
    narrow[4] = 1;
    expect(() => ElfFile.open(file(narrow))).toThrow("64-bit");
  });
});
