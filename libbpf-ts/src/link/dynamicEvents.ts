// The PMUs `kprobe` and `uprobe` (4.17), and the older way where they are missing: a line written to tracefs'
// kprobe_events or uprobe_events makes a tracepoint, which must be removed again after its last descriptor is closed.

import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { SysError } from "../errno.ts";
import { tracefsPath, tracepointId } from "../tracefs.ts";

export interface ProbePmu {
  type: number;
  /** Bit of config that makes it a return probe. */
  retprobeBit: bigint;
  /** Shift of the semaphore's file offset in config (uprobe, 4.20), or undefined. */
  refCtrShift: bigint | undefined;
}

const pmus = new Map<string, ProbePmu | undefined>();

function readFormat(pmu: string, name: string): bigint | undefined {
  try {
    const text = readFileSync(`/sys/bus/event_source/devices/${pmu}/format/${name}`, "latin1");
    const bit = /config:(\d+)/.exec(text)?.[1];
    return bit === undefined ? undefined : BigInt(bit);
  } catch {
    return undefined;
  }
}

/** The PMU's numbers, or undefined where this kernel has none. */
export function probePmu(pmu: "kprobe" | "uprobe"): ProbePmu | undefined {
  if (pmus.has(pmu)) return pmus.get(pmu);
  let found: ProbePmu | undefined;
  try {
    const type = Number(readFileSync(`/sys/bus/event_source/devices/${pmu}/type`, "latin1"));
    found = {
      type,
      retprobeBit: 1n << (readFormat(pmu, "retprobe") ?? 0n),
      refCtrShift: readFormat(pmu, "ref_ctr_offset"),
    };
  } catch {}
  pmus.set(pmu, found);
  return found;
}

const GROUP = "libbpf_ts_";
let counter = 0;
let swept = false;

/** Removes what processes that were killed have left; events that are open refuse. */
function sweep(path: string): void {
  swept = true;
  for (const [, group, pid, name] of readFileSync(path, "latin1").matchAll(
    /^\w+:(libbpf_ts_(\d+))\/(\w+) /gm,
  )) {
    if (existsSync(`/proc/${pid}`)) continue;
    try {
      appendFileSync(path, `-:${group}/${name}\n`);
    } catch {
      // Still open in another process, or gone.
    }
  }
}

export interface DynamicEvent {
  /** Config of a tracepoint perf event. */
  id: number;
  /** Removes the event; works once nothing has it open. */
  remove(): void;
}

/** Makes a tracepoint of a kprobe or uprobe: `kind` "p" or "r", `where` "symbol+offset" or "path:offset". */
export function createDynamicEvent(
  file: "kprobe_events" | "uprobe_events",
  kind: "p" | "r",
  where: string,
  hintFor?: (errno: number, where: string) => string | undefined,
): DynamicEvent {
  const group = `${GROUP}${process.pid}`;
  const name = `e${counter++}`;
  const path = `${tracefsPath()}/${file}`;
  if (!swept) sweep(path);
  const write = (line: string) => {
    try {
      appendFileSync(path, `${line}\n`);
    } catch (error) {
      const errno = Math.abs((error as NodeJS.ErrnoException).errno ?? 5);
      throw new SysError(`write(${path}, "${line}")`, errno, hintFor?.(errno, where));
    }
  };
  write(`${kind}:${group}/${name} ${where}`);
  return { id: tracepointId(group, name), remove: () => write(`-:${group}/${name}`) };
}
