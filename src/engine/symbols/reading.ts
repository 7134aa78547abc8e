/** Symbols of a file as a process sees it: read here, or by a reader where a server has to answer for the file. */
import { basename } from "node:path";
import { type Mount, ownMounts, UNKNOWN } from "../kernel/mounts.ts";
import { DELETED, mapFile } from "../kernel/processes.ts";
import { askReader, forOthers } from "../kernel/readers.ts";
import { type FileQuestion, type FileSymbols, type Found, fileSymbols } from "./files.ts";
import type { JitMapFile } from "./jitMapFile.ts";
import { isMemoryFile, type Mapping } from "./mappings.ts";
import type { Root } from "./roots.ts";

const DEBUG_FILES = "/usr/lib/debug";
const MOST_NAMES = 4096;

/** Who must answer before a file's symbols are read, and its debug file's. */
const serverOf = ({ mounts }: Root, path: string): Mount | undefined =>
  mounts.served(path) ?? mounts.served(DEBUG_FILES) ?? ownMounts().served(DEBUG_FILES);

/** `name`: shown with the place in the file as long as nobody answers. */
function askedSymbols(files: FileQuestion[], name: string, mount: Mount, root: Root): FileSymbols {
  const known = new Map<number, Found>();
  const theirs = files.map((file) => ({
    ...file,
    path: forOthers(file.path),
    root: file.root && forOthers(file.root),
  }));
  return {
    bytes: 0,
    openFiles: 0,
    closed: false,
    [Symbol.dispose]() {},
    at(fileOffset) {
      if (known.has(fileOffset)) return known.get(fileOffset);
      const answer = askReader({ files: theirs, fileOffset }, mount);
      if (!answer) {
        root.silent(mount);
        return { name, offset: fileOffset };
      }
      if (known.size >= MOST_NAMES) known.clear();
      known.set(fileOffset, answer.found);
      return answer.found;
    },
  };
}

/** Symbols of a file that is there by its name; undefined: there is no such ELF file. */
export function symbolsOfPath(root: Root, path: string): FileSymbols | undefined {
  if (root.path === undefined) return undefined;
  const question = { path: root.path + path, root: root.path };
  const mount = serverOf(root, path);
  return mount ? askedSymbols([question], basename(path), mount, root) : fileSymbols(question);
}

/** Where the file of a mapping is to be looked for: by its name, and where `living` has it mapped, should it be another by now. */
function questionsOf(root: Root, { path, seen, start, end }: Mapping, living: number | undefined) {
  const gone = path.endsWith(DELETED);
  const named: FileQuestion | undefined = gone
    ? undefined
    : { path: root.path + path, root: root.path, unchangedSince: seen };
  const mapped: FileQuestion | undefined =
    living === undefined ? undefined : { path: mapFile(living, { start, end }), root: root.path };
  return { named, mapped, name: basename(gone ? path.slice(0, -DELETED.length) : path) };
}

/** Whether the file that is mapped asks no server, whatever its name leads to. */
const isLocalMapping = (root: Root, mapping: Mapping): boolean =>
  isMemoryFile(mapping) || root.mounts.isLocal(mapping.device) || ownMounts().isLocal(mapping.device);

/** The file of a mapping as its process sees it; one that was replaced meanwhile, as long as it is mapped by `living`. */
export function symbolsOfMapping(
  root: Root,
  mapping: Mapping,
  living: number | undefined,
): FileSymbols | undefined {
  if (root.path === undefined) return undefined;
  const { named, mapped, name } = questionsOf(root, mapping, living);
  const mount = named && serverOf(root, mapping.path);
  if (mount) return askedSymbols(mapped ? [named, mapped] : [named], name, mount, root);
  const found = named && fileSymbols(named);
  if (found || !mapped) return found;
  if (isLocalMapping(root, mapping)) return fileSymbols(mapped);
  const { device, path } = mapping;
  return askedSymbols([mapped], name, { ...UNKNOWN, device, point: path }, root);
}

/** The first answer that `ask` has for a mapping's file, of files that can be read without waiting for a server. */
export function fromMappedFile<T>(
  root: Root,
  mapping: Mapping,
  living: number | undefined,
  ask: (file: FileQuestion) => T | undefined,
): T | undefined {
  if (root.path === undefined) return undefined;
  const { named, mapped } = questionsOf(root, mapping, living);
  const mount = named && root.mounts.served(mapping.path);
  if (mount && !askReader({ exists: forOthers(named.path) }, mount)) {
    root.silent(mount);
    return undefined;
  }
  const found = named && ask(named);
  if (found || !mapped || !isLocalMapping(root, mapping)) return found;
  return ask(mapped);
}

/** What a JIT's map says of an address. `path`: as the process sees it. */
export function jitSymbol(
  root: Root,
  path: string,
  { address, uid, file }: { address: number; uid: number; file: (path: string) => JitMapFile },
): Found {
  if (root.path === undefined) return undefined;
  const mount = root.mounts.served(path);
  if (!mount) return file(root.path + path).at(address, uid);
  const answer = askReader({ jitMap: forOthers(root.path + path), address, uid }, mount);
  if (!answer) root.silent(mount);
  return answer?.found;
}
