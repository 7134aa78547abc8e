/** The vdso: code that the kernel maps into every process. There is no file, but all have the same, so ours is read. */
import { closeSync, openSync, readSync } from "node:fs";
import { ElfFile } from "libbpf-ts";
import { mappingsOf } from "../kernel/processes.ts";
import { type FileSymbols, symbolsOf } from "./files.ts";

/** Our own, in memory; undefined: there is none. Throws where /proc/self/mem can't be read. */
export function vdsoFile(): ElfFile | undefined {
  const mapping = mappingsOf(process.pid).find(({ path }) => path === "[vdso]");
  if (!mapping) return undefined;
  const bytes = Buffer.alloc(mapping.end - mapping.start);
  const fd = openSync("/proc/self/mem", "r");
  try {
    readSync(fd, bytes, 0, bytes.length, mapping.start);
  } finally {
    closeSync(fd);
  }
  return ElfFile.of(bytes, "[vdso]");
}

let vdso: { symbols: FileSymbols | undefined } | undefined;

export function vdsoSymbols(): FileSymbols | undefined {
  if (!vdso) {
    vdso = { symbols: undefined };
    try {
      const file = vdsoFile();
      vdso.symbols = file && symbolsOf(file, "");
    } catch {
      // No /proc/self/mem: addresses stay numbers.
    }
  }
  return vdso.symbols;
}
