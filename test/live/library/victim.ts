/** The test's end of victim.mjs. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";

export class Victim {
  readonly #child: ChildProcessWithoutNullStreams;

  constructor() {
    const file = join(import.meta.dirname, "victim.mjs");
    this.#child = spawn(process.execPath, [file], { stdio: ["pipe", "pipe", "inherit"] }) as never;
  }

  /** Of 127.0.0.1, where nobody listens. */
  port = 0;

  /** Resolves once it can be told. */
  async open(): Promise<void> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    this.port = (server.address() as AddressInfo).port;
    server.close();
    await this.does("");
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** Runs a body in the victim: `fs`, `net`, `dgram` and `childProcess` are at hand, and it may await. */
  async does(body: string): Promise<void> {
    this.#child.stdin.write(`${JSON.stringify(body)}\n`);
    await once(this.#child.stdout, "data");
  }

  [Symbol.dispose](): void {
    this.#child.kill("SIGKILL");
  }
}
