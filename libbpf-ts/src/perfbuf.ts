// Perf buffers: what came before the ring buffer (5.8). One ring per CPU, each an event of its own put into a
// `perf_event_array` map; records may wrap around and lost ones are told by records of their own.
//
//   SAMPLE: header, u32 length, payload      LOST: header, u64 id, u64 lost

import { onlineCpus } from "./cpus.ts";
import { openPerfEvent } from "./link/perfEvent.ts";
import type { BpfMap } from "./map.ts";
import { PerfRecord, PerfRing } from "./perfRing.ts";
import type { RecordCallback } from "./ringbuf.ts";
import { ioctl } from "./sys.ts";
import { PerfIoctl, PerfType, SoftwareEvent } from "./uapi.ts";

const SAMPLE_RAW = 1024n;

/** The consumer of a `perf_event_array` map: one ring of `pages` pages (a power of two) per online CPU. */
export class PerfBuffer implements Disposable {
  #rings: PerfRing[] = [];
  /** Records the kernel had no room for, as far as read. */
  lost = 0;

  constructor(map: BpfMap, pages = 64) {
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
        this.#rings.push(new PerfRing(fd, pages));
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
    for (const ring of this.#rings) {
      ring.drain((type, _misc, view, offset) => {
        if (type === PerfRecord.sample) {
          callback(view, offset + 12, view.getUint32(offset + 8, true));
          records++;
        } else if (type === PerfRecord.lost) {
          this.lost += Number(view.getBigUint64(offset + 16, true));
        }
      });
    }
    return records;
  }

  [Symbol.dispose](): void {
    for (const ring of this.#rings) ring[Symbol.dispose]();
    this.#rings = [];
  }
}
