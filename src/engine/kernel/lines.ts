/** Lines that come through a pipe, one at a time: what each is sent for is the answer to the one before. */
import { readSync } from "node:fs";

const NEWLINE = 10;

export class Lines {
  readonly #fd: number;
  readonly #piece = Buffer.allocUnsafe(1 << 16);
  #bytes = Buffer.alloc(0);

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** Reads once; the line if it is whole now, "" if it is not. Undefined at the end. */
  read(): string | undefined {
    const length = readSync(this.#fd, this.#piece);
    if (length === 0) return undefined;
    this.#bytes = Buffer.concat([this.#bytes, this.#piece.subarray(0, length)]);
    if (this.#bytes.at(-1) !== NEWLINE) return "";
    const line = this.#bytes.toString("utf8");
    this.#bytes = Buffer.alloc(0);
    return line;
  }
}
