// Maps on the real kernel: every way of reading, and maps bigger than the first buffer.

import { BpfMap, listMaps, MapFlag, type MapTypeName, possibleCpus, SysError } from "libbpf-ts";
import * as asm from "libbpf-ts/asm";
import { describe, expect, test } from "vitest";
import { done, isRoot, load, testWith, u32, u64 } from "./support.ts";

function filled(type: MapTypeName, count: number, maxEntries = count): BpfMap {
  const map = BpfMap.create({ type, keySize: 4, valueSize: 8, maxEntries, name: "filled" });
  const value = new BigUint64Array(map.valueStride / 8);
  for (let i = 0; i < count; i++) {
    value.forEach((_, cpu) => {
      value[cpu] = BigInt(i * 10 + cpu);
    });
    map.update(u32(i), new Uint8Array(value.buffer));
  }
  return map;
}

/** Key → its values, one for each CPU. */
function contents(map: BpfMap, read = map.readBatch()): Map<number, number[]> {
  const keys = new Uint32Array(read.keys.slice().buffer);
  const values = new BigUint64Array(read.values.slice().buffer);
  const each = map.valueStride / 8;
  return new Map(
    Array.from(keys, (key, i) => [key, Array.from(values.subarray(i * each, (i + 1) * each), Number)]),
  );
}

function expected(type: MapTypeName, count: number): Map<number, number[]> {
  const cpus = type.includes("percpu") ? possibleCpus() : 1;
  const values = (i: number) => Array.from({ length: cpus }, (_, cpu) => i * 10 + cpu);
  return new Map(Array.from({ length: count }, (_, i) => [i, values(i)]));
}

function sorted(map: Map<number, number[]>): [number, number[]][] {
  return [...map].sort(([a], [b]) => a - b);
}

