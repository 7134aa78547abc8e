/**
 * Room for stacks. Each different one is kept for as long as it may be shown; a script that prints stacks for days would fill
 * any table. Before a table is full, what no map of the script holds is forgotten: printed ones have been printed by then.
 */
import type { BpfMap } from "libbpf-ts";
import type { Plan } from "../compile/plan.ts";
import { stackOffsets } from "../symbols/offsets.ts";

interface Holder {
  map: number;
  inKeys: readonly number[];
  inValues: readonly number[];
}

export class StackRoom {
  readonly #plan: Plan;
  readonly #mapAt: (map: number) => BpfMap;
  /** Script maps that hold stacks. */
  readonly #holders: Holder[];
  /** As many new stacks call for a look. */
  readonly #share: number;
  #keptBefore = 0;
  /** Ids by index of the stack map: those that were there at the last look. */
  #old: bigint[][] | undefined;

  constructor(plan: Plan, mapAt: (map: number) => BpfMap) {
    this.#plan = plan;
    this.#mapAt = mapAt;
    this.#share = Math.min(...plan.stackMaps.map((map) => plan.maps[map].maxEntries)) / 4;
    this.#holders = plan.maps.flatMap(({ script }, map) => {
      if (!script) return [];
      const inKeys = script.key ? stackOffsets(script.key) : [];
      const inValues = stackOffsets(script.value);
      return inKeys.length + inValues.length > 0 ? [{ map, inKeys, inValues }] : [];
    });
  }

  /**
   * To be called when every record has been handed over. `kept`: stacks since the start. What is there at one look is
   * forgotten at the next, when the records that came with it are through as well: true asks for it to be soon.
   */
  look(kept: number): boolean {
    if (this.#old) {
      const held = this.#held();
      for (const [index, map] of this.#plan.stackMaps.entries())
        forget(this.#mapAt(map), this.#old[index], held[index]);
      this.#old = undefined;
      return false;
    }
    if (kept - this.#keptBefore >= this.#share) {
      this.#keptBefore = kept;
      this.#old = this.#plan.stackMaps.map((map) => idsIn(this.#mapAt(map)));
    }
    return this.#old !== undefined;
  }

  /** The ids that maps hold, by index of the stack map. */
  #held(): Set<bigint>[] {
    const held = this.#plan.stackMaps.map(() => new Set<bigint>());
    for (const { map, inKeys, inValues } of this.#holders) {
      const { keySize, valueStride } = this.#mapAt(map);
      const { keys, values, count } = this.#mapAt(map).readBatch();
      collect(keys, keySize, inKeys, count, held);
      collect(values, valueStride, inValues, count, held);
    }
    return held;
  }
}

function collect(
  bytes: Uint8Array,
  stride: number,
  offsets: readonly number[],
  count: number,
  held: readonly Set<bigint>[],
): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (const offset of offsets) {
    for (let at = offset; at < count * stride; at += stride) {
      held[view.getUint32(at + 12, true)]?.add(view.getBigInt64(at, true));
    }
  }
}

/** Walks keys alone: the frames of thousands of stacks are megabytes. */
function idsIn(map: BpfMap): bigint[] {
  const ids: bigint[] = [];
  let key = map.nextKey();
  while (key && ids.length < map.maxEntries) {
    ids.push(new DataView(key.buffer, key.byteOffset, 8).getBigInt64(0, true));
    key = map.nextKey(key);
  }
  return ids;
}

function forget(map: BpfMap, ids: readonly bigint[], held: ReadonlySet<bigint>): void {
  const others = ids.filter((id) => !held.has(id));
  if (others.length > 0) map.deleteBatch(new Uint8Array(BigInt64Array.from(others).buffer));
}
