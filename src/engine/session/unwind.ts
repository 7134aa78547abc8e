/** dw_ustack() in a session: who is unwound, and that the command of -c is from its first instruction on. */
import { type BpfMap, ElfFile } from "libbpf-ts";
import type { Attached } from "../attach/index.ts";
import { monotonicMs } from "../clock.ts";
import type { Plan } from "../compile/plan.ts";
import { commandFiles } from "../kernel/binaryPaths.ts";
import type { SessionSymbols } from "../symbols/session.ts";
import { EntryHold } from "../unwind/entryHold.ts";
import { Unwinder } from "../unwind/unwinder.ts";
import { SessionError } from "./error.ts";

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
  #eagerUntil = 0;

  /** Loads the tables of the processes. Throws SessionError when there are none. */
  constructor(
    plan: Plan,
    mapAt: (map: number) => BpfMap,
    symbols: SessionSymbols,
    { target, command, others = [] }: UnwindTargets,
    warn: (message: string) => void,
  ) {
    const pids = [...(target === undefined ? [] : [target]), ...others];
    if (pids.length === 0)
      throw new SessionError(
        "dw_ustack() needs to know whose stacks to unwind: name a process with -p, -c or --dwarf-pid",
      );
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
    for (const pid of pids) this.#unwinder.follow(pid);
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
    if (lacking !== undefined) this.#unwinder.lacking(lacking);
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
