/**
 * Takes the place of ink/build/output.js in the bundle. Ink's own splits every line into styled characters for every
 * frame, 30 ms for a full screen; the deck's texts are names of blocks, so a frame is the list of these with their places,
 * and what they show is the painter's business.
 */
import { placementLine } from "../terminal/placement.ts";

export default class Output {
  private readonly height: number;
  private readonly blocks: string[] = [];

  constructor({ height }: { width: number; height: number }) {
    this.height = height;
  }

  /** Ink's transformers are left out: they would style texts that are styled already. */
  write(x: number, y: number, id: string): void {
    this.blocks.push(placementLine({ id, x, y }));
  }

  /** The painter cuts what does not fit. */
  clip(): void {}
  unclip(): void {}

  get(): { output: string; height: number } {
    return { output: this.blocks.join("\n"), height: this.height };
  }
}
