/** Reading small files that others wrote: never a pipe or a device, never more than a limit. */
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";

/** Bytes to begin with. */
const SMALLEST = 4096;

/** The file's text; undefined: none there, no plain file, or longer than `limit` bytes. */
export function readSmallFile(path: string, limit: number): string | undefined {
  let fd: number | undefined;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    const stat = fstatSync(fd);
    if (!stat.isFile() || stat.size > limit) return undefined;
    // Files of /proc have no size: they are read to their end.
    let bytes = Buffer.alloc(Math.max(stat.size, SMALLEST) + 1);
    let length = 0;
    while (length <= limit) {
      const read = readSync(fd, bytes, length, bytes.length - length, null);
      if (read === 0) return bytes.toString("utf8", 0, length);
      length += read;
      if (length === bytes.length) bytes = Buffer.concat([bytes], length * 2);
    }
    return undefined;
  } catch {
    return undefined;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** Parsed JSON, or undefined. */
export function readJson(path: string, limit: number): unknown {
  const text = readSmallFile(path, limit);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
