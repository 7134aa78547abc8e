/**
 * Where output leaves the process. Bytes gather in a buffer and leave in one write per look at the rings, or when there
 * are many: a flood of lines costs a system call per megabyte, not per line.
 *
 * Writing goes on in the background so that a reader that is slow (a pager, a paused terminal) can't keep the program from
 * hearing Ctrl-C. When much waits, `ready` says so, and the kernel's ring holds (and counts) what comes next.
 */
import { ByteWriter } from "./bytes.ts";

const { closeSync, openSync, write: writeLater, writeSync } = process.getBuiltinModule("node:fs");

/** Bytes that are worth a write of their own, and that may wait for a slow reader. */
const CHUNK = 256 * 1024;
const MOST_WAITING = 8 * 1024 * 1024;

export interface SinkOptions {
  /** -B full: nothing is written before a chunk is full. */
  full?: boolean;
  /** The other side is a terminal: data that would drive it is shown instead. */
  terminal?: boolean;
  /** Nothing can be written any more: the reader went away (EPIPE), the disk is full. */
  onBroken?: (error: NodeJS.ErrnoException) => void;
}

export class Sink {
  out: ByteWriter;
  /** Why nothing can be written any more. */
  failure: NodeJS.ErrnoException | undefined;
  #fd: number;
  #owned: boolean;
  #full: boolean;
  #spare: ByteWriter;
  #writing = false;
  #onBroken: SinkOptions["onBroken"];

  /** A descriptor, or a path that is created or emptied. */
  constructor(target: number | string, options: SinkOptions = {}) {
    this.#owned = typeof target === "string";
    this.#fd = typeof target === "string" ? openSync(target, "w") : target;
    this.#full = options.full ?? false;
    this.#onBroken = options.onBroken;
    const visible = options.terminal ?? false;
    this.out = new ByteWriter(4096, visible);
    this.#spare = new ByteWriter(4096, visible);
  }

  get broken(): boolean {
    return this.failure !== undefined;
  }

  /** Call after each record: a full buffer leaves. */
  wrote(): void {
    if (this.out.length >= CHUNK) this.#send();
  }

  /** Call after each batch: what there is leaves, unless it is to be kept until there is much. */
  flush(): void {
    if (!this.#full) this.#send();
  }

  /** False: the reader is slow, and nothing should be added until it has caught up. */
  get ready(): boolean {
    return this.out.length < MOST_WAITING;
  }

  /** Writes everything, waiting for the reader. */
  async close(): Promise<void> {
    while (this.#writing) await new Promise((resolve) => setTimeout(resolve, 1));
    this.#writeNow(this.out.view());
    this.out.clear();
    if (this.#owned) closeSync(this.#fd);
  }

  #send(): void {
    if (this.out.length === 0) return;
    if (this.broken) this.out.clear();
    if (this.broken || this.#writing) return;
    const sending = this.out;
    this.out = this.#spare;
    this.#spare = sending;
    this.#writing = true;
    this.#writeRest(sending, 0);
  }

  #writeRest(sending: ByteWriter, from: number): void {
    writeLater(this.#fd, sending.bytes, from, sending.length - from, null, (error, written) => {
      if (error?.code === "EAGAIN") {
        setTimeout(() => this.#writeRest(sending, from), 1);
        return;
      }
      if (error) this.#break(error);
      else if (from + written < sending.length) {
        this.#writeRest(sending, from + written);
        return;
      }
      sending.clear();
      this.#writing = false;
      if (this.out.length >= CHUNK) this.#send();
    });
  }

  #writeNow(bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length && !this.broken; ) {
      try {
        from += writeSync(this.#fd, bytes, from, bytes.length - from);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "EAGAIN") pause(1);
        else this.#break(error as NodeJS.ErrnoException);
      }
    }
  }

  #break(error: NodeJS.ErrnoException): void {
    this.failure = error;
    this.#onBroken?.(error);
  }
}

function pause(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}
