/**
 * Asks readers (symbols/reader.ts) about files that a server answers for, and waits no longer than a moment. One reader serves
 * all of them; one that got stuck is left with its file system until it answers, and another takes over the rest.
 */
import { spawn } from "node:child_process";
import { writeSync } from "node:fs";
import { join } from "node:path";
import { close, pipe, pollIn } from "libbpf-ts";
import { monotonicMs } from "../clock.ts";
import type { FileQuestion, Found } from "../symbols/files.ts";
import { Lines } from "./lines.ts";
import type { Mount } from "./mounts.ts";

export type Question =
  /** The symbol at a byte of the first of the files that is there and unchanged. */
  | { files: FileQuestion[]; fileOffset: number }
  | { jitMap: string; address: number; uid: number }
  /** Only whether somebody answers. */
  | { exists: string };

export interface Answer {
  found?: Found;
}

/** Milliseconds that an answer is waited for, and for a reader to start. */
const PATIENCE = 1000;
const START = 5000;
/** Readers that are stuck, each of which takes memory. */
const MOST_STUCK = 4;
/** Milliseconds after which a reader is started again that could not start, or that died. */
const AGAIN = 10_000;

class Reader {
  readonly #to: number;
  readonly #from: number;
  readonly #lines: Lines;

  /** Throws when it does not start. */
  constructor() {
    const [input, to] = pipe();
    const [from, output] = pipe();
    this.#to = to;
    this.#from = from;
    this.#lines = new Lines(from);
    try {
      // The bundle's neighbour; a session of its own, for signals of the terminal are not for it.
      const command = [join(import.meta.dirname, "cli.js"), "engine", "--reader"];
      const child = spawn(process.execPath, command, {
        stdio: [input, output, "ignore"],
        detached: true,
        cwd: "/",
      });
      child.on("error", () => {});
      child.unref();
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    } finally {
      close(input);
      close(output);
    }
    this.#awaitStart();
  }

  #awaitStart(): void {
    try {
      if (this.answer(START)) return;
    } catch {
      // It ended at once.
    }
    this[Symbol.dispose]();
    throw new Error("the reader does not start");
  }

  /** Only when the last question was answered. Throws when the reader is gone. */
  ask(question: Question): void {
    writeSync(this.#to, `${JSON.stringify(question)}\n`);
  }

  /** Undefined: not within so many milliseconds. Throws when the reader is gone. */
  answer(patience: number): Answer | undefined {
    const end = monotonicMs() + patience;
    for (;;) {
      const left = Math.max(0, Math.ceil(end - monotonicMs()));
      if (pollIn([this.#from], left) === 0) {
        if (monotonicMs() >= end) return undefined;
        continue;
      }
      const line = this.#lines.read();
      if (line === undefined) throw new Error("the reader ended");
      if (line === "") continue;
      return JSON.parse(line) as Answer;
    }
  }

  [Symbol.dispose](): void {
    close(this.#to);
    close(this.#from);
  }
}

let spare: Reader | undefined;
/** By the device of the file system whose server does not answer. */
const stuck = new Map<string, Reader>();
let notBefore = Number.NEGATIVE_INFINITY;

/** Paths through our descriptors, for a process that has others. */
export const forOthers = (path: string): string => path.replace(/^\/proc\/self\//, `/proc/${process.pid}/`);

/** The answer; undefined: none so far. */
export function askReader(question: Question, { device }: Mount): Answer | undefined {
  const waiting = stuck.get(device);
  if (!waiting && (stuck.size >= MOST_STUCK || monotonicMs() < notBefore)) return undefined;
  let reader = waiting;
  try {
    if (reader) {
      if (!reader.answer(0)) return undefined;
      stuck.delete(device);
      if (spare) reader[Symbol.dispose]();
      reader = spare ?? reader;
    }
    reader ??= spare ?? new Reader();
    spare = undefined;
    reader.ask(question);
    const answer = reader.answer(PATIENCE);
    if (answer) spare = reader;
    else stuck.set(device, reader);
    return answer;
  } catch {
    stuck.delete(device);
    reader?.[Symbol.dispose]();
    notBefore = monotonicMs() + AGAIN;
    return undefined;
  }
}
