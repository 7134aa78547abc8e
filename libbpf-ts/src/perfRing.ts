// The ring of one perf event, and its records.
//
//   page 0   1024: u64 data_head (the kernel's)  1032: u64 data_tail (ours)
//   pages 1… records: u32 type, u16 misc, u16 size, …; one may wrap around at the end

import { close, Mapping, pageSize } from "./sys.ts";

/** PERF_RECORD_*: types of records that are read here. */
export const PerfRecord = { lost: 2, comm: 3, exit: 4, fork: 7, sample: 9, mmap2: 10 } as const;

/** A record is `size` bytes at `offset`; only good during the call. */
export type PerfRecordCallback = (
  type: number,
  misc: number,
  view: DataView,
  offset: number,
  size: number,
) => void;

/** The consumer of a perf event's ring. Takes over the descriptor: disposing closes it. */
export class PerfRing implements Disposable {
  readonly fd: number;
  #mapping: Mapping;
  #head: BigUint64Array;
  #view: DataView;
  #bytes: Uint8Array;
  #size: number;
  #scratch = new Uint8Array(256);
  #closed = false;

  /** `pages`: a power of two. */
  constructor(fd: number, pages: number) {
    const page = pageSize();
    this.fd = fd;
    this.#size = pages * page;
    try {
      this.#mapping = new Mapping(fd, page + this.#size, "write");
    } catch (error) {
      close(fd);
      throw error;
    }
    this.#head = new BigUint64Array(this.#mapping.buffer, 1024, 2);
    this.#view = new DataView(this.#mapping.buffer, page);
    this.#bytes = new Uint8Array(this.#mapping.buffer, page);
  }

  /** Hands over every record that is there, and gives its room back. */
  drain(callback: PerfRecordCallback): void {
    const head = Number(Atomics.load(this.#head, 0));
    let tail = Number(Atomics.load(this.#head, 1));
    if (tail === head) return;
    while (tail < head) {
      const at = tail % this.#size;
      const size = this.#view.getUint16(at + 6, true);
      if (size === 0) break;
      const [view, offset] = this.#contiguous(at, size);
      callback(view.getUint32(offset, true), view.getUint16(offset + 4, true), view, offset, size);
      tail += size;
    }
    Atomics.store(this.#head, 1, BigInt(tail));
  }

  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#mapping[Symbol.dispose]();
    close(this.fd);
  }

  /** The record in one piece: in place, or copied where it wraps around. */
  #contiguous(at: number, size: number): [DataView, number] {
    if (at + size <= this.#size) return [this.#view, at];
    if (this.#scratch.byteLength < size) this.#scratch = new Uint8Array(size * 2);
    const first = this.#size - at;
    this.#scratch.set(this.#bytes.subarray(at), 0);
    this.#scratch.set(this.#bytes.subarray(0, size - first), first);
    return [new DataView(this.#scratch.buffer), 0];
  }
}
