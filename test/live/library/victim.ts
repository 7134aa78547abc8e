/** The test's end of victim.mjs. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

export class Victim {
  readonly #child: ChildProcessWithoutNullStreams;

  constructor() {
    const file = join(import.meta.dirname, "victim.mjs");
    this.#child = spawn(process.execPath, [file], { stdio: ["pipe", "pipe", "inherit"] }) as never;
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
