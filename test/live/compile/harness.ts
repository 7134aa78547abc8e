/** Loads a plan into this machine's kernel and lets a test run its programs and read its maps. */
import { type BpfMap, type BpfProgram, RingBuffer } from "libbpf-ts";
import { type Attached, attachGroup, attachGroups } from "../../../src/engine/attach/index.ts";
import type { Plan } from "../../../src/engine/compile/plan.ts";
import { createMaps, loadProgram } from "../../../src/engine/session/load.ts";

export class LoadedPlan implements Disposable {
  readonly plan: Plan;
  readonly maps: BpfMap[];
  readonly programs: BpfProgram[] = [];
  readonly #links: Attached[] = [];

  constructor(plan: Plan, source = "") {
    this.plan = plan;
    this.maps = createMaps(plan);
    for (const program of plan.programs) {
      this.programs.push(
        loadProgram(program, plan, this.maps, ({ start }) => ({
          file: "test.bt",
          text: source.slice(start, start + 60),
          line: source.slice(0, start).split("\n").length,
          column: 1,
        })),
      );
    }
    this.enable();
  }

  get links(): readonly Attached[] {
    return this.#links;
  }

  enable(): void {
    const { map, size } = this.plan.globals;
    const value = new Uint8Array(size);
    new DataView(value.buffer).setUint32(this.plan.globals.enabled, 1, true);
    this.maps[map].update(new Uint8Array(4), value);
  }

  disable(): void {
    const { map, size } = this.plan.globals;
    this.maps[map].update(new Uint8Array(4), new Uint8Array(size));
  }

  map(name: string): BpfMap {
    return this.maps[this.plan.maps.findIndex((m) => m.name === name)];
  }

  global(offset: number): number {
    const value = this.maps[this.plan.globals.map].lookup(new Uint8Array(4))!;
    return Number(new DataView(value.buffer, value.byteOffset).getBigUint64(offset, true));
  }

  /** 64-bit words of a scalar map, summed over CPUs. */
  words(name: string): bigint[] {
    return this.#sum(this.map(name), this.map(name).lookup(new Uint8Array(4))!);
  }

  /** Key bytes in hexadecimal → words summed over CPUs. */
  entries(name: string): Map<string, bigint[]> {
    const map = this.map(name);
    const { keys, values, count } = map.readBatch();
    const result = new Map<string, bigint[]>();
    for (let i = 0; i < count; i++) {
      const key = Buffer.from(keys.subarray(i * map.keySize, (i + 1) * map.keySize)).toString("hex");
      result.set(key, this.#sum(map, values.subarray(i * map.valueStride, (i + 1) * map.valueStride)));
    }
    return result;
  }

  #sum(map: BpfMap, bytes: Uint8Array): bigint[] {
    const perCpu = Math.max(1, Math.round(map.valueStride / map.cpuStride));
    const stride = map.perCpu ? map.cpuStride : map.valueSize;
    const padded = new Uint8Array(Math.ceil((stride * perCpu) / 8) * 8);
    padded.set(bytes.subarray(0, stride * perCpu));
    const view = new DataView(padded.buffer);
    const words = new Array<bigint>(Math.ceil(stride / 8)).fill(0n);
    for (let cpu = 0; cpu < perCpu; cpu++) {
      for (let w = 0; w < words.length; w++) {
        words[w] = BigInt.asIntN(64, words[w] + view.getBigInt64(cpu * stride + w * 8, true));
      }
    }
    return words;
  }

  /** Records of a ring so far. */
  records(name: "events" | "control"): Uint8Array[] {
    const out: Uint8Array[] = [];
    using ring = new RingBuffer(this.map(name));
    ring.drain((data, offset, length) => {
      out.push(new Uint8Array(data.buffer, data.byteOffset + offset, length).slice());
    });
    return out;
  }

  /** Attaches every probe that the kernel fires. */
  attach(): void {
    for (const group of attachGroups(this.plan.probes)) {
      this.#links.push(
        ...attachGroup(this.plan, group, this.programs[this.plan.probes[group[0]].program], undefined),
      );
    }
  }

  /** Once it returns, no program runs any more. */
  detach(): void {
    for (const { link } of this.#links) link.detach();
  }

  [Symbol.dispose](): void {
    this.detach();
    for (const program of this.programs) program[Symbol.dispose]();
    for (const map of this.maps) map[Symbol.dispose]();
  }
}
