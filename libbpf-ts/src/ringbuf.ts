// Reading BPF ring buffers (5.8) without a copy and without a system call.
//
//   page 0            consumer position, ours to write
//   page 1            producer position, the kernel's
//   pages 2…          the data, mapped twice in a row, so that no record is ever split
//
// A record is a u32 length (bit 31: not finished yet, bit 30: to be skipped), a u32 the kernel needs, then the payload,
// padded to 8 bytes. Positions only grow. Their low 32 bits are enough to reckon with, as no ring is larger than that; the
// loop never makes a BigInt. On an unfinished record `drain` returns: its writer is in the middle of it.

import { Mapping, pageSize } from "./sys.ts";

const BUSY = 0x80000000;
const DISCARD = 0x40000000;

/** Called with the ring's bytes and where the record lies in them; both are only good during the call. */
export type RecordCallback = (data: DataView, offset: number, length: number) => void;

export interface RingBufferMap {
  readonly fd: number;
  readonly maxEntries: number;
}

/** The consumer of one ring buffer map. */
export class RingBuffer implements Disposable {
  /** The data, twice: a record that wraps around is contiguous in it. */
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly size: number;
  #control: Mapping;
  #data: Mapping;
  #consumer: BigUint64Array;
  #producer: Uint32Array;
  #headers: Uint32Array;
  #position: bigint;

  constructor(map: RingBufferMap) {
    const page = pageSize();
    this.size = map.maxEntries;
    this.#control = new Mapping(map.fd, page, "write");
    this.#data = new Mapping(map.fd, page + 2 * this.size, "read", page);
    this.#consumer = new BigUint64Array(this.#control.buffer, 0, 1);
    this.#producer = new Uint32Array(this.#data.buffer, 0, 2);
    this.#headers = new Uint32Array(this.#data.buffer, page);
    this.bytes = new Uint8Array(this.#data.buffer, page);
    this.view = new DataView(this.#data.buffer, page);
    this.#position = Atomics.load(this.#consumer, 0);
  }

  /** Bytes written and not yet read, headers included. */
  pending(): number {
    return (Atomics.load(this.#producer, 0) - Number(BigInt.asUintN(32, this.#position))) >>> 0;
  }

  /** The producer position (its low 32 bits): what is before it has been reserved by now. */
  produced(): number {
    return Atomics.load(this.#producer, 0);
  }

  /** Whether everything before a producer position (its low 32 bits, as `bpf_ringbuf_query` told it) was handed over. */
  reached(position: number): boolean {
    return ((Number(BigInt.asUintN(32, this.#position)) - position) | 0) >= 0;
  }

  /** Hands over at most `max` finished records, none from producer position `until` on; how many it were. */
  drain(callback: RecordCallback, max = Number.POSITIVE_INFINITY, until?: number): number {
    const mask = this.size - 1;
    // Give room back in steps, so that writers don't wait for the end of a long drain.
    const step = Math.max(4096, this.size >>> 3);
    let low = Number(BigInt.asUintN(32, this.#position));
    let unreleased = 0;
    let records = 0;
    try {
      for (let end = Atomics.load(this.#producer, 0); records < max; ) {
        if (low === end) {
          end = Atomics.load(this.#producer, 0);
          if (low === end) break;
        }
        if (until !== undefined && ((low - until) | 0) >= 0) break;
        const at = low & mask;
        const header = Atomics.load(this.#headers, at >>> 2);
        if (header & BUSY) break;
        const length = header & ~DISCARD;
        const taken = (length + 15) & ~7;
        low = (low + taken) >>> 0;
        unreleased += taken;
        if ((header & DISCARD) === 0) {
          records++;
          callback(this.view, at + 8, length);
        }
        if (unreleased >= step) {
          this.#release(unreleased);
          unreleased = 0;
        }
      }
    } finally {
      if (unreleased > 0) this.#release(unreleased);
    }
    return records;
  }

  [Symbol.dispose](): void {
    this.#control[Symbol.dispose]();
    this.#data[Symbol.dispose]();
  }

  #release(bytes: number): void {
    this.#position += BigInt(bytes);
    Atomics.store(this.#consumer, 0, this.#position);
  }
}
