// Libraries inside of ZIP archives, which Android maps from where they lie: "app.apk!/lib/arm64-v8a/libfoo.so". Only members
// that are stored as they are can be mapped, and so be traced.
//
//   … local header (30 bytes, name, extra) | data … | central directory: an entry per member | end record (22 bytes, comment)

import { closeSync, readSync } from "node:fs";
import { openFileWithin } from "../within.ts";

/** Where a member's bytes are in the archive's file. */
export interface ArchiveMember {
  archive: string;
  offset: number;
  size: number;
}

const SEPARATOR = "!/";
const END = 0x06054b50;
const END_SIZE = 22;
const ENTRY = 0x02014b50;
const ENTRY_SIZE = 46;
const LOCAL = 0x04034b50;
const LOCAL_SIZE = 30;
const LONGEST_COMMENT = 0xffff;
const LARGEST_DIRECTORY = 64 << 20;
const STORED = 0;

/** The archive's and the member's names in a path; undefined: it names none. */
export function splitArchivePath(path: string): { archive: string; name: string } | undefined {
  const at = path.indexOf(SEPARATOR);
  return at <= 0 ? undefined : { archive: path.slice(0, at), name: path.slice(at + SEPARATOR.length) };
}

function opened(path: string): ReturnType<typeof openFileWithin> {
  try {
    return openFileWithin(path);
  } catch {
    return undefined;
  }
}

/** Finds a member by "ARCHIVE!/NAME"; throws with what is wrong with it. Undefined: the path names no archive that is there. */
export function archiveMember(path: string): ArchiveMember | undefined {
  const names = splitArchivePath(path);
  if (!names) return undefined;
  const file = opened(names.archive);
  if (!file) return undefined;
  const { fd, stat } = file;
  const read = (offset: number, size: number): Buffer => {
    const bytes = Buffer.alloc(size);
    if (offset < 0 || readSync(fd, bytes, 0, size, offset) < size)
      throw new Error(`${names.archive}: no ZIP archive, or a damaged one`);
    return bytes;
  };
  try {
    const entry = find(read, stat.size, names);
    const local = read(entry.local, LOCAL_SIZE);
    if (local.readUInt32LE(0) !== LOCAL) throw new Error(`${names.archive}: a damaged ZIP archive`);
    const offset = entry.local + LOCAL_SIZE + local.readUInt16LE(26) + local.readUInt16LE(28);
    if (offset + entry.size > stat.size) throw new Error(`${names.archive}: ends within ${names.name}`);
    return { archive: names.archive, offset, size: entry.size };
  } finally {
    closeSync(fd);
  }
}

function find(
  read: (offset: number, size: number) => Buffer,
  fileSize: number,
  { archive, name }: { archive: string; name: string },
): { local: number; size: number } {
  const tail = read(
    Math.max(0, fileSize - END_SIZE - LONGEST_COMMENT),
    Math.min(fileSize, END_SIZE + LONGEST_COMMENT),
  );
  const end = tail.lastIndexOf(Buffer.from([0x50, 0x4b, 0x05, 0x06]), tail.length - END_SIZE);
  if (end < 0 || tail.readUInt32LE(end) !== END) throw new Error(`${archive}: no ZIP archive`);
  const size = tail.readUInt32LE(end + 12);
  if (size > LARGEST_DIRECTORY) throw new Error(`${archive}: its directory is too large`);
  const directory = read(tail.readUInt32LE(end + 16), size);
  for (let at = 0; at + ENTRY_SIZE <= size && directory.readUInt32LE(at) === ENTRY; ) {
    const nameSize = directory.readUInt16LE(at + 28);
    const found = directory.toString("utf8", at + ENTRY_SIZE, at + ENTRY_SIZE + nameSize);
    if (found === name) {
      if (directory.readUInt16LE(at + 10) !== STORED)
        throw new Error(`${archive}: ${name} is compressed in it, so that nobody can run it from there`);
      return { local: directory.readUInt32LE(at + 42), size: directory.readUInt32LE(at + 24) };
    }
    at += ENTRY_SIZE + nameSize + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
  }
  throw new Error(`${archive}: it has no ${name}`);
}
