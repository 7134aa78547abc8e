/**
 * The symbols of one session. Processes may end before their stacks are printed. Those that start while the script runs are
 * followed; for the others, the maps of a script that records user addresses are looked through now and then, and the
 * mappings of processes not seen before are taken.
 */
import type { BpfMap } from "libbpf-ts";
import { monotonicMs } from "../clock.ts";
import type { Plan } from "../compile/plan.ts";
import type { Mount } from "../kernel/mounts.ts";
import type { ResolvedSymbol, SymbolContext } from "./context.ts";
import { kernelSymbol, kernelSymbolsHidden } from "./kernel.ts";
import { pidOffsets } from "./offsets.ts";
import type { ProcessSymbols } from "./process.ts";
import { Processes } from "./processes.ts";

const LOOK_EVERY = 200;
const FOLLOW_CLOSELY = 1000;
/** Milliseconds of each look that go to processes that may never be asked for. */
const SLICE = 2;
/** A look may take this part of the time. */
const SHARE = 50;
const MOST_STACKS = 4096;
const MOST_GONE = 1 << 16;

export class SessionSymbols implements SymbolContext, Disposable {
  #plan: Plan;
  #stackMap: (map: number) => BpfMap | undefined;
  #mapAt: (map: number) => BpfMap | undefined;
  #takenOut: (index: number, id: bigint) => Uint8Array | undefined;
  #processes = new Processes((mount) => this.#silent(mount));
  /** Stacks that were looked up, "map:id" → words; what an id stands for never changes. */
  #stacks = new Map<string, BigUint64Array>();
  #warn: (message: string) => void = () => {};
  #explained = false;
  #silentDevices = new Set<string>();
  /** Stacks that were not there, so that each counts once; one may come back under its id. */
  #gone = new Set<string>();
  #stacksGone = 0;
  #followed: number | undefined;
  /** Script maps whose keys hold pids. */
  #watched: { map: number; offsets: number[] }[];
  #usesUserSymbols: boolean;
  #nextLook = 0;
  #firstLook: number | undefined;