describe.skipIf(!isRoot)("maps", () => {
  for (const type of ["hash", "percpu_hash", "array", "percpu_array"] as const) {
    test(`${type}: all of 3000 entries are read, and read again`, () => {
      using map = filled(type, 3000);
      const want = sorted(expected(type, 3000));
      expect(sorted(contents(map))).toEqual(want);
      expect(sorted(contents(map))).toEqual(want);
    });
  }

  test("lru_hash and lru_percpu_hash keep the newest", () => {
    for (const type of ["lru_hash", "lru_percpu_hash"] as const) {
      using map = filled(type, 500, 4096);
      expect(contents(map).size).toBe(500);
    }
  });

  test("a read while entries come and go ends, and sees what stays", () => {
    using map = filled("hash", 1000, 5000);
    for (let round = 0; round < 5; round++) {
      for (let i = 1000 + round * 500; i < 1500 + round * 500; i++) map.update(u32(i), u64(i));
      const seen = contents(map);
      for (let i = 0; i < 1000; i++) expect(seen.get(i)).toEqual([i * 10]);
      expect(seen.size).toBe(1500 + round * 500);
    }
  });

  testWith(["batch"], "piece by piece comes to the same", () => {
    using map = filled("hash", 3000);
    const pieces: number[] = [];
    const keys = new Set<number>();
    map.readPieces((piece) => {
      pieces.push(piece.count);
      const words = new Uint32Array(piece.keys.slice().buffer);
      for (const key of words) keys.add(key);
    });
    expect(pieces.length).toBeGreaterThan(1);
    expect(pieces.reduce((sum, count) => sum + count)).toBe(3000);
    expect([...keys].sort((a, b) => a - b)).toEqual(Array.from({ length: 3000 }, (_, i) => i));
  });

  test("empty maps", () => {
    for (const type of ["hash", "percpu_hash"] as const) {
      using map = BpfMap.create({ type, keySize: 4, valueSize: 8, maxEntries: 100 });
      expect(map.readBatch().count).toBe(0);
      expect(map.nextKey()).toBeUndefined();
      map.clear();
    }
  });

  test("odd sizes: a key of 3 bytes, a value of 5", () => {
    using map = BpfMap.create({ type: "hash", keySize: 3, valueSize: 5, maxEntries: 700 });
    for (let i = 0; i < 700; i++)
      map.update(Uint8Array.of(i & 255, i >> 8, 9), Uint8Array.of(i & 255, i >> 8, 1, 2, 3));
    const { keys, values, count } = map.readBatch();
    expect(count).toBe(700);
    for (let i = 0; i < count; i++) {
      expect([...values.subarray(i * 5, i * 5 + 2)]).toEqual([...keys.subarray(i * 3, i * 3 + 2)]);
    }
  });

  test("one entry: lookup, update, delete, walk", () => {
    using map = BpfMap.create({ type: "hash", keySize: 4, valueSize: 8, maxEntries: 2, name: "small" });
    expect(map.lookup(u32(1))).toBeUndefined();
    map.update(u32(1), u64(11));
    expect(map.lookup(u32(1))).toEqual(u64(11));
    expect(() => map.update(u32(1), u64(2), "noExist")).toThrow("EEXIST");
    expect(() => map.update(u32(7), u64(2), "exist")).toThrow("ENOENT");
    expect(map.nextKey()).toEqual(u32(1));
    expect(map.nextKey(u32(1))).toBeUndefined();
    map.update(u32(2), u64(22));
    expect(() => map.update(u32(3), u64(33))).toThrow("create it with more maxEntries");
    expect(map.delete(u32(1))).toBe(true);
    expect(map.delete(u32(1))).toBe(false);
    expect(() => map.update(u32(1), new Uint8Array(4))).toThrow("needs 8");
    expect(() => map.lookup(new Uint8Array(2))).toThrow("needs 4");
  });

  testWith(["batch"], "taking empties a hash", () => {
    using map = filled("hash", 2000);
    expect(map.takeBatch().count).toBe(2000);
    expect(map.readBatch().count).toBe(0);
  });

  test("deleting by list passes over what is gone", () => {
    using map = filled("hash", 100);
    const keys = new Uint8Array(Uint32Array.from({ length: 60 }, (_, i) => i + 50).buffer);
    map.delete(u32(55));
    map.deleteBatch(keys);
    expect(sorted(contents(map)).map(([key]) => key)).toEqual(Array.from({ length: 50 }, (_, i) => i));
  });

  test("clearing writes zeros to arrays", () => {
    for (const type of ["array", "percpu_array"] as const) {
      using map = filled(type, 50);
      map.clear();
      expect([...contents(map).values()].flat().every((value) => value === 0)).toBe(true);
      expect(contents(map).size).toBe(50);
    }
  });

  testWith(["mmapable_array"], "a mapped array shows what was written, both ways", () => {
    const spec = { keySize: 4, valueSize: 12, maxEntries: 600, flags: MapFlag.mmapable } as const;
    using map = BpfMap.create({ type: "array", ...spec });
    const view = new DataView(map.mmapArray());
    map.update(u32(599), new Uint8Array(12).fill(7));
    expect(view.getUint32(599 * 16 + 8, true)).toBe(0x07070707);
    view.setUint32(16, 5, true);
    expect(map.lookup(u32(1))?.[0]).toBe(5);
    map.clear();
    expect(map.lookup(u32(599))?.[0]).toBe(0);
  });

  testWith(["globals"], "a frozen map is read-only for us", () => {
    using map = BpfMap.create({
      type: "array",
      keySize: 4,
      valueSize: 8,
      maxEntries: 1,
      flags: MapFlag.rdonlyProg,
    });
    map.freeze();
    expect(() => map.update(u32(0), u64(1))).toThrow("EPERM");
  });

  test("descriptors and ids", () => {
    const map = filled("hash", 1);
    const { id, name, maxEntries } = map.info();
    expect({ name, maxEntries }).toEqual({ name: "filled", maxEntries: 1 });
    {
      using again = BpfMap.fromId(id);
      expect(again).toMatchObject({ type: "hash", keySize: 4, valueSize: 8 });
      expect(contents(again).size).toBe(1);
    }
    expect(listMaps()).toContain(id);
    map[Symbol.dispose]();
    map[Symbol.dispose]();
  });

  test("what the kernel refuses names the call and the map", () => {
    try {
      BpfMap.create({ type: "hash", keySize: 0, valueSize: 8, maxEntries: 1, name: "wrong" });
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(SysError);
      expect(error).toMatchObject({ code: "EINVAL", call: 'bpf(BPF_MAP_CREATE, hash "wrong")' });
    }
  });

  testWith(["raw_tracepoint"], "per-CPU values add up to what programs did", () => {
    using map = BpfMap.create({ type: "percpu_array", keySize: 4, valueSize: 8, maxEntries: 1 });
    using program = load("raw_tracepoint", [
      asm.st(4, 10, -4, 0),
      asm.mov(2, 10),
      asm.aluImm("add", 2, -4),
      asm.ldMapFd(1, map.fd),
      asm.call("map_lookup_elem"),
      asm.jmpImm("eq", 0, 0, 3),
      asm.ldx(8, 1, 0, 0),
      asm.aluImm("add", 1, 1),
      asm.stx(8, 0, 0, 1),
      ...done,
    ]);
    for (let i = 0; i < 10; i++) program.testRun({ cpu: 0 });
    const perCpu = new BigUint64Array(map.readBatch().values.slice().buffer);
    expect(perCpu).toHaveLength(possibleCpus());
    expect(perCpu[0]).toBe(10n);
  });
});
