/**
 * Takes the place of ink/build/output.js in the bundle. Ink's own splits every line into styled characters for every
 * frame, 30 ms for a full screen; the deck's texts are finished lines, so they are only put side by side here, each
 * behind the column that it starts at (CSI G), and cells are the painter's business.
 */

export default class Output {
  private readonly height: number;
  private readonly rows: string[];

  constructor({ height }: { width: number; height: number }) {
    this.height = height;
    this.rows = new Array<string>(height).fill("");
  }

  /** Ink's transformers are left out: they would style texts that are styled already. */
  write(x: number, y: number, text: string): void {
    text.split("\n").forEach((line, index) => {
      const row = y + index;
      if (row < 0 || row >= this.height) return;
      this.rows[row] += x === 0 && this.rows[row] === "" ? line : `\x1b[${x + 1}G${line}`;
    });
  }

  /** The deck cuts its lines itself. */
  clip(): void {}
  unclip(): void {}

  get(): { output: string; height: number } {
    return { output: this.rows.join("\n"), height: this.height };
  }
}
