/**
 * Where the programs and libraries are that scripts speak of: by a path, a name in PATH, a library's name, a pattern, as
 * the process of -p sees its files, or by what a command line runs.
 */
import { readFileSync, readlinkSync, realpathSync } from "node:fs";
import { basename, delimiter, dirname, isAbsolute, join, resolve } from "node:path";
import { ElfFile, listWithin, neededLibraries, splitArchivePath, statWithin } from "libbpf-ts";
import type { Arch } from "../compile/kernel.ts";
import { hasWildcard, wildcard } from "../compile/probes/wildcard.ts";
import { findLibrary, isLibrary } from "./ldCache.ts";
import { mappedFiles } from "./mappedFiles.ts";
import { DELETED, fileSystemOf, isAlive, ProcessError } from "./processes.ts";

const USUAL_PATH = "/usr/local/bin:/usr/bin:/bin";

/** A member of an archive is a file, too. */
export function isFile(path: string): boolean {
  try {
    return statWithin(path).isFile();
  } catch {
    const archive = splitArchivePath(path)?.archive;
    return archive !== undefined && isFile(archive);
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

function linkText(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

/**
 * What to put before a process's paths: "" when it sees the same files as we do. Throws ProcessError when it has ended or is not
 * ours to look at: its paths would be taken for ours.
 */
export function rootOf(pid: number | undefined): string {
  if (pid === undefined) return "";
  try {
    return fileSystemOf(pid).root;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (!isAlive(pid)) throw new ProcessError(`process ${pid} has ended`);
    throw new ProcessError(
      code === "EACCES" ? `the files of process ${pid} may not be looked at by this user` : message,
    );
  }
}

/** Names for one file become one. Links within another process's root are not ours to follow. */
export function realPath(path: string): string {
  const own = /^\/proc\/(\d+)\/exe$/.exec(path);
  if (own) {
    const target = linkText(path);
    if (!target || target.endsWith(DELETED)) return path;
    try {
      const root = rootOf(Number(own[1]));
      return isFile(root + target) ? root + target : path;
    } catch {
      return path;
    }
  }
  if (path.startsWith("/proc/")) return path;
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

/** Directories of PATH, in a container the one of the process there. */
function searchPath(pid: number | undefined, root: string): string[] {
  let path = process.env.PATH;
  if (root !== "") {
    try {
      const variables = readFileSync(`/proc/${pid}/environ`, "latin1").split("\0");
      path = variables.find((variable) => variable.startsWith("PATH="))?.slice("PATH=".length);
    } catch {
      path = undefined;
    }
  }
  return (path ?? USUAL_PATH).split(delimiter).filter(isAbsolute);
}

/** Files that a name may mean, the likeliest first. */
function candidates(name: string, arch: Arch, pid: number | undefined): string[] {
  const root = rootOf(pid);
  // What /proc has of a process is seen from here.
  if (name.startsWith("/proc/")) return [name];
  if (name.includes("/")) return [isAbsolute(name) ? root + name : resolve(name)];
  const isLibraryName = name.startsWith("lib");
  const library = isLibraryName ? findLibrary(name, arch, root) : undefined;
  // What the process has loaded is what is meant, wherever its loader found it.
  const loaded = isLibraryName && pid !== undefined ? mappedFiles(pid) : [];
  return [
    ...loaded.filter((file) => isLibrary(name, basename(linkText(file) ?? file).replace(DELETED, ""))),
    ...(library ? [root + library] : []),
    ...searchPath(pid, root).map((directory) => root + join(directory, name)),
    resolve(name),
  ];
}

/** A file that is gone by its name, but still there for the process that has it mapped. */
function deletedFile(path: string, pid: number | undefined): string | undefined {
  if (pid === undefined) return undefined;
  if (linkText(`/proc/${pid}/exe`) === path + DELETED) return `/proc/${pid}/exe`;
  const places = mappedFiles(pid).filter((file) => /^\/proc\/\d+\/map_files\//.test(file));
  return places.find((file) => linkText(file) === path + DELETED);
}

/** What a pattern, a path or a name means; empty: no such file. */
export function pathsOf(pattern: string, arch: Arch, pid?: number): string[] {
  const exact = candidates(pattern, arch, pid).find(isFile) ?? deletedFile(pattern, pid);
  if (exact !== undefined) return [exact];
  if (hasWildcard(pattern)) {
    const root = rootOf(pid);
    const patterns = pattern.includes("/")
      ? [isAbsolute(pattern) ? root + pattern : resolve(pattern)]
      : [...searchPath(pid, root).map((directory) => root + join(directory, pattern)), resolve(pattern)];
    return patterns.flatMap(expand).filter(isElf);
  }
  return [];
}

const MOST_LIBRARIES = 512;

/** The program that a shell would run for a command line, and the libraries that the loader would bring. */
export function commandFiles(command: string, arch: Arch): string[] {
  const words = command.trim().split(/\s+/);
  const name = words.find((word) => !/^[A-Za-z_]\w*=/.test(word));
  const [program] = name ? pathsOf(name, arch) : [];
  if (program === undefined) return [];
  const files = [program];
  for (let at = 0; at < files.length && files.length < MOST_LIBRARIES; at++) {
    for (const library of librariesOf(files[at], arch)) if (!files.includes(library)) files.push(library);
  }
  return files;
}

function librariesOf(path: string, arch: Arch): string[] {
  try {
    using elf = ElfFile.open(path);
    const { names, searchPaths } = neededLibraries(elf);
    const folders = searchPaths.map((folder) => folder.replace(/\$\{?ORIGIN\}?/, dirname(realPath(path))));
    return names.flatMap((name) => {
      const own = folders.map((folder) => join(folder, name)).find(isFile);
      const found = own ?? findLibrary(name, arch);
      return found ? [found] : [];
    });
  } catch {
    return [];
  }
}

/** Files that a pattern names; no wildcard crosses a "/". */
export function expand(pattern: string): string[] {
  let paths = [""];
  for (const part of pattern.split("/").slice(1)) {
    if (!hasWildcard(part)) {
      paths = paths.map((path) => `${path}/${part}`);
      continue;
    }
    const matches = wildcard(part);
    paths = paths.flatMap((path) => {
      try {
        return listWithin(`${path}/`)
          .filter(matches)
          .sort()
          .map((name) => `${path}/${name}`);
      } catch {
        return [];
      }
    });
  }
  return paths;
}
