/** Why a path or a name is no program that can be traced, and what to name instead. */
import { closeSync, lstatSync, readlinkSync, readSync } from "node:fs";
import { basename, delimiter, dirname, isAbsolute, resolve } from "node:path";
import { listWithin, openFileWithin, statWithin } from "libbpf-ts";
import { nearest } from "../compile/check/nearest.ts";
import type { Arch } from "../compile/kernel.ts";
import { rootOf } from "./binaryPaths.ts";
import { libraryNames } from "./ldCache.ts";

export interface BinaryProblem {
  message: string;
  hint?: string;
}

const HEADER = 64;

function firstBytes(path: string): Buffer {
  const file = openFileWithin(path);
  if (!file) return Buffer.alloc(0);
  try {
    const bytes = Buffer.alloc(HEADER);
    return bytes.subarray(0, readSync(file.fd, bytes, 0, HEADER, 0));
  } finally {
    closeSync(file.fd);
  }
}

/** What a file that can't be read as a program is instead, in words that follow its path; undefined: nobody knows. */
export function otherKind(path: string): string | undefined {
  let bytes: Buffer;
  try {
    bytes = firstBytes(path);
  } catch {
    return undefined;
  }
  if (bytes.length === 0) return "the file is empty";
  const text = bytes.toString("latin1");
  if (text.startsWith("#!")) {
    const [program] = text.slice(2).trim().split(/\s/, 1);
    return `it is a script, which ${program} runs: trace that, or the programs it calls`;
  }
  if (text.startsWith("!<arch>")) return "it is a static library: name a program that it is linked into";
  if (text.startsWith("PK\x03\x04")) return `it is an archive: a library in it is ${path}!/NAME`;
  if (!text.startsWith("\x7fELF")) return "it is no program (not an ELF file)";
  if (bytes.length < HEADER) return "it is cut short";
  if (bytes[4] === 1) return "it is a 32-bit program, and only 64-bit ones can be traced";
  return undefined;
}

function namesIn(directory: string): string[] {
  try {
    return listWithin(`${directory}/`);
  } catch {
    return [];
  }
}

const suggestion = (paths: readonly string[]): string | undefined =>
  paths.length > 0 ? `did you mean ${paths.join(" or ")}?` : undefined;

function missingPath(path: string, pid: number | undefined): BinaryProblem {
  const root = rootOf(pid);
  const full = path.startsWith("/proc/") ? path : isAbsolute(path) ? root + path : resolve(path);
  try {
    const found = statWithin(full);
    if (found.isDirectory())
      return {
        message: `${path} is a directory`,
        hint: `name a file in it, or ${path.replace(/\/$/, "")}/* for all`,
      };
    return { message: `${path} is no regular file`, hint: "programs and libraries can be traced" };
  } catch (error) {
    if ((error as { code?: string }).code === "EACCES")
      return {
        message: `${path} can't be read: permission denied`,
        hint: "run as root, or have it made readable",
      };
  }
  try {
    if (root === "" && lstatSync(full).isSymbolicLink())
      return { message: `${path} is a link to ${readlinkSync(full)}, which does not exist` };
  } catch {
    // Nothing has that name.
  }
  const directory = path.slice(0, path.lastIndexOf("/") + 1);
  const similar = nearest(basename(path), namesIn(dirname(full))).map((name) => directory + name);
  return {
    message: `there is no file ${path}${pid === undefined || root === "" ? "" : ` where process ${pid} sees files`}`,
    hint:
      suggestion(similar) ??
      "programs in containers are at /proc/PID/root/…; deleted ones are found with -p PID",
  };
}

function missingName(name: string, arch: Arch, pid: number | undefined): BinaryProblem {
  const message = `there is no program or library ${name}`;
  if (name.startsWith("lib")) {
    const wanted = name.replace(/\.so.*$/, "");
    const libraries = libraryNames(arch, rootOf(pid)).map((file) => file.replace(/\.so.*$/, ""));
    const found = nearest(wanted, libraries);
    if (found.length > 0) return { message, hint: suggestion(found) };
  }
  const programs = (process.env.PATH ?? "").split(delimiter).filter(isAbsolute);
  const found = nearest(name, new Set(programs.flatMap(namesIn)));
  return {
    message,
    hint: suggestion(found) ?? "give its path, or the name of a library as in uprobe:libc:malloc",
  };
}

/** For what `pathsOf` finds nothing. */
export const whyNoBinary = (name: string, arch: Arch, pid?: number): BinaryProblem =>
  name.includes("/") ? missingPath(name, pid) : missingName(name, arch, pid);
