/** Symbols of ELF files, read at the first question and kept by the file's identity, the least used going first. */
import { ElfFile, FunctionIndex, statWithin } from "libbpf-ts";
import { demangled } from "./demangle/index.ts";

export interface FileSymbols extends Disposable {
  /** The function at a byte of the file. */
  at(fileOffset: number): Found;
  /** Memory they take. */
  readonly bytes: number;
  /** Files that are kept open for long tables of names. */
  readonly openFiles: number;
  /** Whether such files were closed: ask for the symbols once more. */
  readonly closed: boolean;
}

/** What the symbols of all files may take together. */
const MOST_BYTES = 256 << 20;
/** Also those that have none. */
const MOST_FILES = 4096;
/** What all of them may keep open. */
const MOST_OPEN = 64;
/** Names kept ready for each file. */
const MOST_NAMES = 4096;

/** `mangled`: the name in the file, where the author wrote another. */
export type Found = { name: string; mangled?: string; offset: number } | undefined;

/** What linkers put behind the names of symbols that have versions. */
const VERSION = /@@?[A-Za-z][\w.]*$/;

function readable(found: Found): Found {
  if (!found?.name) return undefined;
  const name = found.name.replace(VERSION, "");
  const written = demangled(name)?.text;
  return written ? { name: written, mangled: name, offset: found.offset } : { name, offset: found.offset };
}

/** `root`: where the process that uses the file sees its files. The file is theirs from now on. */
export function symbolsOf(elf: ElfFile, root: string): FileSymbols {
  const functions = FunctionIndex.of(elf, root);
  const known = new Map<number, Found>();
  let closed = false;
  return {
    at(fileOffset) {
      if (known.has(fileOffset)) return known.get(fileOffset);
      const address = elf.address(fileOffset);
      const found = address === undefined ? undefined : readable(functions.at(address));
      if (known.size >= MOST_NAMES) known.clear();
      known.set(fileOffset, found);
      return found;
    },
    get bytes() {
      return functions.bytes;
    },
    get openFiles() {
      return functions.openFiles;
    },
    get closed() {
      return closed;
    },
    [Symbol.dispose]() {
      closed = functions.openFiles > 0;
      functions[Symbol.dispose]();
    },
  };
}

const cache = new Map<string, FileSymbols | undefined>();

function keep(identity: string, symbols: FileSymbols | undefined): void {
  cache.delete(identity);
  cache.set(identity, symbols);
  let bytes = 0;
  let open = 0;
  for (const kept of cache.values()) {
    bytes += kept?.bytes ?? 0;
    open += kept?.openFiles ?? 0;
  }
  for (const [oldest, kept] of cache) {
    const fits = bytes <= MOST_BYTES && open <= MOST_OPEN && cache.size <= MOST_FILES;
    if (fits || oldest === identity) break;
    cache.delete(oldest);
    bytes -= kept?.bytes ?? 0;
    open -= kept?.openFiles ?? 0;
    kept?.[Symbol.dispose]();
  }
}

export interface FileQuestion {
  path: string;
  /** See `symbolsOf`. */
  root?: string;
  /** Wall clock, ms: a file that was changed later is not the one that is meant. */
  unchangedSince?: number;
}

/** Undefined: there is no such ELF file, or not the same any more. */
export function fileSymbols({ path, root = "", unchangedSince }: FileQuestion): FileSymbols | undefined {
  try {
    const { dev, ino, mtimeMs, ctimeMs } = statWithin(path);
    if (unchangedSince !== undefined && ctimeMs > unchangedSince) return undefined;
    const identity = `${dev}:${ino}:${mtimeMs}`;
    if (cache.has(identity)) {
      const symbols = cache.get(identity);
      keep(identity, symbols);
      return symbols;
    }
    let symbols: FileSymbols | undefined;
    try {
      symbols = symbolsOf(ElfFile.open(path), root);
    } catch {
      // Not readable, or not ELF: addresses stay numbers.
    }
    keep(identity, symbols);
    return symbols;
  } catch {
    return undefined;
  }
}
