/** Symbols of a big binary are there at once, and again without reading. */
import { statSync } from "node:fs";
import { ElfFile, ElfSymbols } from "libbpf-ts";
import { describe, expect, test } from "vitest";
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
