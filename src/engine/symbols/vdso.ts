/** The vdso: code that the kernel maps into every process. There is no file, but all have the same, so ours is read. */
import { closeSync, openSync, readFileSync, readSync } from "node:fs";
import { ElfFile } from "libbpf-ts";
import { type FileSymbols, symbolsOf } from "./files.ts";
import { parseMaps } from "./mappings.ts";

function read(): FileSymbols | undefined {
  const mapping = parseMaps(readFileSync("/proc/self/maps", "latin1"), 0).find(
    ({ path }) => path === "[vdso]",
  );
  if (!mapping) return undefined;
  const bytes = Buffer.alloc(mapping.end - mapping.start);
  const fd = openSync("/proc/self/mem", "r");
  try {
    readSync(fd, bytes, 0, bytes.length, mapping.start);
  } finally {
    closeSync(fd);
  }
  return symbolsOf(ElfFile.of(bytes, "[vdso]"), "");
}

let vdso: { symbols: FileSymbols | undefined } | undefined;

export function vdsoSymbols(): FileSymbols | undefined {
  if (!vdso) {
    vdso = { symbols: undefined };
    try {
      vdso.symbols = read();
    } catch {
      // No /proc/self/mem: addresses stay numbers.
    }
  }
  return vdso.symbols;
}
