/**
 * Kernel addresses: one reading of /proc/kallsyms for all sessions. The kernel itself stays where it is, but modules and BPF
 * programs come and go: their addresses are named after a reading that is younger than the first question for them.
 */
import { Kallsyms } from "libbpf-ts";
import { monotonicMs } from "../clock.ts";
import type { ResolvedSymbol } from "./context.ts";

/** Reading takes some 30 ms. */
const READ_AGAIN_AFTER = 2000;
/** Functions end somewhere; what is farther from a symbol's start is something else. */
const FARTHEST = 1 << 20;
const MOST_SETTLED = 1 << 14;

interface Reading {
  kallsyms: Kallsyms;
  /** The kernel's own code. */
  from: bigint;
  to: bigint;
  at: number;
}

let reading: Reading | undefined;
let hidden: string | undefined;
/** Names that stay: in the kernel's own code, or by a reading after the address was first seen. */
const settled = new Map<bigint, ResolvedSymbol | undefined>();

function readAgain(): void {
  try {
    const kallsyms = Kallsyms.load();
    kallsyms.requireAddresses();
    const from = kallsyms.addressOf("_stext") ?? 0n;
    const to = kallsyms.addressOf("_etext") ?? 0n;
    reading = { kallsyms, from, to, at: monotonicMs() };
  } catch (error) {
    hidden = error instanceof Error ? error.message : String(error);
  }
}

function find(address: bigint): ResolvedSymbol | undefined {
  const found = reading?.kallsyms.symbolAt(address);
  return found && found.offset < FARTHEST ? found : undefined;
}

function settle(address: bigint): ResolvedSymbol | undefined {
  const found = find(address);
  if (settled.size >= MOST_SETTLED) settled.clear();
  settled.set(address, found);
  return found;
}

export function kernelSymbol(address: bigint): ResolvedSymbol | undefined {
  if (!reading && hidden === undefined) readAgain();
  if (!reading) return undefined;
  if (settled.has(address)) return settled.get(address);
  if (address >= reading.from && address < reading.to) return settle(address);
  if (monotonicMs() - reading.at < READ_AGAIN_AFTER) return find(address);
  readAgain();
  return settle(address);
}

/** Why kernel addresses stay numbers; undefined while they have names. */
export function kernelSymbolsHidden(): string | undefined {
  if (!reading && hidden === undefined) readAgain();
  return reading ? undefined : hidden;
}
