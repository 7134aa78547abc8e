/**
 * What Ink takes for its stdout. With `debug: true` Ink writes whole frames, of the places of blocks, and nothing else
 * worth keeping.
 */
import { EventEmitter } from "node:events";
import { type Placement, placements } from "./placement.ts";

export class InkStdout extends EventEmitter {
  readonly isTTY = true;
  private readonly placed: (blocks: Placement[]) => void;
  private readonly size: { columns: number; rows: number };

  constructor(placed: (blocks: Placement[]) => void, size: { columns: number; rows: number }) {
    super();
    this.placed = placed;
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
    if (data !== "" && !data.startsWith("\x1b[?25")) this.placed(placements(data));
    done?.();
    return true;
  }
}
