/** The screen's end of an engine: a child process, or one through sudo. */
import { type ChildProcess, spawn } from "node:child_process";
import { encodeFrame, FrameReader } from "../framing.ts";
import { type ClientMessage, type EngineMessage, PROTOCOL_VERSION } from "../protocol.ts";

export interface EngineLink {
  send(message: ClientMessage): void;
  /** Ends the engine; nothing is heard of it from then on. */
  close(): void;
}

export interface EngineEvents {
  message(message: EngineMessage): void;
  /** The engine ended by itself; what it said last on its standard error. */
  closed(error: string): void;
}

export interface SpawnOptions {
  /** What runs `tracedeck engine`; by default this program. */
  command?: string[];
  /** Through `sudo -n`: the password was asked before. */
  sudo?: boolean;
}

const LAST_WORDS = 4096;

/** The command that starts an engine of this very program. */
export function engineCommand(sudo = false): string[] {
  const own = [process.execPath, process.argv[1], "engine"];
  return sudo ? ["sudo", "-n", "--", ...own] : own;
}

/** Starts an engine and says hello. */
export function spawnEngine(events: EngineEvents, options: SpawnOptions = {}): EngineLink {
  const [command, ...args] = options.command ?? engineCommand(options.sudo);
  const child: ChildProcess = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] });
  const { stdin, stdout, stderr } = child;
  const reader = new FrameReader<EngineMessage>();
  let closed = false;
  let words = "";
  const end = (error: string) => {
    if (closed) return;
    closed = true;
    events.closed(error);
  };
  stdin?.on("error", () => {});
  stderr?.on("data", (chunk: Buffer) => {
    words = (words + chunk.toString("utf8")).slice(-LAST_WORDS);
  });
  stdout?.on("data", (chunk: Buffer) => {
    if (closed) return;
    try {
      for (const message of reader.push(chunk)) events.message(message);
    } catch (error) {
      end((error as Error).message);
      child.kill();
    }
  });
  child.on("error", (error) => end(`cannot start the engine: ${error.message}`));
  child.on("close", (code, signal) => end(words.trim() || `the engine ended (${signal ?? code})`));
  const link: EngineLink = {
    send: (message) => void stdin?.write(encodeFrame(message)),
    close: () => {
      closed = true;
      stdin?.end();
    },
  };
  link.send({ kind: "hello", version: PROTOCOL_VERSION });
  return link;
}
