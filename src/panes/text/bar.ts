/** Bars, sparklines and braille dots made of characters, each with its ASCII fallback. */

const EIGHTHS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
const LEVELS = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
const ASCII_LEVELS = [".", ":", "-", "=", "+", "*", "%", "#"];

/** A bar of `fraction` (0…1) of `width` cells, without padding. Whatever is above zero shows. */
export function bar(fraction: number, width: number, unicode: boolean): string {
  if (!(fraction > 0) || width <= 0) return "";
  const cells = Math.min(fraction, 1) * width;
  if (!unicode) return "#".repeat(Math.max(1, Math.round(cells)));
  const eighths = Math.max(1, Math.round(cells * 8));
  return "█".repeat(eighths >> 3) + EIGHTHS[eighths & 7];
}

/** One character per value, scaled to the largest; the newest `width` values. */
export function sparkline(values: readonly number[], width: number, unicode: boolean): string {
  const shown = values.slice(-width);
  const top = Math.max(...shown, 0);
  const levels = unicode ? LEVELS : ASCII_LEVELS;
  return shown
    .map((value) => (value > 0 && top > 0 ? levels[Math.min(7, Math.floor((value / top) * 7.999))] : " "))
    .join("");
}

/** Dots in a grid of 2 × 4 per cell. Lines of text come out; without Unicode each cell with a dot is "*". */
export class BrailleCanvas {
  readonly width: number;
  readonly height: number;
  private readonly cells: Uint8Array;

  constructor(columns: number, rows: number) {
    this.width = columns * 2;
    this.height = rows * 4;
    this.cells = new Uint8Array(columns * rows);
  }

  set(x: number, y: number): void {
    if (x < 0 || y < 0 || x >= this.width || y >= this.height) return;
    const dot = (y & 3) === 3 ? 0x40 << (x & 1) : 1 << ((y & 3) + (x & 1 ? 3 : 0));
    this.cells[(y >> 2) * (this.width >> 1) + (x >> 1)] |= dot;
  }

  lines(unicode: boolean): string[] {
    const columns = this.width >> 1;
    const out: string[] = [];
    for (let row = 0; row * columns < this.cells.length; row++) {
      let text = "";
      for (let x = 0; x < columns; x++) {
        const dots = this.cells[row * columns + x];
        text += dots === 0 ? " " : unicode ? String.fromCharCode(0x2800 | dots) : "*";
      }
      out.push(text);
    }
    return out;
  }
}
