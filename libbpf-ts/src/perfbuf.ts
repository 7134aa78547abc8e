// Perf buffers: what came before the ring buffer (5.8). One ring per CPU, each an event of its own put into a
// `perf_event_array` map; records may wrap around and lost ones are told by records of their own.
//
//   page 0   1024: u64 data_head (the kernel's)  1032: u64 data_tail (ours)
//   pages 1… records: u32 type, u16 misc, u16 size; SAMPLE = 9: u32 length, payload; LOST = 2: u64 id, u64 lost

import { onlineCpus } from "./cpus.ts";
import { openPerfEvent } from "./link/perfEvent.ts";
import type { BpfMap } from "./map.ts";
import type { RecordCallback } from "./ringbuf.ts";
import { close, ioctl, Mapping, pageSize } from "./sys.ts";
import { PerfIoctl, PerfType, SoftwareEvent } from "./uapi.ts";

const RECORD = { lost: 2, sample: 9 };
const SAMPLE_RAW = 1024n;

interface CpuRing {
  fd: number;
  mapping: Mapping;
  head: BigUint64Array;
  view: DataView;
  bytes: Uint8Array;
}

/** The consumer of a `perf_event_array` map: one ring of `pages` pages (a power of two) per online CPU. */
export class PerfBuffer implements Disposable {
  #rings: CpuRing[] = [];
  #scratch = new Uint8Array(64);
  #size: number;
  /** Records the kernel had no room for, as far as read. */
  lost = 0;

  constructor(map: BpfMap, pages = 64) {
    const page = pageSize();
    this.#size = pages * page;
    const key = new Uint32Array(1);
    const value = new Int32Array(1);
    try {
      for (const cpu of onlineCpus()) {
        const fd = openPerfEvent(
          {
            type: PerfType.software,
            config: BigInt(SoftwareEvent["bpf-output"]),
            period: 1n,
            sampleType: SAMPLE_RAW,
          },
          -1,
          cpu,
          "perf buffer",
        );
        const mapping = new Mapping(fd, page + this.#size, "write");
        this.#rings.push({
          fd,
          mapping,
          head: new BigUint64Array(mapping.buffer, 1024, 2),
          view: new DataView(mapping.buffer, page),
          bytes: new Uint8Array(mapping.buffer, page),
        });
        key[0] = cpu;
        value[0] = fd;
        map.update(new Uint8Array(key.buffer), new Uint8Array(value.buffer));
        ioctl(fd, PerfIoctl.enable);
      }
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /** Hands over every record of every CPU; how many it were. Records of different CPUs are not in order. */
  drain(callback: RecordCallback): number {
    let records = 0;
    for (const ring of this.#rings) records += this.#drainRing(ring, callback);
    return records;
  }

  [Symbol.dispose](): void {
    for (const ring of this.#rings) {
      ring.mapping[Symbol.dispose]();
      close(ring.fd);
    }
    this.#rings = [];
  }

  #drainRing(ring: CpuRing, callback: RecordCallback): number {
    const head = Number(Atomics.load(ring.head, 0));
    let tail = Number(Atomics.load(ring.head, 1));
    let records = 0;
    while (tail < head) {
      const at = tail % this.#size;
      const type = ring.view.getUint32(at, true);
      const size = ring.view.getUint16(at + 6, true);
      if (size === 0) break;
      const [view, offset] = this.#contiguous(ring, at, size);
      if (type === RECORD.sample) {
        callback(view, offset + 12, view.getUint32(offset + 8, true));
        records++;
      } else if (type === RECORD.lost) {
        this.lost += Number(view.getBigUint64(offset + 16, true));
      }
      tail += size;
    }
    Atomics.store(ring.head, 1, BigInt(tail));
    return records;
  }

  /** The record in one piece: in place, or copied where it wraps around. */
  #contiguous(ring: CpuRing, at: number, size: number): [DataView, number] {
    if (at + size <= this.#size) return [ring.view, at];
    if (this.#scratch.byteLength < size) this.#scratch = new Uint8Array(size * 2);
    const first = this.#size - at;
    this.#scratch.set(ring.bytes.subarray(at), 0);
    this.#scratch.set(ring.bytes.subarray(0, size - first), first);
    return [new DataView(this.#scratch.buffer), 0];
  }
}
