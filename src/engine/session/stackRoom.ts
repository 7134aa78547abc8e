/**
 * Room for stacks. Each different one is kept for as long as it may be shown; a script that prints stacks for days would fill
 * any table. Before a table is full, what no map of the script holds is taken out of it: printed ones have been printed by then.
 *
 * A program may come upon a stack just before it is taken out, and a screen may print late: what was taken out last is kept
 * here until the next time, and put back if a map of the script has it by then.
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
  #old: Set<bigint>[] | undefined;
  /** What was taken out last, by index of the stack map. */
  #taken: Taken[] = [];

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
      this.#taken = this.#plan.stackMaps.map((index, i) => {
        const map = this.#mapAt(index);
        this.#taken[i]?.putBack(map, held[i]);
        return takeOut(map, this.#old![i], held[i]);
      });
      this.#old = undefined;
      return false;
    }
    if (kept - this.#keptBefore >= this.#share) {
      this.#keptBefore = kept;
      this.#old = this.#plan.stackMaps.map((map) => idsIn(this.#mapAt(map)));
    }
    return this.#old !== undefined;
  }

  /** The frames of a stack that was taken out last. `index`: of the stack map. */
  taken(index: number, id: bigint): Uint8Array | undefined {
    return this.#taken[index]?.get(id);
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

const keyOf = (id: bigint): Uint8Array => new Uint8Array(BigInt64Array.of(id).buffer);

function idsIn(map: BpfMap): Set<bigint> {
  const ids = new Set<bigint>();
  map.readPieces(({ keys, count }) => {
    const view = new DataView(keys.buffer, keys.byteOffset);
    for (let i = 0; i < count; i++) ids.add(view.getBigInt64(i * 8, true));
  });
  return ids;
}

/** Stacks by id, their frames one behind the other and without the zeros that follow each. */
class Taken {
  readonly #valueSize: number;
  #frames = new Uint8Array(1 << 16);
  #length = 0;
  #places = new Map<bigint, { from: number; end: number }>();

  constructor(valueSize: number) {
    this.#valueSize = valueSize;
  }

  add(id: bigint, value: Uint8Array): void {
    let size = value.length;
    while (size > 0 && value[size - 1] === 0) size--;
    const from = this.#length;
    const end = from + size;
    if (end > this.#frames.length) {
      const frames = new Uint8Array(end * 2);
      frames.set(this.#frames);
      this.#frames = frames;
    }
    this.#frames.set(value.subarray(0, size), from);
    this.#length = end;
    this.#places.set(id, { from, end });
  }

  get ids(): bigint[] {
    return [...this.#places.keys()];
  }

  /** The value as the map had it. */
  get(id: bigint): Uint8Array | undefined {
    const place = this.#places.get(id);
    if (!place) return undefined;
    const value = new Uint8Array(this.#valueSize);
    value.set(this.#frames.subarray(place.from, place.end));
    return value;
  }

  /** Gives a map back what is held after all. */
  putBack(map: BpfMap, held: ReadonlySet<bigint>): void {
    for (const id of held) {
      const value = this.get(id);
      if (!value || map.lookup(keyOf(id))) continue;
      try {
        map.update(keyOf(id), value);
      } catch {
        // No room: it is lost like any other.
      }
    }
  }
}

function takeOut(map: BpfMap, ids: ReadonlySet<bigint>, held: ReadonlySet<bigint>): Taken {
  const taken = new Taken(map.valueStride);
  map.readPieces(({ keys, values, count }) => {
    const view = new DataView(keys.buffer, keys.byteOffset);
    for (let i = 0; i < count; i++) {
      const id = view.getBigInt64(i * 8, true);
      if (ids.has(id) && !held.has(id))
        taken.add(id, values.subarray(i * map.valueStride, (i + 1) * map.valueStride));
    }
  });
  const others = taken.ids;
  if (others.length > 0) map.deleteBatch(new Uint8Array(BigInt64Array.from(others).buffer));
  return taken;
}
