/** Symbols of ELF files, read at the first question and kept by the file's identity. */
import { ElfFile, ElfSymbols } from "libbpf-ts";

export interface FileSymbols {
  /** The function at a byte of the file. */
  at(fileOffset: number): { name: string; offset: number } | undefined;
}

const MOST = 256;
const cache = new Map<string, FileSymbols | undefined>();

function read(path: string): FileSymbols | undefined {
  using elf = ElfFile.open(path);
  const known = cache.get(elf.identity);
  if (known) return known;
  const symbols = ElfSymbols.read(elf);
  const file: FileSymbols = {
    at: (fileOffset) => {
      const address = elf.address(fileOffset);
      return address === undefined ? undefined : symbols.at(address);
    },
  };
  cache.set(elf.identity, file);
  return file;
}

/** Undefined: no ELF file there. */
export function fileSymbols(path: string): FileSymbols | undefined {
  if (cache.has(path)) return cache.get(path);
  if (cache.size > MOST) cache.clear();
  let file: FileSymbols | undefined;
  try {
    file = read(path);
  } catch {
    // Not readable, gone, or not ELF: addresses stay numbers.
  }
  cache.set(path, file);
  return file;
}
