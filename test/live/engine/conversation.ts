/** An engine process, talked to over the protocol. */
import { type EngineLink, spawnEngine } from "../../../src/engine/client/client.ts";
import type { ClientMessage, EngineMessage, Snapshot } from "../../../src/engine/protocol.ts";
import { nodeProgram } from "../../support/programs.ts";
import { slowness } from "../../support/slowness.ts";

export const built = nodeProgram("test/live/engine/serve.ts");

type Kind = EngineMessage["kind"];
export type Of<K extends Kind> = Extract<EngineMessage, { kind: K }>;

/** An engine process, what it said, and a way to wait for what it will say. */
export class Conversation implements Disposable {
  readonly messages: EngineMessage[] = [];
  closed: string | undefined;
  #link: EngineLink;
  #wake = () => {};

  /** `under`: a command that runs the engine. */
  constructor(under: readonly string[] = []) {
    this.#link = spawnEngine(
      {
        message: (message) => {
          this.messages.push(message);
          this.#wake();
        },
        closed: (error) => {
          this.closed = error;
          this.#wake();
        },
      },
      { command: [...under, process.execPath, built.path] },
    );
  }
  send(message: ClientMessage): void {
    this.#link.send(message);
  }
  start(session: number, source: string, options = {}): void {
    this.send({ kind: "start", session, source, options });
  }
  /** The first message of the kind, from now or before, that the test accepts. */
  async next<K extends Kind>(
    kind: K,
    accept: (message: Of<K>) => boolean = () => true,
    milliseconds = 20_000 * slowness,
  ): Promise<Of<K>> {
    const deadline = performance.now() + milliseconds;
    for (;;) {
      const found = this.messages.find((message) => message.kind === kind && accept(message as Of<K>));
      if (found) return found as Of<K>;
      const left = deadline - performance.now();
      if (left <= 0 || this.closed !== undefined) {
        throw new Error(
          `no ${kind} came (${this.closed ?? "time"}): ${JSON.stringify(this.messages).slice(-2000)}`,
        );
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
  async state(session: number, state: Of<"state">["state"]): Promise<Of<"state">> {
    return this.next("state", (message) => message.session === session && message.state === state);
  }
  async snapshot(session: number, accept: (snapshot: Snapshot) => boolean): Promise<Snapshot> {
    const message = await this.next("snapshot", (m) => m.session === session && accept(m.snapshot));
    return message.snapshot;
  }
  [Symbol.dispose](): void {
    this.#link.close();
  }
}