  /** `takenOut`: frames of a stack that was in the table until lately. */
  constructor(
    plan: Plan,
    mapAt: (map: number) => BpfMap | undefined,
    takenOut: (index: number, id: bigint) => Uint8Array | undefined,
  ) {
    this.#plan = plan;
    this.#mapAt = mapAt;
    this.#takenOut = takenOut;
    this.#stackMap = (index) => mapAt(plan.stackMaps[index]);
    this.#watched = plan.maps.flatMap((map, i) => {
      const offsets = map.script?.key ? pidOffsets(map.script.key) : [];
      return offsets.length > 0 ? [{ map: i, offsets }] : [];
    });
    const types = [
      ...plan.maps.flatMap((map) => (map.script ? [map.script.value] : [])),
      ...plan.actions.flatMap((action) => action.arguments.map((argument) => argument.type)),
    ];
    this.#usesUserSymbols =
      this.#watched.length > 0 ||
      types.some((type) => pidOffsets(type).length > 0) ||
      plan.maps.some(({ role }) => role === "unwind");
  }

  /** To be called before the first program runs. `warn`: for what is to be said once. */
  start(warn: (message: string) => void): void {
    this.#warn = warn;
    if (this.#usesUserSymbols && this.#plan.config.cacheUserSymbols !== "NONE") this.#processes.watch();
  }

  /** The process that the script is run for: its mappings are taken as long as it lives. */
  follow(pid: number): void {
    this.#followed = pid;
    if (this.#usesUserSymbols) this.#processes.get(pid);
  }

  /** A process with what it has mapped now. */
  process(pid: number): ProcessSymbols {
    this.#processes.catchUp();
    return this.#processes.get(pid);
  }

  /** Looks for new processes, when it is time. */
  look(): void {
    if (!this.#usesUserSymbols) return;
    const begin = monotonicMs();
    // The child of -c becomes its command any moment now, and may be gone soon after.
    this.#firstLook ??= begin;
    const early = begin - this.#firstLook < FOLLOW_CLOSELY;
    if (this.#followed !== undefined && !this.#processes.watching && (early || begin >= this.#nextLook)) {
      this.#processes.get(this.#followed).refresh();
    }
    this.#processes.catchUp();
    this.#processes.lookAround(SLICE);
    if (begin < this.#nextLook) return;
    for (const { map, offsets } of this.#watched) this.#lookThrough(map, offsets);
    const end = monotonicMs();
    this.#nextLook = end + Math.max(LOOK_EVERY, (end - begin) * SHARE);
  }

  kernel(address: bigint): ResolvedSymbol | undefined {
    const found = kernelSymbol(address);
    if (!found && !this.#explained) this.#explain();
    return found;
  }

  /** Says once why kernel addresses have no names, if none has. */
  #explain(): void {
    const why = kernelSymbolsHidden();
    if (why === undefined) return;
    this.#explained = true;
    this.#warn(why);
  }

  /** Says once of each file system that nobody answers for it. */
  #silent({ device, type, point, source }: Mount): void {
    if (this.#silentDevices.has(device)) return;
    this.#silentDevices.add(device);
    this.#warn(
      `${point} (${[type, source].filter(Boolean).join(", ")}) does not answer: functions of files there are shown as file+offset until it does`,
    );
  }

  user(pid: number, address: bigint, probe = 0): ResolvedSymbol | undefined {
    // What has started since may be asked for, and what is known may be another program by now.
    this.#processes.catchUp();
    const symbol = this.#processes.get(pid).resolve(address) ?? this.#ofProbe(address, probe);
    return symbol?.mangled && !this.#plan.config.cppDemangle ? { ...symbol, name: symbol.mangled } : symbol;
  }

  /** Stacks that were asked for when they were forgotten already. */
  get stacksGone(): number {
    return this.#stacksGone;
  }

  /** Events of processes that were lost: what started or was mapped then may have no names. */
  get processEventsLost(): number {
    return this.#processes.lost;
  }

  stack(map: number, id: bigint): BigUint64Array | undefined {
    const key = `${map}:${id}`;
    const known = this.#stacks.get(key);
    if (known) return known;
    const value =
      this.#stackMap(map)?.lookup(new Uint8Array(BigInt64Array.of(id).buffer)) ?? this.#takenOut(map, id);
    if (!value) {
      if (this.#gone.has(key)) return undefined;
      if (this.#gone.size >= MOST_GONE) this.#gone.clear();
      this.#gone.add(key);
      this.#stacksGone++;
      return undefined;
    }
    if (this.#stacks.size >= MOST_STACKS) this.#stacks.clear();
    const words = new BigUint64Array(value.slice().buffer);
    this.#stacks.set(key, words);
    return words;
  }

  /** A process that was gone before it was seen: the function that the probe itself is on needs no mappings. */
  #ofProbe(address: bigint, probe: number): ResolvedSymbol | undefined {
    const attach = this.#plan.probes[probe - 1]?.attach;
    if (attach?.kind !== "uprobe" || (Number(address & 0xfffn) ^ attach.offset) & 0xfff) return undefined;
    const symbol = this.#processes.symbolsAt(attach.path)?.at(attach.offset);
    return symbol && { ...symbol, module: attach.path };
  }

  #lookThrough(index: number, offsets: readonly number[]): void {
    const map = this.#mapAt(index);
    if (!map) return;
    const { keys, count } = map.readBatch();
    const view = new DataView(keys.buffer, keys.byteOffset, keys.byteLength);
    for (let i = 0; i < count; i++) {
      for (const offset of offsets) {
        const pid = view.getUint32(i * map.keySize + offset, true);
        if (!this.#processes.has(pid)) this.#processes.get(pid);
      }
    }
  }

  [Symbol.dispose](): void {
    this.#processes[Symbol.dispose]();
  }
}
