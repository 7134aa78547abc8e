/**
 * What Ink takes for its stdout. With `debug: true` Ink writes whole frames and nothing else worth keeping; they go to
 * the painter.
 */
import { EventEmitter } from "node:events";
import type { Painter } from "./painter.ts";

export class InkStdout extends EventEmitter {
  readonly isTTY = true;
  private readonly painter: Painter;
  private readonly size: { columns: number; rows: number };

  constructor(painter: Painter, size: { columns: number; rows: number }) {
    super();
    this.painter = painter;
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
    if (data !== "" && !data.startsWith("\x1b[?25")) this.painter.present(data);
    done?.();
    return true;
  }
}
