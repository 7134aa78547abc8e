/**
 * What Ink takes for its stdout. With `debug: true` Ink writes whole frames and nothing else worth keeping; what they
 * refer to goes to the painter.
 */
import { EventEmitter } from "node:events";
import { type Reference, references } from "./references.ts";

export class InkStdout extends EventEmitter {
  readonly isTTY = true;
  private readonly present: (frame: Reference[]) => void;
  private readonly size: { columns: number; rows: number };

  constructor(present: (frame: Reference[]) => void, size: { columns: number; rows: number }) {
    super();
    this.present = present;
    this.size = size;
  }

  get columns(): number {
    return this.size.columns;
  }

  get rows(): number {
    return this.size.rows;
  }

  write(data: string, done?: () => void): boolean {
    // The rest is about the cursor, which is the painter's.
    if (data !== "" && !data.startsWith("\x1b[?25")) this.present(references(data));
    done?.();
    return true;
  }
}
