/** Symbols of a big binary are there at once, and again without reading. */
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ElfFile, ElfSymbols } from "libbpf-ts";
import { afterAll, describe, expect, test } from "vitest";
import { library } from "../../../libbpf-ts/src/elf/testing.ts";
import { fileSymbols } from "../../../src/engine/symbols/files.ts";
import { emulated } from "./support.ts";

/** Milliseconds of CPU, which other work on the machine does not lengthen. */
function cpu(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

describe.skipIf(emulated || statSync(process.execPath).size < 50e6)("node's own binary", () => {
  test("names its first frame within 300 ms, and a thousand known ones within 30", () => {
    using elf = ElfFile.open(process.execPath);
    const functions = ElfSymbols.read(elf)
      .functions()
      .filter(({ size }) => size > 0);
    const offsets = functions.slice(0, 1000).map(({ address }) => elf.fileOffset(address)!);
    const named: string[] = [];
    const ask = (offset: number) => named.push(fileSymbols({ path: process.execPath })!.at(offset)!.name);
    expect(cpu(() => ask(offsets[0]))).toBeLessThan(300);
    offsets.forEach(ask);
    const symbols = fileSymbols({ path: process.execPath })!;
    expect(cpu(() => offsets.map((offset) => symbols.at(offset)))).toBeLessThan(30);
    expect(named).toHaveLength(1001);
  });
});

const functionName = (i: number) =>
  `layout_of_blocks_that_flow_around_each_other_${String(i).padStart(14, "0")}`;

/** Functions of 16 bytes with names of 60, in no order. */
function manyFunctions(count: number): Buffer {
  const table = new Uint32Array((count + 1) * 6);
  const names = Buffer.alloc(1 + count * 60);
  for (let i = 0; i < count; i++) {
    names.write(functionName(i), 1 + i * 60, "latin1");
    table.set([1 + i * 60, 0x10002, 0x401000 + ((i * 7919) % count) * 16, 0, 16, 0], (i + 1) * 6);
  }
  return library([
    { name: ".text", type: 1, data: Buffer.alloc(16) },
    { name: ".symtab", type: 2, link: 3, data: Buffer.from(table.buffer) },
    { name: ".strtab", type: 3, data: names },
  ]);
}

describe.skipIf(emulated)("a million functions, as a browser has", () => {
  const folder = mkdtempSync(join(tmpdir(), "tracedeck-speed-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  test("the first is named in a fraction of the time and the memory that all their names take", () => {
    const count = 1_000_000;
    const path = join(folder, "browser");
    writeFileSync(path, manyFunctions(count));
    const all = cpu(() => {
      using elf = ElfFile.open(path);
      expect(ElfSymbols.read(elf).functions()).toHaveLength(count);
    });
    let symbols: ReturnType<typeof fileSymbols>;
    let found: ReturnType<NonNullable<typeof symbols>["at"]>;
    expect(
      cpu(() => {
        symbols = fileSymbols({ path });
        found = symbols!.at(0x1018);
      }),
    ).toBeLessThan(all / 2);
    // At 0x401010 lies the one with i * 7919 = 1 modulo the count.
    const i = Array.from({ length: count }, (_, n) => n).find((n) => (n * 7919) % count === 1)!;
    expect(found).toEqual({ name: functionName(i), offset: 8 });
    expect(symbols!.bytes).toBeLessThan(32e6);
  });
});
