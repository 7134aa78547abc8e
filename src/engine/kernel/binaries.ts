/** User programs and libraries: their functions, their instrumentation points, the language they were written in. */
import { ElfFile, type ElfSymbol, ElfSymbols, rootOfPath, symbolVersions, usdtProbes } from "libbpf-ts";
import type {
  Arch,
  MissingDebugInfo,
  UsdtProbe,
  UserBinary,
  UserDebugInfo,
  UserSymbol,
} from "../compile/kernel.ts";
import { commandFiles, isFile, pathsOf, realPath, rootOf } from "./binaryPaths.ts";
import { type BinaryProblem, otherKind, whyNoBinary } from "./binaryProblems.ts";
import { readDebugInfo } from "./debugInfo.ts";
import { beginsInstruction, canBeProbed } from "./instructions.ts";
import { mappedFiles } from "./mappedFiles.ts";

/** Bytes of one function that are read to find its instructions. */
const MOST_CODE = 1 << 20;

const UNREADABLE = "it can't be read: permission denied. Run as root, or have it made readable";

class Binary implements UserBinary {
  readonly path: string;
  #symbols: UserSymbol[] | undefined;
  #usdt: UsdtProbe[] | undefined;
  #language: { found: UserBinary["language"] } | undefined;
  /** Weak: an open file and what was read of it, for as long as a script's types need it. */
  #debugInfo: WeakRef<UserDebugInfo | MissingDebugInfo> | undefined;
  readonly #debugDirectories: readonly string[];

  constructor(path: string, debugDirectories: readonly string[]) {
    this.path = path;
    this.#debugDirectories = debugDirectories;
  }

  /** Throws with what the file is instead of a program. */
  #open(): ElfFile {
    let elf: ElfFile;
    try {
      elf = ElfFile.open(this.path);
    } catch (error) {
      const unreadable = (error as { code?: string }).code === "EACCES" ? UNREADABLE : undefined;
      const kind = unreadable ?? otherKind(this.path);
      throw kind === undefined ? error : new Error(`${this.path}: ${kind}`);
    }
    const isForeign = elf.machine !== process.arch;
    if (elf.segments.length > 0 && !isForeign) return elf;
    elf[Symbol.dispose]();
    throw new Error(
      isForeign
        ? `${this.path}: it was built for another processor than this machine's ${process.arch}`
        : `${this.path}: it is an object file, which is not run as it is: name a program that it is linked into`,
    );
  }

  /** Also those of a separate debug file. */
  #readSymbols(elf: ElfFile): ElfSymbols {
    return ElfSymbols.readAll(elf, rootOfPath(this.path), this.#debugDirectories);
  }

  symbols(): readonly UserSymbol[] {
    if (!this.#symbols) {
      using elf = this.#open();
      this.#symbols = placesOf(elf, this.#readSymbols(elf).functions());
    }
    return this.#symbols;
  }

  functions(name: string): readonly UserSymbol[] {
    using elf = this.#open();
    const places = placesOf(elf, this.#readSymbols(elf).functionsNamed(name));
    if (places.length === 0) return places;
    const versions = symbolVersions(elf, name);
    return places.map((place) => ({ ...place, versions: versions.get(place.address) ?? [] }));
  }

  probeable(symbols: readonly UserSymbol[]): readonly UserSymbol[] {
    using elf = this.#open();
    if (elf.machine !== "x64") return symbols;
    return symbols.filter(
      ({ offset, size }) => size === 0 || canBeProbed(elf.read(offset, Math.min(size, 8))),
    );
  }

  beginsInstruction(symbol: UserSymbol, offset: number): boolean | undefined {
    using elf = this.#open();
    if (elf.machine !== "x64" && elf.machine !== "arm64") return undefined;
    const length = Math.max(symbol.size, offset);
    if (length > MOST_CODE) return undefined;
    return beginsInstruction(elf.read(symbol.offset, length), offset, elf.machine);
  }

  symbol(name: string): UserSymbol | undefined {
    using elf = this.#open();
    const found = this.#readSymbols(elf).find(name);
    // Variables that start as zeros are not in the file.
    return (
      found && { name, address: found.address, size: found.size, offset: elf.fileOffset(found.address) ?? 0 }
    );
  }

  get movable(): boolean {
    using elf = this.#open();
    return elf.relocatable;
  }

  usdt(): readonly UsdtProbe[] {
    if (!this.#usdt) {
      using elf = this.#open();
      this.#usdt = usdtProbes(elf).map((probe) => ({
        provider: probe.provider,
        name: probe.name,
        offset: probe.offset,
        semaphoreOffset: probe.semaphoreOffset ?? 0,
        arguments: probe.args,
      }));
    }
    return this.#usdt;
  }

  debugInfo(): UserDebugInfo | MissingDebugInfo {
    let info = this.#debugInfo?.deref();
    if (!info) {
      info = readDebugInfo(this.path, rootOfPath(this.path), this.#debugDirectories);
      this.#debugInfo = new WeakRef(info);
    }
    return info;
  }

  get language(): UserBinary["language"] {
    this.#language ??= { found: this.#findLanguage() };
    return this.#language.found;
  }

  #findLanguage(): UserBinary["language"] {
    using elf = this.#open();
    if (elf.section(".go.buildinfo") ?? elf.section(".note.go.buildid")) return "go";
    const comment = elf.section(".comment");
    if (comment && elf.sectionData(comment).includes("rustc")) return "rust";
    return elf.section(".gnu.version_r") && ElfSymbols.read(elf).find("__gxx_personality_v0")
      ? "c++"
      : undefined;
  }
}

/** The functions that have a place in the file. */
function placesOf(elf: ElfFile, symbols: readonly ElfSymbol[]): UserSymbol[] {
  return symbols.flatMap(({ name, address, size, kind }) => {
    const offset = elf.fileOffset(address);
    if (offset === undefined) return [];
    const place: UserSymbol = { name, offset, address, size };
    return [kind === "ifunc" ? { ...place, indirect: true } : place];
  });
}

export class Binaries {
  #arch: Arch;
  #debugDirectories: readonly string[];
  #known = new Map<string, Binary>();

  /** `debugDirectories`: where separate debug files are looked for before the system's places. */
  constructor(arch: Arch, debugDirectories: readonly string[] = []) {
    this.#arch = arch;
    this.#debugDirectories = debugDirectories;
  }

  find(pattern: string, pid?: number): readonly UserBinary[] {
    return this.#openAll(pathsOf(pattern, this.#arch, pid));
  }

  /** For a name without wildcards that `find` finds nothing for. */
  whyNone(name: string, pid?: number): BinaryProblem {
    try {
      return whyNoBinary(name, this.#arch, pid);
    } catch (error) {
      return { message: (error as Error).message };
    }
  }

  /** What a process has mapped to execute, or what any has. Throws ProcessError when it has ended. */
  mapped(pid?: number): readonly UserBinary[] {
    rootOf(pid);
    return this.#openAll(mappedFiles(pid).filter(isFile));
  }

  ofCommand(command: string): readonly UserBinary[] {
    return this.#openAll(commandFiles(command, this.#arch));
  }

  /** Each file once, by whatever names it was found. */
  #openAll(paths: readonly string[]): Binary[] {
    return [...new Set(paths.map((path) => this.#open(path)))];
  }

  #open(path: string): Binary {
    const real = realPath(path);
    let binary = this.#known.get(real);
    if (!binary) {
      binary = new Binary(real, this.#debugDirectories);
      this.#known.set(real, binary);
    }
    return binary;
  }
}
