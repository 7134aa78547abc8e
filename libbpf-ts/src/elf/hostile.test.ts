// Files that say more than they hold: reading them costs no more than their size.
import { expect, test } from "vitest";
import { ElfError, ElfFile } from "./file.ts";
import { ElfSymbols } from "./symbols.ts";
import { library, symbol } from "./testing.ts";
import { symbolVersions } from "./versions.ts";

/** As many function symbols as asked for, each with a name that begins a byte later in one text without an end. */
function endless(count: number, address: (i: number) => number): ElfFile {
  const table = Buffer.concat(Array.from({ length: count }, (_, i) => symbol(i, 0x12, 1, address(i), 1)));
  const names = Buffer.alloc(1 << 22, "_");
  const sections = [
    { name: ".text", type: 1, data: Buffer.alloc(1) },
    { name: ".dynsym", type: 11, link: 3, data: table },
    { name: ".dynstr", type: 3, data: names },
    { name: ".gnu.version", type: 0x6fffffff, data: Buffer.alloc(2 * count) },
  ];
  return ElfFile.of(library(sections), "memory");
}

function milliseconds(work: () => void): number {
  const start = process.cpuUsage();
  work();
  return process.cpuUsage(start).user / 1000;
}

test("names without an end are cut, and listed up to some times the file's size", () => {
  const elf = endless(20_000, (i) => 0x401000 + i);
  const symbols = ElfSymbols.read(elf);
  expect(symbols.at(0x401100)?.name.length).toBe(1 << 16);
  const bytes = symbols.functions().reduce((sum, { name }) => sum + name.length, 0);
  expect(bytes).toBeGreaterThan(elf.size);
  expect(bytes).toBeLessThan(20 * elf.size);
});

test("of a place with very many names a few are compared", () => {
  const symbols = ElfSymbols.read(endless(20_000, () => 0x401000));
  expect(symbols.at(0x401000)?.offset).toBe(0);
  const spent = milliseconds(() => {
    for (let i = 0; i < 20; i++) symbols.at(0x401000);
  });
  expect(spent).toBeLessThan(200);
});

test("versions are looked up without reading every name", () => {
  const elf = endless(20_000, () => 0x401000);
  expect(milliseconds(() => symbolVersions(elf, "open"))).toBeLessThan(500);
});

test("notes that overlap are refused", () => {
  const note = Buffer.alloc(0x2000);
  const sections = [1, 2].map(() => ({ name: ".note", type: 7, data: note }));
  const bytes = library(sections);
  const table = Number(bytes.readBigUInt64LE(40));
  // The second begins where the first does, and both reach to the file's end.
  const size = bytes.length - Number(bytes.readBigUInt64LE(table + 64 + 24));
  bytes.writeBigUInt64LE(BigInt(size), table + 64 + 32);
  bytes.writeBigUInt64LE(bytes.readBigUInt64LE(table + 64 + 24), table + 128 + 24);
  bytes.writeBigUInt64LE(BigInt(size), table + 128 + 32);
  const elf = ElfFile.of(bytes, "memory");
  expect(() => elf.buildId()).toThrow(ElfError);
});
