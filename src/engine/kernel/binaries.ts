/** User programs and libraries by what scripts call them: a path, a name in PATH, a library, a pattern. */
import { readdirSync, readlinkSync, realpathSync, statSync } from "node:fs";
import { delimiter, isAbsolute, join, resolve } from "node:path";
import { ElfFile, ElfSymbols, usdtProbes } from "libbpf-ts";
import type {
  Arch,
  MissingDebugInfo,
  UsdtProbe,
  UserBinary,
  UserDebugInfo,
  UserSymbol,
} from "../compile/kernel.ts";
import { readDebugInfo } from "./debugInfo.ts";
import { findLibrary } from "./ldCache.ts";
import { mappedFiles } from "./mappedFiles.ts";

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

  /** Also those of a separate debug file. */
  #readSymbols(elf: ElfFile): ElfSymbols {
    return ElfSymbols.readAll(elf, rootOfPath(this.path), this.#debugDirectories);
  }

  symbols(): readonly UserSymbol[] {
    if (!this.#symbols) {
      using elf = ElfFile.open(this.path);
      this.#symbols = this.#readSymbols(elf)
        .functions()
        .flatMap(({ name, address, size }) => {
          const offset = elf.fileOffset(address);
          return offset === undefined ? [] : [{ name, offset, address, size }];
        });
    }
    return this.#symbols;
  }

  symbol(name: string): UserSymbol | undefined {
    using elf = ElfFile.open(this.path);
    const found = this.#readSymbols(elf).find(name);
    // Variables that start as zeros are not in the file.
    return (
      found && { name, address: found.address, size: found.size, offset: elf.fileOffset(found.address) ?? 0 }
    );
  }

  get movable(): boolean {
    using elf = ElfFile.open(this.path);
    return elf.relocatable;
  }

  usdt(): readonly UsdtProbe[] {
    if (!this.#usdt) {
      using elf = ElfFile.open(this.path);
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
    using elf = ElfFile.open(this.path);
    if (elf.section(".go.buildinfo") ?? elf.section(".note.go.buildid")) return "go";
    const comment = elf.section(".comment");
    if (comment && elf.sectionData(comment).includes("rustc")) return "rust";
    return elf.section(".gnu.version_r") && ElfSymbols.read(elf).find("__gxx_personality_v0")
      ? "c++"
      : undefined;
  }
}

/** "/proc/PID/root" of a path in another process's root; else "". */
const rootOfPath = (path: string): string => /^\/proc\/\d+\/root(?=\/)/.exec(path)?.[0] ?? "";

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** "" when the process sees the same files as we do. */
function rootOf(pid: number | undefined): string {
  if (pid === undefined) return "";
  try {
    const same = readlinkSync(`/proc/${pid}/ns/mnt`) === readlinkSync("/proc/self/ns/mnt");
    return same && readlinkSync(`/proc/${pid}/root`) === "/" ? "" : `/proc/${pid}/root`;
  } catch {
    return "";
  }
}

function candidates(name: string, arch: Arch, root: string): string[] {
  if (name.includes("/")) return [isAbsolute(name) ? root + name : resolve(name)];
  if (name.startsWith("lib")) {
    const library = findLibrary(name, arch, root);
    if (library) return [root + library];
  }
  const directories = (process.env.PATH ?? "/usr/local/bin:/usr/bin:/bin").split(delimiter);
  return [...directories.map((directory) => join(root + directory, name)), resolve(name)];
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
    const root = rootOf(pid);
    if (/[*?[]/.test(pattern)) {
      return expand(isAbsolute(pattern) ? root + pattern : resolve(pattern))
        .filter(isElf)
        .map((path) => this.#open(path));
    }
    const path = candidates(pattern, this.#arch, root).find(isFile);
    return path === undefined ? [] : [this.#open(path)];
  }

  /** What a process has mapped to execute, or what any has. */
  mapped(pid?: number): readonly UserBinary[] {
    return mappedFiles(pid, rootOf)
      .filter(isFile)
      .map((path) => this.#open(path));
  }

  #open(path: string): Binary {
    // Links within another process's root are not ours to follow.
    const real = path.startsWith("/proc/") ? path : realpathSync(path);
    let binary = this.#known.get(real);
    if (!binary) {
      binary = new Binary(real, this.#debugDirectories);
      this.#known.set(real, binary);
    }
    return binary;
  }
}

function isElf(path: string): boolean {
  if (!isFile(path)) return false;
  try {
    ElfFile.open(path)[Symbol.dispose]();
    return true;
  } catch {
    return false;
  }
}

/** Files that a pattern with `*`, `?` and `[…]` names, none of which crosses a "/". */
export function expand(pattern: string): string[] {
  let paths = [""];
  for (const part of pattern.split("/").slice(1)) {
    if (!/[*?[]/.test(part)) {
      paths = paths.map((path) => `${path}/${part}`);
      continue;
    }
    const matcher = wildcard(part);
    paths = paths.flatMap((path) => {
      try {
        return readdirSync(`${path}/`)
          .filter((name) => matcher.test(name))
          .sort()
          .map((name) => `${path}/${name}`);
      } catch {
        return [];
      }
    });
  }
  return paths;
}

function wildcard(part: string): RegExp {
  const source = part
    .replace(/[.+^${}()|\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`);
}
