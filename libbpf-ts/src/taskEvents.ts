// What perf tells beside its samples: processes that fork, execute and exit, and the code that they map. It needs no program
// and costs a record for each such event, in a ring per CPU.
//
//   MMAP2: u32 pid, tid, u64 address, length, file offset, u32 major, minor, u64 inode, generation, u32 protection, flags, path\0
//   COMM:  u32 pid, tid, name\0       FORK, EXIT: u32 pid, ppid, tid, ptid, u64 time
//   behind each, as sample_id_all asks for it: u64 time

import { onlineCpus } from "./cpus.ts";
import { Errno, SysError } from "./errno.ts";
import { encodePerfEventAttr } from "./link/perfEvent.ts";
import { PerfRecord, PerfRing } from "./perfRing.ts";
import { clockNs, perfEventOpen } from "./sys.ts";
import { PerfType, SoftwareEvent } from "./uapi.ts";

export type TaskEvent =
  /** A new process. */
  | { kind: "fork"; pid: number; parent: number }
  /** A new thread of a process. */
  | { kind: "thread"; pid: number; thread: number }
  /** It is another program now: nothing that was mapped is. */
  | { kind: "exec"; pid: number }
  /** The last, or any, thread of it has ended. */
  | { kind: "exit"; pid: number; thread: number }
  /** Executable memory. `path` as /proc/PID/maps has it: "//anon", "[vdso]". */
  | {
      kind: "map";
      pid: number;
      address: number;
      length: number;
      fileOffset: number;
      /** As /proc/PID/maps has it: "08:01". */
      device: string;
      path: string;
    };

const SAMPLE_TIME = 4n;
const EXEC = 1 << 13;
const TIME_SIZE = 8;

function text(view: DataView, from: number, end: number): string {
  const bytes = Buffer.from(view.buffer, view.byteOffset + from, end - from);
  const length = bytes.indexOf(0);
  return bytes.toString("utf8", 0, length < 0 ? bytes.length : length);
}

const number64 = (view: DataView, at: number): number =>
  view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32;

const hex = (value: number): string => value.toString(16).padStart(2, "0");

type Decode = (view: DataView, at: number, end: number, misc: number) => TaskEvent | undefined;

const DECODE: Record<number, Decode | undefined> = {
  [PerfRecord.fork]: (view, at) => {
    const [pid, parent] = [view.getUint32(at + 8, true), view.getUint32(at + 12, true)];
    return pid === parent
      ? { kind: "thread", pid, thread: view.getUint32(at + 16, true) }
      : { kind: "fork", pid, parent };
  },
  [PerfRecord.exit]: (view, at) => ({
    kind: "exit",
    pid: view.getUint32(at + 8, true),
    thread: view.getUint32(at + 16, true),
  }),
  [PerfRecord.comm]: (view, at, _end, misc) =>
    misc & EXEC ? { kind: "exec", pid: view.getUint32(at + 8, true) } : undefined,
  [PerfRecord.mmap2]: (view, at, end) => ({
    kind: "map",
    pid: view.getUint32(at + 8, true),
    address: number64(view, at + 16),
    length: number64(view, at + 24),
    fileOffset: number64(view, at + 32),
    device: [40, 44].map((part) => hex(view.getUint32(at + part, true))).join(":"),
    path: text(view, at + 72, end),
  }),
};

/** Every process of the machine, followed from now on. Throws SysError where perf events are not permitted. */
export class TaskEvents implements Disposable {
  #rings: PerfRing[] = [];
  /** What was read with a later time than the rings were looked at. */
  #early: { time: number; event: TaskEvent }[] = [];
  /** Events the kernel had no room for, as far as read. */
  lost = 0;

  /** `pages`: per CPU, a power of two. "forks": only those, threads and exits. */
  constructor(what: "forks" | "all" = "all", pages = 32) {
    const attr = encodePerfEventAttr({
      type: PerfType.software,
      config: BigInt(SoftwareEvent.dummy),
      sampleType: SAMPLE_TIME,
      taskEvents: what,
      monotonic: true,
    });
    try {
      for (const cpu of onlineCpus()) {
        const fd = perfEventOpen(attr, -1, cpu);
        if (fd === -Errno.ENODEV) continue;
        if (fd < 0) throw new SysError("perf_event_open(task events)", -fd);
        this.#rings.push(new PerfRing(fd, pages));
      }
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /** Hands over what has happened between the last call and this, in its order. */
  drain(callback: (event: TaskEvent) => void): void {
    // While one CPU's ring is read, another's that was read already goes on: what is later waits for the next call.
    const now = Number(clockNs("monotonic"));
    const events = this.#early;
    this.#early = [];
    for (const ring of this.#rings) {
      ring.drain((type, misc, view, offset, size) => {
        if (type === PerfRecord.lost) this.lost += number64(view, offset + 16);
        const end = offset + size - TIME_SIZE;
        const event = DECODE[type]?.(view, offset, end, misc);
        if (event) events.push({ time: number64(view, end), event });
      });
    }
    if (events.length === 0) return;
    events.sort((a, b) => a.time - b.time);
    const later = events.findIndex(({ time }) => time > now);
    if (later >= 0) this.#early = events.splice(later);
    for (const { event } of events) callback(event);
  }

  [Symbol.dispose](): void {
    for (const ring of this.#rings) ring[Symbol.dispose]();
    this.#rings = [];
  }
}
