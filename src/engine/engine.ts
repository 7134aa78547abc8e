/**
 * The engine behind the protocol: sessions side by side, each compiled, run, polled and told about. It knows messages, not
 * how they travel: `server.ts` puts them on a stream.
 */
import { hostname } from "node:os";
import { onlineCpus } from "libbpf-ts";
import { compile } from "./compile/compile.ts";
import type { CompileResult } from "./compile/index.ts";
import type { Kernel } from "./compile/kernel.ts";
import type { Containers } from "./containers/resolver.ts";
import { placeDiagnostics } from "./diagnostics.ts";
import { EngineSession } from "./engineSession.ts";
import { listProbes } from "./list/index.ts";
import { obstacles } from "./obstacles.ts";
import { scriptShape } from "./poll/shape.ts";
import { type ClientMessage, type EngineMessage, PROTOCOL_VERSION, type StartOptions } from "./protocol.ts";
import { userName } from "./userName.ts";

export interface EngineHost {
  kernel: Kernel;
  /** Tells whose a process or cgroup is. */
  containers: Containers;
  send(message: EngineMessage): void;
  /** False: the client is slow, and what can be left out should be. */
  ready(): boolean;
}

type Handlers = {
  [K in ClientMessage["kind"]]: (message: Extract<ClientMessage, { kind: K }>) => void;
};

const FIRST_INTERVAL = 1000;
const SHORTEST_INTERVAL = 50;

/** Never throws: a fault of the compiler is a diagnostic as well, so that whoever waits for an answer gets one. */
export function compileFor(kernel: Kernel, source: string, options: StartOptions = {}): CompileResult {
  try {
    return compile(source, kernel, {
      fileName: options.fileName,
      positional: options.positional,
      named: options.named,
      unsafe: options.unsafe,
      pid: options.pid,
      command: options.command,
      guarded: options.maxOverhead !== undefined,
      environment: process.env,
    });
  } catch (error) {
    const { message } = error as Error;
    return {
      diagnostics: [
        {
          severity: "error",
          code: "internal",
          span: { start: 0, end: source.length },
          message: `tracedeck failed to compile this: ${message}`,
          hint: "please report it with the script",
        },
      ],
      files: [{ name: options.fileName ?? "script", text: source }],
      stages: {},
    };
  }
}

export class Engine {
  #host: EngineHost;
  #sessions = new Map<number, EngineSession>();
  #interval = FIRST_INTERVAL;

  constructor(host: EngineHost) {
    this.#host = host;
  }

  /** Ignores what it does not know. A message that can't be served is answered by an error, never by silence. */
  receive(message: ClientMessage): void {
    const handle = this.#handlers[message.kind] as ((message: ClientMessage) => void) | undefined;
    try {
      handle?.(message);
    } catch (error) {
      this.#host.send({ kind: "engine-error", message: (error as Error).message });
    }
  }

  /** Ends every session without a word. */
  close(): void {
    for (const session of this.#sessions.values()) session.close();
    this.#sessions.clear();
  }

  #handlers: Handlers = {
    hello: () => {
      const { kernel } = this.#host;
      this.#host.send({
        kind: "hello",
        version: PROTOCOL_VERSION,
        host: hostname(),
        kernel: kernel.release,
        arch: kernel.arch,
        cpus: onlineCpus().length,
        user: userName(),
        obstacles: obstacles(),
      });
    },
    start: ({ session: id, source, options }) => {
      this.#sessions.get(id)?.close();
      const session = new EngineSession(id, this.#host, this.#interval);
      this.#sessions.set(id, session);
      session.start(source, options);
    },
    stop: ({ session }) => this.#sessions.get(session)?.stop(),
    interval: ({ milliseconds }) => {
      this.#interval = Math.max(SHORTEST_INTERVAL, milliseconds);
      for (const session of this.#sessions.values()) session.setInterval(this.#interval);
    },
    guard: ({ maxOverhead }) => {
      for (const session of this.#sessions.values()) session.setMaxOverhead(maxOverhead);
    },
    view: ({ session, map, ...view }) => this.#sessions.get(session)?.setView(map, view),
    check: ({ id, source, options }) => {
      const result = compileFor(this.#host.kernel, source, options);
      this.#host.send({
        kind: "checked",
        id,
        diagnostics: placeDiagnostics(result.diagnostics, result.files),
        shape: result.plan && scriptShape(result.plan, source),
      });
    },
    list: ({ id, pattern, limit }) => {
      const probes: string[] = [];
      let total = 0;
      for (const probe of listProbes(this.#host.kernel, pattern)) {
        if (++total <= limit) probes.push(probe.join(":"));
      }
      this.#host.send({ kind: "listed", id, probes, total });
    },
  };
}
