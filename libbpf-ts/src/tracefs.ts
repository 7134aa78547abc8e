// tracefs: where tracepoints are listed and described. It is often present but not mounted; it is then mounted at its
// usual place, when permitted.
//
// A `format` file has a line for each field of the record that a tracepoint hands over:
//
//   field:char comm[16];	offset:8;	size:16;	signed:0;
//   field:__data_loc char[] name;	offset:24;	size:4;	signed:0;      (u16 offset, u16 length of the real data)

import { closeSync, existsSync, openSync, readdirSync, readFileSync, readSync } from "node:fs";
import { Errno, SysError, UnsupportedError } from "./errno.ts";
import { mount } from "./sys.ts";

export interface TracepointField {
  name: string;
  /** As C writes it, without the array's brackets: "char", "const char *", "unsigned long". */
  type: string;
  offset: number;
  size: number;
  signed: boolean;
  /** Elements of an array; 0 for none, and for arrays of a length known only at run time. */
  arrayLength: number;
  isArray: boolean;
  /** The field is a u32: offset of the data in its low half, length in its high half. */
  dataLoc: boolean;
  /** As dataLoc, the offset counted from the end of the field itself (5.18). */
  relLoc: boolean;
}

export interface TracepointFormat {
  category: string;
  name: string;
  id: number;
  /** All fields, the common ones first. */
  fields: TracepointField[];
}

const places = ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"];
let found: string | undefined;

/** Where tracefs is mounted and readable; mounts it where it is not. Throws SysError or UnsupportedError. */
export function tracefsPath(): string {
  if (found) return found;
  found = places.find((place) => existsSync(`${place}/events`));
  if (found) return found;
  if (!existsSync(places[0]))
    throw new UnsupportedError("tracefs", "this kernel has none (CONFIG_TRACING)", "4.1");
  const mounted = / (\S+) tracefs /.exec(readFileSync("/proc/self/mounts", "latin1"))?.[1];
  if (mounted && existsSync(`${mounted}/events`)) {
    found = mounted;
    return found;
  }
  if (mounted) {
    throw new SysError(
      `open(${mounted}/events)`,
      Errno.EACCES,
      `tracefs is for root alone: run it as root (sudo), or open it to others: sudo mount -o remount,mode=755 ${mounted}`,
    );
  }
  mount("tracefs", places[0], "tracefs");
  found = places[0];
  return found;
}

/** The fields of nearly every format fit; the kernel writes no more of a file than is asked for. */
const chunk = Buffer.alloc(4096);

/** A file's text, up to where `end` was seen: a format tells its fields first, and then at length how to print them. */
function readText(path: string, end?: string): string {
  const fd = openSync(path, "r");
  try {
    let text = "";
    for (;;) {
      const count = readSync(fd, chunk, 0, chunk.length, null);
      if (count === 0) return text;
      text += chunk.toString("latin1", 0, count);
      if (end !== undefined && text.includes(end)) return text;
    }
  } finally {
    closeSync(fd);
  }
}

const AFTER_FIELDS = "\nprint fmt:";

function readEventFile(category: string, name: string, file: string, end?: string): string {
  const path = `${tracefsPath()}/events/${category}/${name}/${file}`;
  try {
    return readText(path, end);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") {
      throw new UnsupportedError(`tracepoint ${category}:${name}`, "this kernel has no such tracepoint");
    }
    throw error;
  }
}

/** The number by which perf events name a tracepoint. */
export function tracepointId(category: string, name: string): number {
  return Number(readEventFile(category, name, "id"));
}

/** Describes the records of the kernel's own tracers: there is nothing to attach to. */
const TRACERS = "ftrace";

/** Categories of tracepoints, sorted. */
export function listTracepointCategories(): string[] {
  return readdirSync(`${tracefsPath()}/events`, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== TRACERS)
    .map((entry) => entry.name)
    .sort();
}

/** Names of the tracepoints in a category, sorted; empty where there is no such category. */
export function listTracepoints(category: string): string[] {
  try {
    return readdirSync(`${tracefsPath()}/events/${category}`, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name)
      .sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

/** Whether a tracepoint exists. */
export function hasTracepoint(category: string, name: string): boolean {
  return existsSync(`${tracefsPath()}/events/${category}/${name}/format`);
}

/** "category:name" of every tracepoint, from the one file that has them all; sorted. */
export function listAllTracepoints(): string[] {
  return readFileSync(`${tracefsPath()}/available_events`, "utf8").trim().split("\n").sort();
}

const fieldLine = /^\s*field:(.*?);\s*offset:(\d+);\s*size:(\d+);(?:\s*signed:(\d+);)?/;

/** One `field:` line, or undefined for any other. */
export function parseFieldLine(line: string): TracepointField | undefined {
  const match = fieldLine.exec(line);
  if (!match) return undefined;
  let declaration = match[1].trim();
  const location = /^__(data|rel)_loc\s+/.exec(declaration);
  if (location) declaration = declaration.slice(location[0].length);
  // "char name[16]", "char[] name", "unsigned long args[6]", "const char * name"
  const brackets = /\[([^\]]*)\]/.exec(declaration);
  const bare = declaration.replace(/\[[^\]]*\]/g, " ").trim();
  const split = /^(.*?)\s*([A-Za-z_]\w*)$/.exec(bare);
  if (!split) return undefined;
  const size = Number(match[3]);
  const length = brackets ? Number.parseInt(brackets[1], 10) : 0;
  return {
    name: split[2],
    type: split[1].trim(),
    offset: Number(match[2]),
    size,
    signed: match[4] === "1",
    arrayLength: Number.isNaN(length) ? 0 : length,
    isArray: brackets !== null,
    dataLoc: location?.[1] === "data",
    relLoc: location?.[1] === "rel",
  };
}

/** Parses the text of a `format` file. */
export function parseTracepointFormat(category: string, text: string): TracepointFormat {
  return {
    category,
    name: /^name: (.*)$/m.exec(text)?.[1] ?? "",
    id: Number(/^ID: (\d+)$/m.exec(text)?.[1] ?? 0),
    fields: text.split("\n").flatMap((line) => parseFieldLine(line) ?? []),
  };
}

/** Reads a tracepoint's description; throws UnsupportedError where there is none. */
export function readTracepointFormat(category: string, name: string): TracepointFormat {
  return parseTracepointFormat(category, readEventFile(category, name, "format", AFTER_FIELDS));
}

/** The fields of a tracepoint that not all have, as the kernel declares them: "char comm[16]", "__data_loc char[] name". */
export function tracepointFieldTexts(category: string, name: string): string[] {
  return fieldTexts(readEventFile(category, name, "format", AFTER_FIELDS));
}

/** Fields that all tracepoints have come first, an empty line stands between them and the tracepoint's own. */
export function fieldTexts(format: string): string[] {
  const fields: string[] = [];
  const mark = "\tfield:";
  const common = format.indexOf(mark);
  const own = common < 0 ? -1 : format.indexOf("\n\n", common);
  for (let at = own < 0 ? -1 : format.indexOf(mark, own); at >= 0; at = format.indexOf(mark, at)) {
    at += mark.length;
    fields.push(format.slice(at, format.indexOf(";", at)));
  }
  return fields;
}
