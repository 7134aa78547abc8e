/** How the deck's blocks go through Ink, which takes texts only: as references, one a line of a frame. */

export interface Reference {
  id: string;
  x: number;
  y: number;
}

/** The text of a block's node. The serial is there to make it another text when the block changed. */
export function reference(id: string, serial: number): string {
  return `${serial} ${id}`;
}

/** A node's text and where Ink placed it, as a line of a frame. */
export function placed(x: number, y: number, text: string): string {
  return `${x} ${y} ${text}`;
}

/** A whole frame, as Ink writes it. */
export function references(frame: string): Reference[] {
  return Array.from(frame.matchAll(/^(\d+) (\d+) \d+ (.*)$/gm), ([, x, y, id]) => ({
    id,
    x: Number(x),
    y: Number(y),
  }));
}
