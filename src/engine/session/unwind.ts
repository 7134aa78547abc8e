/**
 * dw_ustack() in a session: the processes that are named are unwound from their first stack on, the command of -c from its
 * first instruction; whoever else is met, from a moment after his first stack.
 */
import { readFileSync } from "node:fs";
import { type BpfMap, ElfFile } from "libbpf-ts";
import type { Attached } from "../attach/index.ts";
import { monotonicMs } from "../clock.ts";
import type { Plan } from "../compile/plan.ts";
import { UNWOUND_PROCESSES } from "../compile/unwindMaps.ts";
import { commandFiles } from "../kernel/binaryPaths.ts";
import type { SessionSymbols } from "../symbols/session.ts";
import { EntryHold } from "../unwind/entryHold.ts";
import { Unwinder } from "../unwind/unwinder.ts";

/** Milliseconds: so long a command that was just started is looked at often, and how often. */
const EAGER = 1000;
const EAGER_LOOK = 2;

export const usesUnwinding = (plan: Plan): boolean => plan.maps.some(({ role }) => role === "unwind");

export interface UnwindTargets {
  /** The process of -p or -c. */
  target: number | undefined;
  command: string | undefined;
  /** Of --dwarf-pid. */
  others?: readonly number[];
}

export class Unwinding implements Disposable {
  readonly #unwinder: Unwinder;
  readonly #hold: EntryHold | undefined;
  readonly #warn: (message: string) => void;
  #eagerUntil = 0;
  #told = false;

  /** Loads the tables of the processes. */
  constructor(
    plan: Plan,
    mapAt: (map: number) => BpfMap,
    symbols: SessionSymbols,
    { target, command, others = [] }: UnwindTargets,
    warn: (message: string) => void,
  ) {
    this.#warn = warn;
    this.#unwinder = new Unwinder(
      (name) => mapAt(plan.maps.findIndex((map) => map.name === name)),
      (pid) => symbols.process(pid),
      warn,
    );
    if (command !== undefined && target !== undefined) {
      const files = commandFiles(command, "x64");
      this.#unwinder.expect(files);
      this.#hold = files.length > 0 ? holdAtEntry(files[0], target) : undefined;
    }
    for (const pid of target === undefined ? others : [target, ...others]) {
      if (!this.#unwinder.follow(pid)) this.#tooMany(pid);
    }
  }

  /** What is attached beside the script's probes. */
  get links(): Attached[] {
    return this.#hold ? [{ link: this.#hold.link, probes: [], slowToClose: true }] : [];
  }

  /** The command of -c begins. */
  released(): void {
    if (this.#hold) this.#eagerUntil = monotonicMs() + EAGER;
  }

  /** Milliseconds to the next look, when it is to be soon. */
  get wait(): number | undefined {
    return monotonicMs() < this.#eagerUntil ? EAGER_LOOK : undefined;
  }

  /** Takes what was mapped since. `lacking`: the last process that had no table. */
  look(lacking: number | undefined): void {
    const waits = this.#hold?.waits ?? false;
    this.#unwinder.look();
    if (waits) {
      this.#hold?.release();
      this.#eagerUntil = 0;
    }
    if (lacking === undefined || lacking === process.pid) return;
    if (!this.#unwinder.follow(lacking)) this.#tooMany(lacking);
  }

  #tooMany(pid: number): void {
    if (this.#told) return;
    this.#told = true;
    this.#warn(
      `dw_ustack() unwinds ${UNWOUND_PROCESSES} processes at a time; those of others, as ${pid}${nameOf(pid)}, are walked by frame pointers`,
    );
  }

  [Symbol.dispose](): void {
    if (this.#hold?.waits) this.#hold.release();
    this.#hold?.[Symbol.dispose]();
    this.#unwinder[Symbol.dispose]();
  }
}

/** Undefined: its entry can't be probed, and its first stacks are as long as its libraries are known. */
function holdAtEntry(path: string, pid: number): EntryHold | undefined {
  try {
    using elf = ElfFile.open(path);
    const offset = elf.fileOffset(elf.entry);
    return offset === undefined ? undefined : new EntryHold(path, offset, pid);
  } catch {
    return undefined;
  }
}

function nameOf(pid: number): string {
  try {
    return ` (${readFileSync(`/proc/${pid}/comm`, "utf8").trim()})`;
  } catch {
    return "";
  }
}
