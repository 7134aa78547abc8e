/**
 * Takes the place of ink/build/output.js in the bundle. Ink's own splits every line into styled characters for every
 * frame, 30 ms for a full screen; the deck's texts are finished lines that never overlap, so they are only put side by
 * side here, and cells are the painter's business.
 */
import { ansiWidth } from "./measure.ts";

type Transform = (text: string, line: number) => string;

interface Segment {
  x: number;
  text: string;
}

export default class Output {
  private readonly height: number;
  private readonly rows: Segment[][] = [];

  constructor({ height }: { width: number; height: number }) {
    this.height = height;
  }

  write(x: number, y: number, text: string, { transformers }: { transformers: Transform[] }): void {
    text.split("\n").forEach((line, index) => {
      const row = y + index;
      if (row < 0 || row >= this.height) return;
      let shown = line;
      for (const transform of transformers) shown = transform(shown, index);
      this.rows[row] ??= [];
      this.rows[row].push({ x, text: shown });
    });
  }

  /** The deck cuts its lines itself. */
  clip(): void {}
  unclip(): void {}

  get(): { output: string; height: number } {
    const lines: string[] = [];
    for (let y = 0; y < this.height; y++) {
      const segments = this.rows[y] ?? [];
      if (segments.length > 1) segments.sort((a, b) => a.x - b.x);
      let line = "";
      let end = 0;
      segments.forEach(({ x, text }, index) => {
        if (x > end) line += " ".repeat(x - end);
        line += text;
        // The width of a row's last segment is of no interest.
        if (index < segments.length - 1) end = Math.max(end, x) + ansiWidth(text);
      });
      lines.push(line);
    }
    return { output: lines.join("\n"), height: this.height };
  }
}
