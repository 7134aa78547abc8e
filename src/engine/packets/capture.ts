/**
 * skboutput(): packets from the kernel's per-CPU buffers into files. A record is what the program wrote in front, then the
 * packet's bytes:
 *
 *   u32 capture (index in Plan.captures)  u32 bytes asked for  u32 length on the wire  u32 zero
 *   u64 boot-clock nanoseconds  bytes…
 */
import { type BpfMap, clockNs, onlineCpus, PerfBuffer, pageSize } from "libbpf-ts";
import type { CapturePlan, Plan } from "../compile/plan.ts";
import { type Packet, PcapFile } from "./pcap.ts";
import { openPlace } from "./place.ts";

const HEADER = 24;
/** For all CPUs together, unless the script sets perf_rb_pages; and what each has at least and at most. */
const BUFFER_BYTES = 16 << 20;
const [LEAST_PAGES, MOST_PAGES] = [64, 1024];

/** Pages of each CPU's buffer, a power of two. */
export function pagesPerCpu(pages: number | undefined, cpus: number, page = pageSize()): number {
  const wanted =
    pages === undefined
      ? Math.min(MOST_PAGES, Math.max(LEAST_PAGES, BUFFER_BYTES / page / cpus))
      : Math.max(1, pages / cpus);
  return 2 ** Math.floor(Math.log2(wanted));
}

/** A file that can't be written, and what to blame in the script. */
export class CaptureError extends Error {
  readonly capture: CapturePlan;

  constructor(capture: CapturePlan, error: unknown) {
    const text = (error as Error).message.replace(/^E[A-Z]+: /, "").replace(/, \w+( '.*')?$/, "");
    super(`packets cannot be written to ${capture.path}: ${text}`, { cause: error });
    this.name = "CaptureError";
    this.capture = capture;
  }
}

export class Captures implements Disposable {
  readonly #plan: Plan;
  readonly #buffer: PerfBuffer;
  /** By path; undefined once writing has failed. */
  readonly #files = new Map<string, PcapFile | undefined>();
  readonly #failed: (error: CaptureError) => void;
  /** Packets that came and could not be stored. */
  lost = 0;

  /** Creates the files; throws CaptureError. `failed` hears of each file that can't be written any more, once. */
  constructor(plan: Plan, map: BpfMap, failed: (error: CaptureError) => void) {
    this.#plan = plan;
    this.#failed = failed;
    try {
      for (const capture of plan.captures) this.#open(capture);
      this.#buffer = new PerfBuffer(map, pagesPerCpu(plan.config.perfRbPages, onlineCpus().length));
    } catch (error) {
      this.#close();
      throw error;
    }
  }

  #open(capture: CapturePlan): void {
    if (this.#files.has(capture.path)) return;
    try {
      this.#files.set(capture.path, new PcapFile(openPlace(capture.path)));
    } catch (error) {
      throw new CaptureError(capture, error);
    }
  }

  /** Stores what is there, in the order of time; how many packets it were. */
  drain(): number {
    const byFile = new Map<CapturePlan, Packet[]>();
    const sinceEpoch = clockNs("realtime") - clockNs("boottime");
    const count = this.#buffer.drain((view, offset, size) => {
      const capture = this.#plan.captures[view.getUint32(offset, true)];
      const from = HEADER + capture.offset;
      const length = view.getUint32(offset + 8, true) - capture.offset;
      // The kernel fills records up to a multiple of eight: only what was asked for counts.
      const here = Math.min(size - from, view.getUint32(offset + 4, true) - capture.offset);
      if (here <= 0) return;
      const packets = byFile.get(capture) ?? [];
      packets.push({
        nanoseconds: view.getBigUint64(offset + 16, true) + sinceEpoch,
        bytes: new Uint8Array(view.buffer, view.byteOffset + offset + from, here).slice(),
        length,
      });
      byFile.set(capture, packets);
    });
    for (const [capture, packets] of byFile) this.#store(capture, packets);
    return count;
  }

  #store(capture: CapturePlan, packets: Packet[]): void {
    const file = this.#files.get(capture.path);
    packets.sort((a, b) => (a.nanoseconds < b.nanoseconds ? -1 : a.nanoseconds > b.nanoseconds ? 1 : 0));
    try {
      if (file) file.write(packets);
      else this.lost += packets.length;
    } catch (error) {
      this.lost += packets.length;
      this.#files.set(capture.path, undefined);
      file?.[Symbol.dispose]();
      this.#failed(new CaptureError(capture, error));
    }
  }

  #close(): void {
    for (const file of this.#files.values()) file?.[Symbol.dispose]();
    this.#files.clear();
  }

  [Symbol.dispose](): void {
    this.#buffer[Symbol.dispose]();
    this.#close();
  }
}
