/**
 * Where the loader finds libraries: /etc/ld.so.cache of glibc, or the usual directories where there is none (musl).
 *
 *   "glibc-ld.so.cache1.1"  u32 count  u32 string bytes  …  at 48: entries of 24 bytes {s32 flags, u32 name, u32 path, …}
 *
 * Names and paths are offsets from the header. Older files have the same behind a part that nobody reads any more.
 */
import { existsWithin, listWithin, readWithin, stringAt } from "libbpf-ts";
import type { Arch } from "../compile/kernel.ts";

const MAGIC = "glibc-ld.so.cache1.1";
const HEADER = 48;
const ENTRY = 24;
/** Low byte 3: libc6 ELF; the next byte is the architecture. */
const FLAGS: Record<Arch, number> = { x64: 0x0303, arm64: 0x0a03 };
const LARGEST = 16 << 20;
const LONGEST_PATH = 4096;
/** Names and paths may take this many times the bytes of the file: some share a string, or its tail. */
const MOST_SHARED = 16;
const TRIPLET: Record<Arch, string> = { x64: "x86_64-linux-gnu", arm64: "aarch64-linux-gnu" };
/** Where images without a cache have their libraries. */
const directories = (arch: Arch): string[] => [
  ...["/lib", "/usr/lib"].flatMap((place) => [place, `${place}/${TRIPLET[arch]}`, `${place}64`]),
  "/usr/local/lib",
];

/** Names and paths in the cache's bytes, in its order of preference. */
export function parseLdCache(bytes: Buffer, arch: Arch): { name: string; path: string }[] {
  const start = bytes.indexOf(MAGIC, 0, "latin1");
  if (start < 0 || start + HEADER > bytes.length) return [];
  const count = bytes.readUInt32LE(start + 20);
  let left = MOST_SHARED * bytes.length;
  const text = (offset: number) => {
    const found = stringAt(bytes, start + offset, LONGEST_PATH);
    left -= found.length;
    return found;
  };
  const entries: { name: string; path: string }[] = [];
  for (let i = 0; i < count; i++) {
    const at = start + HEADER + i * ENTRY;
    if (at + ENTRY > bytes.length || left < 0) break;
    if ((bytes.readUInt32LE(at) & 0xffff) !== FLAGS[arch]) continue;
    entries.push({ name: text(bytes.readUInt32LE(at + 4)), path: text(bytes.readUInt32LE(at + 8)) });
  }
  return entries;
}

/** Empty: none there, or none that can be read. */
function readCache(path: string): Buffer {
  try {
    return readWithin(path, LARGEST);
  } catch {
    return Buffer.alloc(0);
  }
}

/** Whether a script's name of a library means a file: "libc" is libc.so.6, or musl's libc.musl-x86_64.so.1. */
export const isLibrary = (name: string, file: string): boolean =>
  file === name || file.startsWith(`${name}.so`) || (name === "libc" && /^(?:libc|ld)[.-]musl-/.test(file));

/** Names of the libraries that programs can ask for. */
export const libraryNames = (arch: Arch, root = ""): string[] =>
  parseLdCache(readCache(`${root}/etc/ld.so.cache`), arch).map(({ name }) => name);

/** Path of a library by the name in scripts: "libc", "libc.so.6", "libssl". `root` is a process's file system. */
export function findLibrary(name: string, arch: Arch, root = ""): string | undefined {
  const matches = (file: string) => isLibrary(name, file);
  const found = parseLdCache(readCache(`${root}/etc/ld.so.cache`), arch).find((entry) => matches(entry.name));
  if (found) return found.path;
  for (const directory of directories(arch)) {
    if (!existsWithin(root + directory)) continue;
    const file = listWithin(root + directory).find(matches);
    if (file) return `${directory}/${file}`;
  }
  return undefined;
}
