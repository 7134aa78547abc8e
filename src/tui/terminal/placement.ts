/** Where Ink placed the deck's blocks. Ink writes texts only, so that its frames are lists of these, one a line. */

export interface Placement {
  id: string;
  x: number;
  y: number;
}

export function placementLine({ x, y, id }: Placement): string {
  return `${x} ${y} ${id}`;
}

/** A whole frame, as Ink writes it. */
export function placements(frame: string): Placement[] {
  return Array.from(frame.matchAll(/^(\d+) (\d+) (.*)$/gm), ([, x, y, id]) => ({
    id,
    x: Number(x),
    y: Number(y),
  }));
}
