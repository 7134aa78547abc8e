// The two ways of events to user space, with known events: order, wrap-around, discarded records, loss.

import { BpfMap, PerfBuffer, RingBuffer } from "libbpf-ts";
import * as asm from "libbpf-ts/asm";
import { describe, expect } from "vitest";
import { done, load, testWith } from "./support.ts";

/** Writes the first argument as a record of `size` bytes; the second makes it a discarded one. */
function writer(map: BpfMap, size: number): asm.Insn[] {
  return [
    asm.ldx(8, 6, 1, 0),
    asm.ldx(8, 7, 1, 8),
    asm.ldMapFd(1, map.fd),
    asm.movImm(2, size),
    asm.movImm(3, 0),
    asm.call("ringbuf_reserve"),
    asm.jmpImm("eq", 0, 0, 10),
    asm.stx(8, 0, 0, 6),
    asm.mov(1, 0),
    asm.movImm(2, 0),
    asm.jmpImm("ne", 7, 0, 3),
    asm.call("ringbuf_submit"),
    asm.movImm(0, 0),
    asm.exit(),
    asm.call("ringbuf_discard"),
    ...done,
    asm.movImm(0, 1),
    asm.exit(),
  ];
}

function context(value: number, discard = 0): Uint8Array {
  return new Uint8Array(BigUint64Array.of(BigInt(value), BigInt(discard)).buffer);
}

describe("ring buffer", () => {
  testWith(["ringbuf"], "every record, in order, across many wraps", () => {
    using map = BpfMap.create({ type: "ringbuf", maxEntries: 4096 });
    using ring = new RingBuffer(map);
    using program = load("raw_tracepoint", writer(map, 40));
    const seen: number[] = [];
    let next = 0;
    for (let round = 0; round < 60; round++) {
      for (let i = 0; i < 37; i++) expect(program.testRun({ context: context(next++) })).toBe(0);
      expect(ring.pending()).toBe(37 * 48);
      const count = ring.drain((view, offset, length) => {
        expect(length).toBe(40);
        seen.push(view.getUint32(offset, true));
      });
      expect(count).toBe(37);
      expect(ring.pending()).toBe(0);
    }
    expect(seen).toEqual(Array.from({ length: next }, (_, i) => i));
  });

  testWith(["ringbuf"], "discarded records are passed over, `max` is kept", () => {
    using map = BpfMap.create({ type: "ringbuf", maxEntries: 4096 });
    using ring = new RingBuffer(map);
    using program = load("raw_tracepoint", writer(map, 8));
    for (let i = 0; i < 10; i++) program.testRun({ context: context(i, i % 2) });
    const seen: number[] = [];
    const take = (view: DataView, offset: number) => seen.push(view.getUint32(offset, true));
    expect(ring.drain(take, 2)).toBe(2);
    expect(seen).toEqual([0, 2]);
    expect(ring.drain(take)).toBe(3);
    expect(seen).toEqual([0, 2, 4, 6, 8]);
  });

  testWith(["ringbuf"], "a full ring refuses, and has room once drained", () => {
    using map = BpfMap.create({ type: "ringbuf", maxEntries: 4096 });
    using ring = new RingBuffer(map);
    using program = load("raw_tracepoint", writer(map, 1000));
    const results = Array.from({ length: 6 }, (_, i) => program.testRun({ context: context(i) }));
    expect(results).toEqual([0, 0, 0, 0, 1, 1]);
    expect(ring.drain(() => {})).toBe(4);
    expect(program.testRun({ context: context(9) })).toBe(0);
  });

  testWith(["ringbuf"], "a record is consumed even where the callback throws", () => {
    using map = BpfMap.create({ type: "ringbuf", maxEntries: 4096 });
    using ring = new RingBuffer(map);
    using program = load("raw_tracepoint", writer(map, 8));
    for (let i = 0; i < 2; i++) program.testRun({ context: context(i) });
    expect(() =>
      ring.drain(() => {
        throw new Error("no");
      }),
    ).toThrow("no");
    expect(ring.drain((view, offset) => expect(view.getUint32(offset, true)).toBe(1))).toBe(1);
  });
});

describe("perf buffer", () => {
  const CURRENT_CPU = 0xffffffff;
  const output = (map: BpfMap, size: number): asm.Insn[] => [
    asm.ldx(8, 6, 1, 0),
    asm.stx(8, 10, -64, 6),
    ...Array.from({ length: 7 }, (_, i) => asm.st(8, 10, -56 + i * 8, i)),
    asm.ldMapFd(2, map.fd),
    asm.ldImm64(3, CURRENT_CPU),
    asm.mov(4, 10),
    asm.aluImm("add", 4, -64),
    asm.movImm(5, size),
    asm.call("perf_event_output"),
    ...done,
  ];

  testWith(["raw_tracepoint"], "records of every CPU across wraps, and what was lost", () => {
    using map = BpfMap.create({ type: "perf_event_array", keySize: 4, valueSize: 4, maxEntries: 64 });
    using buffer = new PerfBuffer(map, 1);
    using program = load("raw_tracepoint", output(map, 56));
    const seen: number[] = [];
    const take = (view: DataView, offset: number) => seen.push(view.getUint32(offset, true));
    let next = 0;
    for (let round = 0; round < 30; round++) {
      for (let i = 0; i < 20; i++) program.testRun({ context: context(next++), cpu: 0 });
      expect(buffer.drain(take)).toBe(20);
    }
    expect(seen).toEqual(Array.from({ length: next }, (_, i) => i));
    expect(buffer.lost).toBe(0);
    // More than a page holds: the loss is told once there is room to tell it.
    for (let i = 0; i < 200; i++) program.testRun({ context: context(i), cpu: 0 });
    const kept = buffer.drain(take);
    program.testRun({ context: context(0), cpu: 0 });
    buffer.drain(take);
    expect(kept).toBeLessThan(200);
    expect(kept + buffer.lost).toBe(200);
  });
});
