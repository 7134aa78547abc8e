// What the live tests of libbpf-ts share: skipping what this kernel does not have, small programs.

import { readdirSync, readlinkSync } from "node:fs";
import { BpfMap, BpfProgram, kernelAtLeast, MapFlag, type ProgramSpec, probeFeature } from "libbpf-ts";
import * as asm from "libbpf-ts/asm";
import { test } from "vitest";

export const isRoot = process.geteuid?.() === 0;

/** Why a test of these features can't run here, or undefined. */
export function missing(...names: string[]): string | undefined {
  if (!isRoot) return "not root";
  for (const name of names) {
    const { supported, reason } = probeFeature(name);
    if (!supported) return `${name}: ${reason ?? "not in this kernel"}`;
  }
  return undefined;
}

/** A test that needs features: skipped, and named so, where the kernel lacks them. */
export function testWith(features: string[], name: string, body: () => void | Promise<void>): void {
  const why = missing(...features);
  if (why) test.skip(`${name} (${why})`, () => {});
  else test(name, body);
}

/** Bytes of one number. */
export function u32(value: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(value).buffer);
}
export function u64(value: bigint | number): Uint8Array {
  return new Uint8Array(BigUint64Array.of(BigInt(value)).buffer);
}

/** A map with one u64 cell that programs address directly, and its value. */
export class Cells implements Disposable {
  readonly map: BpfMap;
  readonly #values: BigUint64Array;

  constructor(count = 1) {
    this.map = BpfMap.create({
      type: "array",
      keySize: 4,
      valueSize: 8 * count,
      maxEntries: 1,
      flags: MapFlag.mmapable,
      name: "cells",
    });
    this.#values = new BigUint64Array(this.map.mmapArray());
  }
  get(index = 0): number {
    return Number(this.#values[index]);
  }
  set(index: number, value: number): void {
    this.#values[index] = BigInt(value);
  }
  /** Instructions that add r2 to a cell; uses r1. */
  add(index = 0): asm.Insn[] {
    return [asm.ldMapValue(1, this.map.fd, index * 8), asm.atomic("add", 8, 1, 0, 2)];
  }
  [Symbol.dispose](): void {
    this.map[Symbol.dispose]();
  }
}

export const done = [asm.movImm(0, 0), asm.exit()];

export function load(
  type: ProgramSpec["type"],
  body: asm.Insn[],
  more: Partial<ProgramSpec> = {},
): BpfProgram {
  return BpfProgram.load({ type, name: "live_test", instructions: asm.encode(body), ...more });
}

/** Runs `then` only in this process (the thread group of r0 >> 32); keeps the context in r6. */
export function onlyHere(then: asm.Insn[]): asm.Insn[] {
  const slots = then.reduce((sum, insn) => sum + asm.slots(insn), 0);
  return [
    asm.mov(6, 1),
    asm.call("get_current_pid_tgid"),
    asm.aluImm("rsh", 0, 32),
    asm.jmpImm("ne", 0, process.pid, slots),
    ...then,
    ...done,
  ];
}

/** Counts hits in this process. */
export function countHere(cells: Cells): asm.Insn[] {
  return onlyHere([asm.movImm(2, 1), ...cells.add()]);
}

/** A kernel this new must have the feature: lacking it is a failure, unless its build or policy left it out. */
export function mustHave(since: string): boolean {
  return isRoot && kernelAtLeast(since);
}

/** Whether any process has such a file open. */
export const someoneHas = (target: string): boolean =>
  readdirSync("/proc").some((pid) => {
    try {
      return readdirSync(`/proc/${pid}/fd`).some((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`) === target);
    } catch {
      return false;
    }
  });
