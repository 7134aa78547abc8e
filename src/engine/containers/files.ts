/** Reading small files that others wrote: never a pipe or a device, never more than a limit. */
import { readWithin } from "libbpf-ts";

/** The file's text; undefined: none there, no plain file, or longer than `limit` bytes. */
export function readSmallFile(path: string, limit: number): string | undefined {
  try {
    return readWithin(path, limit).toString("utf8");
  } catch {
    return undefined;
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
