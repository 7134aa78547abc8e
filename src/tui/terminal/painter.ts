/**
 * The one writer to the terminal while the deck is open. Takes whole frames, sends what changed in one synchronized
 * write (mode 2026), and never queues: while the terminal is behind, only the newest frame waits.
 */
import { type Cells, Glyphs, makeCells } from "./cells.ts";
import { diffCells } from "./diff.ts";
import { drawFrame, type Frame, type Shown } from "./frame.ts";

export interface Cursor {
  x: number;
  y: number;
}

/** What the painter needs of a terminal: a subset of `tty.WriteStream`. */
export interface Output {
  columns: number;
  rows: number;
  write(data: string): boolean;
  once(event: "drain", listener: () => void): unknown;
}

const SYNC_BEGIN = "\x1b[?2026h";
const SYNC_END = "\x1b[?2026l";
const HIDE_CURSOR = "\x1b[?25l";
const SHOW_CURSOR = "\x1b[?25h";

export class Painter {
  /** Since the start; for the deck's own cost line and for tests. */
  readonly stats = { frames: 0, writes: 0, bytes: 0, held: 0 };

  private readonly output: Output;
  private readonly glyphs = new Glyphs();
  private shown: Shown | undefined;
  private spare: Cells | undefined;
  private frame: Frame | undefined;
  private cursor: Cursor | undefined;
  /** What the terminal's own cursor does now; undefined place: hidden. */
  private placed: Cursor | undefined;
  private hidden = true;
  private waiting = false;
  private closed = false;

  constructor(output: Output) {
    this.output = output;
  }

  /** Shows a frame. The cursor stands where the last `setCursor` said. */
  present(frame: Frame): void {
    this.frame = frame;
    this.stats.frames++;
    this.flush();
  }

  /** Takes effect with the next frame. */
  setCursor(cursor: Cursor | undefined): void {
    this.cursor = cursor;
  }

  /** Forgets what the terminal shows (after a resize, a suspend, or a stray write) and sends everything. */
  redraw(): void {
    this.shown = undefined;
    this.placed = undefined;
    this.hidden = false;
    this.flush();
  }

  /** Nothing is sent from now on. */
  close(): void {
    this.closed = true;
  }

  private flush(): void {
    if (this.closed) return;
    if (this.waiting) {
      this.stats.held++;
      return;
    }
    const { columns, rows } = this.output;
    if (!(columns > 0 && rows > 0) || !this.frame) return;
    const fits = (cells?: Cells) => cells?.width === columns && cells.height === rows;
    const before = fits(this.shown?.cells) ? this.shown : undefined;
    const cells = this.spare && fits(this.spare) ? this.spare : makeCells(columns, rows);
    drawFrame(this.frame, cells, this.glyphs, before);
    const changes = diffCells(before?.cells, cells, this.glyphs);
    this.spare = this.shown?.cells;
    this.shown = { frame: this.frame, cells };

    const cursor = this.cursor;
    const moved =
      changes !== "" || cursor === undefined || cursor.x !== this.placed?.x || cursor.y !== this.placed?.y;
    let data = changes;
    if (cursor && moved) data += `\x1b[${cursor.y + 1};${cursor.x + 1}H`;
    if (changes !== "" && !this.hidden) {
      data = HIDE_CURSOR + data;
      this.hidden = true;
    }
    if (cursor && this.hidden) data += SHOW_CURSOR;
    else if (!cursor && !this.hidden) data += HIDE_CURSOR;
    this.hidden = cursor === undefined;
    this.placed = cursor;
    if (data === "") return;
    if (changes !== "") data = SYNC_BEGIN + data + SYNC_END;
    this.stats.writes++;
    this.stats.bytes += Buffer.byteLength(data);
    if (!this.output.write(data)) {
      this.waiting = true;
      const sent = this.stats.frames;
      this.output.once("drain", () => {
        this.waiting = false;
        if (this.stats.frames !== sent || this.shown === undefined) this.flush();
      });
    }
  }
}
