/**
 * Symbols of one process: what lies where, the files' symbols, and what a JIT wrote to perf-PID.map. All that takes the living
 * process is taken while it lives, so that addresses are named after it has ended as well.
 */
import { readFileSync } from "node:fs";
import { monotonicMs } from "../clock.ts";
import { isAlive, livingThread, mappingsOf } from "../kernel/processes.ts";
import type { ResolvedSymbol } from "./context.ts";
import type { FileQuestion, FileSymbols } from "./files.ts";
import { JitMapFile } from "./jitMapFile.ts";
import { isAnonymous, isMemoryFile, type Mapping, mappingAt, withMapping } from "./mappings.ts";
import { fromMappedFile, jitSymbol, symbolsOfMapping } from "./reading.ts";
import type { Root, Roots } from "./roots.ts";
import { vdsoSymbols } from "./vdso.ts";

function readText(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}

const REFRESH_EVERY = 100;

/** Who a process is: its pid as itself knows it, its effective user, and where its files are. */
interface Identity {
  /** Undefined: not known yet. */
  innerPid: number | undefined;
  uid: number;
  root: Root;
}

export class ProcessSymbols {
  readonly pid: number;
  /** All its threads have ended: what is known of it is all that will be. */
  ended = false;
  /** Events of it may have been missed: it may be another program by now, or have mapped other code. */
  #doubtful = false;
  /** It had ended before events were missed: another process may have its number by now. */
  #mayBeAnother = false;
  /** It may have more threads than its first, which has ended. */
  #threaded = false;
  #firstEnded = false;
  #roots: Roots;
  #mappings: readonly Mapping[] = [];
  #identity: Identity | undefined;
  #jit: JitMapFile | undefined;
  #read = Number.NEGATIVE_INFINITY;

  constructor(pid: number, roots: Roots) {
    this.pid = pid;
    this.#roots = roots;
  }

  /** Whether anything is known of what it had mapped. */
  get known(): boolean {
    return this.#mappings.length > 0;
  }

