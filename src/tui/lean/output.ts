/**
 * Takes the place of ink/build/output.js in the bundle. Ink's own splits every line into styled characters for every
 * frame, 30 ms for a full screen; the deck's texts are finished lines, so they are only put side by side here, each
 * behind the column that it starts at (CSI G), and cells are the painter's business.
 */

type Transform = (text: string, line: number) => string;

export default class Output {
  private readonly height: number;
  private readonly rows: string[];

  constructor({ height }: { width: number; height: number }) {
    this.height = height;
    this.rows = new Array<string>(height).fill("");
  }

  write(x: number, y: number, text: string, { transformers }: { transformers: Transform[] }): void {
    text.split("\n").forEach((line, index) => {
      const row = y + index;
      if (row < 0 || row >= this.height) return;
      let shown = line;
      for (const transform of transformers) shown = transform(shown, index);
      this.rows[row] += x === 0 && this.rows[row] === "" ? shown : `\x1b[${x + 1}G${shown}`;
    });
  }

  /** The deck cuts its lines itself. */
  clip(): void {}
  unclip(): void {}

  get(): { output: string; height: number } {
    return { output: this.rows.join("\n"), height: this.height };
  }
}
