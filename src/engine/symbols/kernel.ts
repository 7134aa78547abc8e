/**
 * Kernel addresses: one reading of /proc/kallsyms for all sessions. Modules and BPF programs come and go, so an address that
 * no symbol is near has it read again, now and then.
 */
import { Kallsyms } from "libbpf-ts";
import { monotonicMs } from "../clock.ts";
import type { ResolvedSymbol } from "./context.ts";

/** Reading takes some 30 ms. */
const READ_AGAIN_AFTER = 5000;
/** Functions end somewhere; what is farther from a symbol's start is something else. */
const FARTHEST = 1 << 20;

let kallsyms: Kallsyms | undefined;
let hidden: string | undefined;
let read = Number.NEGATIVE_INFINITY;

function readAgain(): void {
  read = monotonicMs();
  try {
    const fresh = Kallsyms.load();
    fresh.requireAddresses();
    kallsyms = fresh;
    hidden = undefined;
  } catch (error) {
    hidden = error instanceof Error ? error.message : String(error);
  }
}

function find(address: bigint): ResolvedSymbol | undefined {
  const found = kallsyms?.symbolAt(address);
  return found && found.offset < FARTHEST ? found : undefined;
}

export function kernelSymbol(address: bigint): ResolvedSymbol | undefined {
  if (!kallsyms && !hidden) readAgain();
  const found = find(address);
  if (found || monotonicMs() - read < READ_AGAIN_AFTER) return found;
  readAgain();
  return find(address);
}

/** Why kernel addresses stay numbers; undefined while they have names. */
export function kernelSymbolsHidden(): string | undefined {
  if (!kallsyms && !hidden) readAgain();
  return kallsyms ? undefined : hidden;
}
