// USDT probes: notes that name places in a program where it has something to tell, and where its arguments are.
//
//   note "stapsdt", type 3:  u64 location, u64 base, u64 semaphore, then provider\0 name\0 arguments\0

import type { ElfFile } from "./file.ts";
import { ElfSymbols } from "./symbols.ts";
import { resolveUsdtSymbols } from "./usdtArgs.ts";

export interface UsdtProbe {
  provider: string;
  name: string;
  /** Linked address of the probe's instruction, corrected for prelinking. */
  address: number;
  /** The same in the file, for uprobes. */
  offset: number;
  /** File offset of the semaphore that must count above zero for the arguments to be prepared. */
  semaphoreOffset: number | undefined;
  /** For `parseUsdtArgs`; symbols that the file knows are numbers already. */
  args: string;
}

const NOTES = ".note.stapsdt";
/** Three addresses and three strings, each at least a terminator. */
const LEAST_NOTE = 27;

/** Whether a file has USDT probes, without reading them. */
export const hasUsdtProbes = (elf: ElfFile): boolean => elf.section(NOTES) !== undefined;

/** Every USDT probe of a file; a probe that stands in several places is listed for each. */
export function usdtProbes(elf: ElfFile): UsdtProbe[] {
  const base = elf.section(".stapsdt.base")?.addr;
  let symbols: ElfSymbols | undefined;
  const addressOf = (symbol: string): number | undefined => {
    symbols ??= ElfSymbols.read(elf);
    return symbols.find(symbol)?.address;
  };
  const probes: UsdtProbe[] = [];
  for (const note of elf.notes()) {
    if (note.name !== "stapsdt" || note.type !== 3 || note.desc.length < LEAST_NOTE) continue;
    const [location, noteBase, semaphore] = [0, 8, 16].map((at) => Number(note.desc.readBigUInt64LE(at)));
    const [provider = "", name = "", args = ""] = note.desc.toString("utf8", 24).split("\0");
    // Prelinking moves addresses without rewriting notes: by as much as it moved .stapsdt.base.
    const moved = base === undefined || noteBase === 0 ? 0 : base - noteBase;
    const address = location + moved;
    const offset = elf.fileOffset(address);
    if (offset === undefined) continue;
    probes.push({
      provider,
      name,
      address,
      offset,
      semaphoreOffset: semaphore === 0 ? undefined : elf.fileOffset(semaphore + moved),
      args: resolveUsdtSymbols(args, address, addressOf),
    });
  }
  return probes;
}
