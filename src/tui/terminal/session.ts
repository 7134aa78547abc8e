/**
 * The terminal while the deck has it: raw mode, the alternate screen, bracketed paste; and given back however the
 * deck ends: on exit, on an exception, on SIGINT, SIGTERM and SIGHUP, and while it is stopped.
 */
import type { ReadStream, WriteStream } from "node:tty";
import { InputDecoder, type InputEvent } from "./decode.ts";
import { ENTER, LEAVE } from "./enter.ts";
import { Painter } from "./painter.ts";

/** How long the rest of a split escape sequence may take. */
const SEQUENCE_WAIT_MS = 40;

const SIGNALS: [NodeJS.Signals, number][] = [
  ["SIGINT", 2],
  ["SIGTERM", 15],
  ["SIGHUP", 1],
];

export interface SessionHandlers {
  input(event: InputEvent): void;
  resize(): void;
  /** Runs once, before the terminal is given back; must not throw or wait. */
  closing(): void;
}

/** Lets Node return from a write while the terminal is behind, so that the deck can drop frames instead of waiting. */
function setBlocking(stream: WriteStream, blocking: boolean): void {
  (stream as unknown as { _handle?: { setBlocking?(on: boolean): void } })._handle?.setBlocking?.(blocking);
}

export class TerminalSession {
  readonly painter: Painter;
  private readonly stdin: ReadStream;
  private readonly stdout: WriteStream;
  private readonly decoder = new InputDecoder();
  private readonly handlers: SessionHandlers;
  private wait: NodeJS.Timeout | undefined;
  private late: NodeJS.Immediate | undefined;
  private open = false;
  private mouse = false;

  /** Takes the terminal. `entered`: the caller has sent ENTER already (the skeleton did). */
  constructor(stdin: ReadStream, stdout: WriteStream, handlers: SessionHandlers, entered = false) {
    this.stdin = stdin;
    this.stdout = stdout;
    this.handlers = handlers;
    this.painter = new Painter(stdout);
    stdout.on("error", this.lost);
    stdin.on("error", this.lost);
    stdin.on("end", this.lost);
    process.on("exit", this.close);
    process.on("uncaughtException", this.crash);
    process.on("unhandledRejection", this.crash);
    for (const [signal] of SIGNALS) process.on(signal, this.signalled);
    process.on("SIGTSTP", this.suspend);
    process.on("SIGCONT", this.resume);
    stdout.on("resize", this.resized);
    this.enter(entered);
  }

  /** Gives the terminal back. Safe to call more than once. */
  close = (): void => {
    if (!this.open) return;
    this.handlers.closing();
    this.painter.close();
    this.leave();
    this.stdout.off("resize", this.resized);
    process.off("SIGTSTP", this.suspend);
    process.off("SIGCONT", this.resume);
  };

  /** Gives the terminal back, stops the process, and comes back with SIGCONT. */
  suspend = (): void => {
    this.leave();
    process.kill(process.pid, "SIGSTOP");
  };

  /** Gives the terminal to something that asks the user, and takes it back. */
  lend<Result>(work: () => Result): Result {
    this.leave();
    try {
      return work();
    } finally {
      this.resume();
    }
  }

  /** Mouse reports; off by default so that selecting text works. */
  setMouse(on: boolean): void {
    this.mouse = on;
    this.stdout.write(on ? "\x1b[?1000h\x1b[?1006h" : "\x1b[?1000l\x1b[?1006l");
  }

  /** Into the clipboard of the user's terminal (OSC 52). */
  copy(text: string): void {
    this.stdout.write(`\x1b]52;c;${Buffer.from(text, "utf8").toString("base64")}\x07`);
  }

  private enter(entered: boolean): void {
    this.stdin.setRawMode(true);
    this.stdin.setEncoding("utf8");
    this.stdin.on("data", this.data);
    this.stdin.resume();
    setBlocking(this.stdout, false);
    if (!entered) this.stdout.write(ENTER);
    if (this.mouse) this.setMouse(true);
    this.open = true;
  }

  private leave(): void {
    if (!this.open) return;
    this.open = false;
    this.stopWaiting();
    this.stdin.off("data", this.data);
    this.stdin.pause();
    try {
      this.stdin.setRawMode(false);
    } catch {
      // The terminal is gone; there is nothing to restore.
    }
    // A terminal that is behind may never catch up; nobody should wait for that.
    if (this.stdout.writableLength === 0) setBlocking(this.stdout, true);
    if (!this.stdout.destroyed) this.stdout.write(LEAVE);
  }

  private data = (chunk: string): void => {
    this.stopWaiting();
    for (const event of this.decoder.push(chunk)) this.handlers.input(event);
    if (!this.decoder.pending) return;
    this.wait = setTimeout(() => {
      // The rest may be there already, where the machine kept this process from reading: input comes before this.
      this.late = setImmediate(() => {
        for (const event of this.decoder.flush()) this.handlers.input(event);
      });
    }, SEQUENCE_WAIT_MS);
  };

  private stopWaiting(): void {
    clearTimeout(this.wait);
    if (this.late) clearImmediate(this.late);
  }

  private resized = (): void => {
    this.handlers.resize();
  };

  /** Also after SIGSTOP, of which nobody is told: by then the shell has had the terminal. */
  private resume = (): void => {
    this.leave();
    this.enter(false);
    this.painter.redraw();
    this.handlers.resize();
  };

  private signalled = (signal: NodeJS.Signals): void => {
    this.close();
    process.exit(128 + (SIGNALS.find(([name]) => name === signal)?.[1] ?? 0));
  };

  /** The terminal went away (its window closed, SSH dropped). */
  private lost = (): void => {
    this.close();
    process.exit(129);
  };

  private crash = (error: unknown): void => {
    this.close();
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exit(70);
  };
}
