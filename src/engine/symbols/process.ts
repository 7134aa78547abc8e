/**
 * Symbols of one process: what lies where (/proc/PID/maps), the files' symbols, and what a JIT wrote to perf-PID.map. The
 * map of mappings is kept, so that addresses are named after the process has ended as well.
 */
import { readFileSync, statSync } from "node:fs";
import { monotonicMs } from "../clock.ts";
import type { ResolvedSymbol } from "./context.ts";
import { fileSymbols } from "./files.ts";

export interface Mapping {
  start: number;
  end: number;
  fileOffset: number;
  /** "" for anonymous memory, "[vdso]" and its kind as they are. */
  path: string;
}

const MAPS_LINE = /^([0-9a-f]+)-([0-9a-f]+) (\S{4}) ([0-9a-f]+) \S+ \d+ *(.*)$/;

/** The executable mappings in the text of /proc/PID/maps, ascending. */
export function parseMaps(text: string): Mapping[] {
  const mappings: Mapping[] = [];
  for (const line of text.split("\n")) {
    const match = MAPS_LINE.exec(line);
    if (!match?.[3].includes("x")) continue;
    mappings.push({
      start: Number.parseInt(match[1], 16),
      end: Number.parseInt(match[2], 16),
      fileOffset: Number.parseInt(match[4], 16),
      path: match[5],
    });
  }
  return mappings;
}

export interface JitSymbol {
  start: number;
  end: number;
  name: string;
}

/** Lines "start size name" in hexadecimal, as JITs write them, ascending by start; of two at one place the later counts. */
export function parsePerfMap(text: string): JitSymbol[] {
  const byStart = new Map<number, JitSymbol>();
  for (const line of text.split("\n")) {
    const match = /^(?:0x)?([0-9a-f]+) (?:0x)?([0-9a-f]+) (.+)$/i.exec(line);
    if (!match) continue;
    const start = Number.parseInt(match[1], 16);
    byStart.set(start, { start, end: start + Number.parseInt(match[2], 16), name: match[3] });
  }
  return [...byStart.values()].sort((a, b) => a.start - b.start);
}

/** The range that holds an address, in ranges sorted by start. */
function find<T extends { start: number; end: number }>(
  ranges: readonly T[],
  address: number,
): T | undefined {
  let low = 0;
  let high = ranges.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const range = ranges[middle];
    if (address < range.start) high = middle - 1;
    else if (address >= range.end) low = middle + 1;
    else return range;
  }
  return undefined;
}

function readText(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}

const REFRESH_EVERY = 100;
const DELETED = " (deleted)";

export class ProcessSymbols {
  readonly pid: number;
  #mappings: Mapping[] = [];
  #jit: JitSymbol[] = [];
  #jitIdentity = "";
  #read = Number.NEGATIVE_INFINITY;

  constructor(pid: number) {
    this.pid = pid;
    this.refresh();
  }

  /** Whether the process was ever seen alive. */
  get known(): boolean {
    return this.#mappings.length > 0;
  }

  /** Takes what is mapped now; what was known of a process that has ended stays. */
  refresh(): void {
    this.#read = monotonicMs();
    const mappings = parseMaps(readText(`/proc/${this.pid}/maps`));
    if (mappings.length > 0) this.#mappings = mappings;
  }

  resolve(address: bigint): ResolvedSymbol | undefined {
    const at = Number(address);
    let mapping = find(this.#mappings, at);
    if (!mapping && monotonicMs() - this.#read > REFRESH_EVERY) {
      this.refresh();
      mapping = find(this.#mappings, at);
    }
    if (!mapping) return undefined;
    if (mapping.path === "" || mapping.path.startsWith("//anon") || mapping.path.startsWith("[")) {
      return this.#resolveJit(at);
    }
    const symbol = this.#symbolsOf(mapping)?.at(at - mapping.start + mapping.fileOffset);
    return symbol && { ...symbol, module: mapping.path };
  }

  /** The file as the process sees it, in its own mount namespace, as long as it lives. */
  #symbolsOf(mapping: Mapping) {
    if (mapping.path.endsWith(DELETED)) {
      const range = `${mapping.start.toString(16)}-${mapping.end.toString(16)}`;
      return fileSymbols(`/proc/${this.pid}/map_files/${range}`);
    }
    return fileSymbols(`/proc/${this.pid}/root${mapping.path}`) ?? fileSymbols(mapping.path);
  }

  #resolveJit(address: number): ResolvedSymbol | undefined {
    let found = find(this.#jit, address);
    if (!found && this.#readJit()) found = find(this.#jit, address);
    return found && { name: found.name, offset: address - found.start, module: `perf-${this.pid}.map` };
  }

  #readJit(): boolean {
    const inner = /^NSpid:.*\s(\d+)$/m.exec(readText(`/proc/${this.pid}/status`))?.[1] ?? String(this.pid);
    for (const path of [`/proc/${this.pid}/root/tmp/perf-${inner}.map`, `/tmp/perf-${this.pid}.map`]) {
      try {
        const { size, mtimeMs } = statSync(path);
        const identity = `${path} ${size} ${mtimeMs}`;
        if (identity === this.#jitIdentity) return false;
        this.#jitIdentity = identity;
        this.#jit = parsePerfMap(readFileSync(path, "utf8"));
        return true;
      } catch {
        // Not there: the next place.
      }
    }
    return false;
  }
}
