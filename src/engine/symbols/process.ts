/**
 * Symbols of one process: what lies where, the files' symbols, and what a JIT wrote to perf-PID.map. All that takes the living
 * process is taken while it lives, so that addresses are named after it has ended as well.
 */
import { readFileSync } from "node:fs";
import { monotonicMs } from "../clock.ts";
import type { ResolvedSymbol } from "./context.ts";
import { type FileSymbols, fileSymbols } from "./files.ts";
import { JitMapFile } from "./jitMap.ts";
import { isAnonymous, type Mapping, mappingAt, parseMaps, withMapping } from "./mappings.ts";
import type { Roots } from "./roots.ts";
import { vdsoSymbols } from "./vdso.ts";

function readText(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}

const REFRESH_EVERY = 100;
const DELETED = " (deleted)";

/** Who a process is: its pid as itself knows it, its effective user, and where its files are. */
interface Identity {
  /** Undefined: not known yet. */
  innerPid: number | undefined;
  uid: number;
  root: string;
}

export class ProcessSymbols {
  readonly pid: number;
  /** The process has ended: what is known of it is all that will be. */
  ended = false;
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
    child.#identity = this.#identity && { ...this.#identity, innerPid: undefined };
    return child;
  }

  /** It is another program now. */
  executed(): void {
    this.#mappings = [];
    this.#jit = undefined;
    this.#identify();
  }

  mapped(mapping: Mapping): void {
    this.#mappings = withMapping(this.#mappings, mapping);
  }

  /** Takes what is mapped now; what was known of a process that has ended stays. */
  refresh(): void {
    this.#read = monotonicMs();
    if (this.ended) return;
    const mappings = parseMaps(readText(`/proc/${this.pid}/maps`), Date.now());
    if (mappings.length > 0) this.#mappings = mappings;
    if (!this.#identity) this.#identify();
  }

  #identify(): void {
    const status = readText(`/proc/${this.pid}/status`);
    const uid = /^Uid:\s+\d+\s+(\d+)/m.exec(status)?.[1];
    const root = this.#roots.of(this.pid);
    if (uid === undefined || root === undefined) return;
    const innerPid = /^NSpid:.*\s(\d+)$/m.exec(status)?.[1] ?? this.pid;
    this.#identity = { innerPid: Number(innerPid), uid: Number(uid), root };
  }

  resolve(address: bigint): ResolvedSymbol | undefined {
    const at = Number(address);
    let mapping = mappingAt(this.#mappings, at);
    if (!mapping && !this.ended && monotonicMs() - this.#read > REFRESH_EVERY) {
      this.refresh();
      mapping = mappingAt(this.#mappings, at);
    }
    if (!mapping) return undefined;
    if (mapping.path === "[vdso]") {
      const symbol = vdsoSymbols()?.at(at - mapping.start);
      return symbol && { ...symbol, module: mapping.path };
    }
    if (isAnonymous(mapping)) return this.#resolveJit(at);
    const symbol = this.#symbolsOf(mapping)?.at(at - mapping.start + mapping.fileOffset);
    return symbol && { ...symbol, module: mapping.path };
  }

  #symbolsOf(mapping: Mapping): FileSymbols | undefined {
    mapping.symbols ??= { found: this.#readSymbols(mapping) };
    return mapping.symbols.found;
  }

  /** The file as the process sees it, in its own mount namespace; one that was replaced meanwhile while it is mapped. */
  #readSymbols({ path, seen, start, end }: Mapping): FileSymbols | undefined {
    const root = this.#identity?.root ?? "";
    const file = path.endsWith(DELETED)
      ? undefined
      : fileSymbols({ path: root + path, root, unchangedSince: seen });
    if (file || this.ended) return file;
    return fileSymbols({
      path: `/proc/${this.pid}/map_files/${start.toString(16)}-${end.toString(16)}`,
      root,
    });
  }

  #resolveJit(address: number): ResolvedSymbol | undefined {
    if (this.#identity?.innerPid === undefined && !this.ended) this.#identify();
    if (!this.#identity) return undefined;
    const { uid, root } = this.#identity;
    const innerPid = this.#identity.innerPid ?? (root === "" ? this.pid : undefined);
    if (innerPid === undefined) return undefined;
    this.#jit ??= new JitMapFile(`${root}/tmp/perf-${innerPid}.map`);
    const found = this.#jit.at(address, uid);
    return found && { ...found, module: `/tmp/perf-${innerPid}.map` };
  }
}
