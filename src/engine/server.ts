/**
 * The engine process: frames on standard input and output. It ends, with everything that it attached, when its input ends,
 * when nobody reads its output, and on a signal.
 */
import type { Readable, Writable } from "node:stream";
import { Containers } from "./containers/resolver.ts";
import { Engine } from "./engine.ts";
import { encodeFrame, FrameReader } from "./framing.ts";
import { liveKernel } from "./kernel/live.ts";
import type { ClientMessage } from "./protocol.ts";

/** Bytes on their way to a client that make it a slow one. */
const MOST_WAITING = 1024 * 1024;
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

export function serve(input: Readable = process.stdin, output: Writable = process.stdout): Promise<number> {
  return new Promise((resolve) => {
    const reader = new FrameReader<ClientMessage>();
    const engine = new Engine({
      kernel: liveKernel(),
      containers: new Containers(),
      send: (message) => void output.write(encodeFrame(message)),
      ready: () => output.writableLength < MOST_WAITING,
    });
    let ended = false;
    const end = (code: number) => {
      if (ended) return;
      ended = true;
      engine.close();
      resolve(code);
    };
    input.on("data", (chunk: Buffer) => {
      try {
        for (const message of reader.push(chunk)) engine.receive(message);
      } catch (error) {
        process.stderr.write(`tracedeck engine: ${(error as Error).message}\n`);
        end(1);
      }
    });
    input.on("end", () => end(0));
    input.on("close", () => end(0));
    input.on("error", () => end(0));
    output.on("error", () => end(0));
    for (const signal of SIGNALS) process.on(signal, () => end(0));
  });
}
