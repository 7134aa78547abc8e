/**
 * Moves records from the kernel's rings to the session. Two rings: `events` takes what is printed, `control` takes what
 * must not be lost or wait behind a flood (exit, clear, print of a map). A control record says how far the events ring was
 * written when it was made, so that both streams come out in the order in which the script made them:
 *
 *   events   ──a──b──c──┬──d──e──      c is handed over, then the control record, then d
 *   control             └ position
 *
 * A record opens with u32 action, u32 probe index; control records follow with u64 position.
 */
import { type BpfMap, RingBuffer } from "libbpf-ts";
import { monotonicMs } from "../clock.ts";

export type RecordSink = (action: number, view: DataView, offset: number, size: number) => void;

/** Records that are handed over before the control ring is looked at again. */
const BATCH = 4096;
const POSITION = 8;

export class EventPump implements Disposable {
  #events: RingBuffer | undefined;
  #control: RingBuffer | undefined;
  /** A control record that was read and waits for the events before it. */
  #waiting: { bytes: DataView; position: number } | undefined;
  #onEvent: (view: DataView, offset: number, length: number) => void;
  #onControl: RecordSink;
  /** Records handed over so far. */
  events = 0;
  /** While set, records are taken from the rings and dropped: what follows an exit(). */
  skipping = false;
  /** While set, they are dropped and counted: there is no time left for them. */
  late = false;
  dropped = 0;
  #batch: number;
  #ready: () => boolean;

  constructor(
    events: BpfMap | undefined,
    control: BpfMap | undefined,
    onEvent: RecordSink,
    onControl: RecordSink,
    ready: () => boolean = () => true,
    batch = BATCH,
  ) {
    if (events) this.#events = new RingBuffer(events);
    if (control) this.#control = new RingBuffer(control);
    this.#onEvent = (view, offset, length) => {
      if (this.late) this.dropped++;
      else if (!this.skipping) onEvent(view.getUint32(offset, true), view, offset, length);
    };
    this.#onControl = onControl;
    this.#ready = ready;
    this.#batch = batch;
  }

  get size(): number {
    return this.#events?.size ?? 0;
  }

  /** Bytes that wait in the events ring. */
  pending(): number {
    return this.#events?.pending() ?? 0;
  }

  /** Hands over what is there, for about `slice` milliseconds; true when more is left. Waits while the sink is not ready. */
  run(slice: number): boolean {
    const deadline = monotonicMs() + slice;
    for (;;) {
      if (!this.#ready()) return false;
      // Only up to what was there before the control ring was read: a control record for anything of that has been seen.
      const end = this.#events?.produced() ?? 0;
      this.#readControl();
      const moved = this.#events?.drain(this.#onEvent, this.#batch, this.#waiting?.position ?? end) ?? 0;
      this.events += moved;
      if (this.#waiting && (this.#events?.reached(this.#waiting.position) ?? true)) {
        const { bytes } = this.#waiting;
        this.#waiting = undefined;
        if (!this.skipping) this.#onControl(bytes.getUint32(0, true), bytes, 0, bytes.byteLength);
      } else if (moved < this.#batch) {
        // Nothing left, or its writer has not finished a record: come back.
        return false;
      }
      if (monotonicMs() > deadline) return true;
    }
  }

  #readControl(): void {
    if (this.#waiting) return;
    this.#control?.drain((view, offset, length) => {
      // Copied: it may wait, and its place in the ring is given back.
      const bytes = new DataView(
        view.buffer.slice(view.byteOffset + offset, view.byteOffset + offset + length),
      );
      this.#waiting = { bytes, position: bytes.getUint32(POSITION, true) };
    }, 1);
  }

  [Symbol.dispose](): void {
    this.#events?.[Symbol.dispose]();
    this.#control?.[Symbol.dispose]();
  }
}
