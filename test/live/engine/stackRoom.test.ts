/** Forgetting stacks while a program still comes upon them: with real maps, the program's part played by the test. */
import type { BpfMap } from "libbpf-ts";
import { expect, it } from "vitest";
import { compile } from "../../../src/engine/compile/compile.ts";
import { liveKernel } from "../../../src/engine/kernel/live.ts";
import { createMaps } from "../../../src/engine/session/load.ts";
import { StackRoom } from "../../../src/engine/session/stackRoom.ts";

const idBytes = (id: bigint) => new Uint8Array(BigInt64Array.of(id).buffer);

/** A key of `@[kstack(3)]`: s64 id, u32 pid, u32 index of the stack map. */
function stackKey(id: bigint): Uint8Array {
  const key = new Uint8Array(16);
  key.set(idBytes(id));
  return key;
}

it("keeps a stack that a program takes up while it is forgotten", () => {
  const { plan } = compile("tracepoint:sched:sched_switch { @[kstack(3)] = count(); }", liveKernel());
  const maps = createMaps(plan!);
  const [stacks] = plan!.stackMaps.map((index) => maps[index]);
  const counts = maps[plan!.maps.findIndex(({ name }) => name === "@")];
  const frames = (id: bigint) => new Uint8Array(BigUint64Array.of(id, id + 1n, 0n).buffer);
  const count = new Uint8Array(counts.valueStride);
  try {
    let looked: ((map: BpfMap) => void) | undefined;
    const room = new StackRoom(plan!, (index) => {
      if (maps[index] === stacks) looked?.(stacks);
      return maps[index];
    });
    for (const id of [1n, 2n, 3n]) stacks.update(idBytes(id), frames(id));
    counts.update(stackKey(1n), count);
    const many = plan!.maps[plan!.stackMaps[0]].maxEntries;
    expect(room.look(many)).toBe(true);
    // Between the look at what maps hold and the taking out.
    looked = () => counts.update(stackKey(2n), count);
    expect(room.look(many)).toBe(false);
    looked = undefined;
    expect([1n, 2n, 3n].map((id) => stacks.lookup(idBytes(id)) !== undefined)).toEqual([true, false, false]);
    expect(room.taken(0, 1n)).toBeUndefined();
    expect(room.taken(0, 2n)).toEqual(frames(2n));
    expect(room.taken(0, 3n)).toEqual(frames(3n));
    room.look(2 * many);
    room.look(2 * many);
    expect(stacks.lookup(idBytes(2n))).toEqual(frames(2n));
    expect(stacks.lookup(idBytes(3n))).toBeUndefined();
    expect(room.taken(0, 3n)).toBeUndefined();
  } finally {
    for (const map of maps) map[Symbol.dispose]();
  }
});
