// What the processor takes to trap into the kernel and back for a uprobe, which the kernel's statistics of programs leave out:
// some 1000 ns, several times as much in virtual machines. Found by calling a function of libc with and without one.

import { readFileSync } from "node:fs";
import * as asm from "./asm.ts";
import { ElfFile } from "./elf/file.ts";
import { ElfSymbols } from "./elf/symbols.ts";
import { UnsupportedError } from "./errno.ts";
import { handOver } from "./handover.ts";
import { attachUprobe } from "./link/uprobe.ts";
import { BpfProgram } from "./program.ts";
import { libcFunction } from "./sys.ts";

/** Cheap, harmless, and called by nobody meanwhile. */
const FUNCTION = "getpagesize";
const CALLS = 100;
/** The fastest counts: others may have been kept waiting. */
const ROUNDS = 5;

/** The C library that this process runs with: glibc's or musl's. */
const mappedLibc = (): string | undefined =>
  /^\S+ r-x\S+ .* (\/\S*\/(?:libc\.so\.6|libc-[\d.]+\.so|ld-musl-[^/]*))$/m.exec(
    readFileSync("/proc/self/maps", "utf8"),
  )?.[1];

function placeOf(path: string): bigint | undefined {
  using elf = ElfFile.open(path);
  const symbol = ElfSymbols.read(elf).find(FUNCTION);
  const offset = symbol && elf.fileOffset(symbol.address);
  return offset === undefined ? undefined : BigInt(offset);
}

/** Nanoseconds of one call. */
function callTime(call: () => number): number {
  let fastest = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const begin = process.hrtime.bigint();
    for (let i = 0; i < CALLS; i++) call();
    fastest = Math.min(fastest, Number(process.hrtime.bigint() - begin) / CALLS);
  }
  return fastest;
}

/** Nanoseconds; takes some milliseconds. Throws where no uprobe can be attached to this process's libc. */
export function measureTrap(): number {
  const path = mappedLibc();
  const offset = path === undefined ? undefined : placeOf(path);
  if (path === undefined || offset === undefined)
    throw new UnsupportedError("the time of a trap", `this process has no library with ${FUNCTION}()`);
  const call = libcFunction(FUNCTION, 0);
  callTime(call);
  const untraced = callTime(call);
  const instructions = asm.encode([asm.movImm(0, 0), asm.exit()]);
  using program = BpfProgram.load({ type: "kprobe", instructions, name: "trap_time" });
  const link = attachUprobe(program, { path, offset, pid: process.pid });
  try {
    return Math.max(0, callTime(call) - untraced);
  } finally {
    handOver(link.removesEvent ? [] : link.fds, () => link.detach());
  }
}