  /** A child that has not executed anything yet. */
  fork(pid: number): ProcessSymbols {
    const child = new ProcessSymbols(pid, this.#roots);
    child.#mappings = this.#mappings;
    child.#doubtful = this.#doubtful;
    child.#identity = this.#identity && { ...this.#identity, innerPid: undefined };
    return child;
  }

  /** Gives back memory that is not its own alone. */
  forget(): void {
    this.#jit?.forget();
  }

  /** It is another program now, with the one thread that executed it. */
  executed(): void {
    this.#mappings = [];
    this.forget();
    this.#jit = undefined;
    this.ended = this.#firstEnded = this.#threaded = this.#doubtful = this.#mayBeAnother = false;
    this.#identify();
  }

  threadStarted(): void {
    this.#threaded = true;
  }

  threadEnded(thread: number): void {
    if (thread === this.pid) this.#firstEnded = true;
    this.#lookWhetherEnded();
  }

  /** The last thread may be on its way when the others have been told of: nothing tells when it is gone. */
  #lookWhetherEnded(): void {
    if (this.#firstEnded && !this.ended) this.ended = !(this.#threaded && isAlive(this.pid));
  }

  /** Events were lost: what is known counts no more until it was looked at again. */
  doubt(): void {
    if (this.ended) this.#mayBeAnother = true;
    else this.#doubtful = true;
  }

  /** Looks again, if there is doubt. */
  settle(): void {
    this.#lookWhetherEnded();
    if (this.#mayBeAnother && isAlive(this.pid)) {
      this.ended = this.#firstEnded = false;
      this.#doubtful = true;
    }
    this.#mayBeAnother = false;
    if (!this.#doubtful) return;
    this.#mappings = [];
    this.#identity = undefined;
    this.#doubtful = false;
    this.refresh();
  }

  mapped(mapping: Mapping): void {
    this.#mappings = withMapping(this.#mappings, mapping);
    this.#takeMemoryFiles([mapping]);
  }

  /** Such a file is gone with its process. */
  #takeMemoryFiles(mappings: readonly Mapping[]): void {
    for (const mapping of mappings) if (isMemoryFile(mapping)) this.#symbolsOf(mapping);
  }

  /** Takes what is mapped now; what was known of a process that has ended stays. */
  refresh(): void {
    this.#read = monotonicMs();
    if (this.ended) return;
    const seen = Date.now();
    const mappings = mappingsOf(this.pid).map((mapping) => ({ ...mapping, seen }));
    if (mappings.length > 0) this.#mappings = mappings;
    this.#identify();
    this.#takeMemoryFiles(mappings);
  }

  /** The same unless it was done just now. */
  refreshIfOld(): void {
    if (monotonicMs() - this.#read > REFRESH_EVERY) this.refresh();
  }

  #identify(): void {
    const status = readText(`/proc/${livingThread(this.pid)}/status`);
    // The first line has the name, which may hold anything but a newline.
    const uid = /\nUid:\s+\d+\s+(\d+)/.exec(status)?.[1];
    const root = this.#roots.of(this.pid);
    if (uid === undefined || root === undefined) return;
    const innerPid = /\nNStgid:[\d\t]*\t(\d+)\n/.exec(status)?.[1] ?? this.pid;
    this.#threaded ||= !/\nThreads:\s+1\n/.test(status);
    this.#identity = { innerPid: Number(innerPid), uid: Number(uid), root };
  }

  /** Another array whenever something has changed. */
  get mappings(): readonly Mapping[] {
    this.settle();
    return this.#mappings;
  }

  /** The first answer that `ask` has for the file of a mapping. */
  fromFile<T>(mapping: Mapping, ask: (file: FileQuestion) => T | undefined): T | undefined {
    const root = this.#identity?.root ?? this.#roots.own;
    return fromMappedFile(root, mapping, this.ended ? undefined : this.pid, ask);
  }

  resolve(address: bigint): ResolvedSymbol | undefined {
    this.settle();
    if (this.#identity && this.#identity.root.path === undefined && !this.ended) this.#identify();
    const at = Number(address);
    let mapping = mappingAt(this.#mappings, at);
    if (!mapping && !this.ended) {
      this.refreshIfOld();
      mapping = mappingAt(this.#mappings, at);
    }
    if (!mapping) return undefined;
    if (mapping.path === "[vdso]") {
      const symbol = vdsoSymbols()?.at(at - mapping.start);
      return symbol && { ...symbol, module: mapping.path };
    }
    if (isAnonymous(mapping)) return this.#resolveJit(at);
    // Memory of a file without a name may be a program, or what a JIT writes to.
    const made = isMemoryFile(mapping) ? this.#resolveJit(at) : undefined;
    if (made) return made;
    const symbol = this.#symbolsOf(mapping)?.at(at - mapping.start + mapping.fileOffset);
    return symbol && { ...symbol, module: mapping.path };
  }

  #symbolsOf(mapping: Mapping): FileSymbols | undefined {
    if (!mapping.symbols || mapping.symbols.found?.closed) {
      mapping.symbols = { found: this.#readSymbols(mapping) };
    }
    return mapping.symbols.found;
  }

  #readSymbols(mapping: Mapping): FileSymbols | undefined {
    const root = this.#identity?.root ?? this.#roots.own;
    return symbolsOfMapping(root, mapping, this.ended ? undefined : this.pid);
  }

  #resolveJit(address: number): ResolvedSymbol | undefined {
    if (this.#identity?.innerPid === undefined && !this.ended) this.#identify();
    if (!this.#identity) return undefined;
    const { uid, root } = this.#identity;
    const innerPid = this.#identity.innerPid ?? (root.path === "" ? this.pid : undefined);
    if (innerPid === undefined) return undefined;
    const module = `/tmp/perf-${innerPid}.map`;
    const file = (path: string) => {
      if (this.#jit?.path !== path) this.#jit = new JitMapFile(path);
      return this.#jit;
    };
    const found = jitSymbol(root, module, { address, uid, file });
    return found && { ...found, module };
  }
}
