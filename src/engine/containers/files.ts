/**
 * Reading small files that others wrote: never a pipe or a device, never more than a limit, and nothing that a server has to
 * answer for, for nobody asked for it.
 */
import { readWithin } from "libbpf-ts";
import { ownMounts } from "../kernel/mounts.ts";

/** Whether looking there could last for ever. */
export const mayNotAnswer = (path: string): boolean => ownMounts().served(path) !== undefined;

/** The file's text; undefined: none there, no plain file, or longer than `limit` bytes. */
export function readSmallFile(path: string, limit: number): string | undefined {
  if (mayNotAnswer(path)) return undefined;
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
