/** A program on a terminal of its own that is read all the time, with counts of what it sends. */
import { spawn } from "@lydell/node-pty";
import { sleep } from "./process.ts";

export const SIZE = { cols: 200, rows: 50 };
const FRAME_BEGINS = "\x1b[?2026h";
const FRAME_ENDS = "\x1b[?2026l";

export class Pty {
  readonly pid: number;
  bytes = 0;
  frames = 0;
  /** Milliseconds from the start to the first bytes and the first whole frame, and what had been sent by then. */
  firstBytes = Number.NaN;
  firstFrame = Number.NaN;
  firstFrameBytes = 0;
  readonly ended: Promise<void>;
  private readonly pty: ReturnType<typeof spawn>;
  private readonly began = performance.now();
  private tail = "";
  private woken: (() => void)[] = [];

  constructor(command: string[], env: NodeJS.ProcessEnv) {
    const [file, ...args] = command;
    this.pty = spawn(file!, args, { ...SIZE, name: "xterm-256color", env: env as Record<string, string> });
    this.pid = this.pty.pid;
    this.pty.onData((data) => this.received(data));
    this.ended = new Promise((resolve) =>
      this.pty.onExit(() => {
        resolve();
        this.wake();
      }),
    );
  }

  /** The next bytes that arrive, or its end. */
  next(): Promise<void> {
    return new Promise((resolve) => this.woken.push(resolve));
  }

  /** Waits until something holds, at most ten seconds. */
  async until(holds: () => boolean): Promise<boolean> {
    const deadline = performance.now() + 10_000;
    while (!holds() && performance.now() < deadline) await Promise.race([this.next(), sleep(100)]);
    return holds();
  }

  /** Until nothing has arrived for this long. */
  async quiet(milliseconds: number): Promise<void> {
    for (let seen = -1; seen !== this.bytes; ) {
      seen = this.bytes;
      await sleep(milliseconds);
    }
  }

  write(keys: string): void {
    this.pty.write(keys);
  }

  kill(): void {
    this.pty.kill("SIGKILL");
  }

  private received(data: string): void {
    const now = performance.now() - this.began;
    if (this.bytes === 0) this.firstBytes = now;
    this.bytes += Buffer.byteLength(data);
    // A mark may arrive in two pieces.
    const text = this.tail + data;
    this.tail = text.slice(-(FRAME_BEGINS.length - 1));
    this.frames += text.split(FRAME_BEGINS).length - 1;
    if (Number.isNaN(this.firstFrame) && text.includes(FRAME_ENDS)) {
      this.firstFrame = now;
      this.firstFrameBytes = this.bytes;
    }
    this.wake();
  }

  private wake(): void {
    for (const resolve of this.woken.splice(0)) resolve();
  }
}
