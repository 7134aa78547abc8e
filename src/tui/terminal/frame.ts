/** Frames: blocks of lines at their places, drawn into cells. Only blocks that changed since the frame before are. */
import { EMPTY_LINE, type Line } from "../../panes/text/index.ts";
import { type Rect, samePlaces } from "../layout.ts";
import type { Theme } from "../theme.ts";
import { type Cells, drawLine, type Glyphs, SPACE } from "./cells.ts";

export interface PlacedBlock extends Rect {
  id: string;
  lines: readonly Line[];
}

/** Later blocks stand over earlier ones. */
export interface Frame {
  blocks: readonly PlacedBlock[];
  theme: Theme;
}

/** What a terminal shows. */
export interface Shown {
  frame: Frame;
  cells: Cells;
}

/** Makes `cells` show the frame; `before`, of the same size, tells what need not be drawn. */
export function drawFrame(frame: Frame, cells: Cells, glyphs: Glyphs, before: Shown | undefined): void {
  const { blocks, theme } = frame;
  const known =
    before !== undefined && before.frame.theme === theme && samePlaces(blocks, before.frame.blocks)
      ? before
      : undefined;
  cells.touched.fill(known ? 0 : 1);
  if (known) {
    cells.codes.set(known.cells.codes);
    cells.styles.set(known.cells.styles);
  } else {
    cells.codes.fill(SPACE);
    cells.styles.fill(0);
  }
  const drawn: Rect[] = [];
  blocks.forEach((block, i) => {
    const same = block.lines === known?.frame.blocks[i].lines;
    if (same && !drawn.some((other) => overlap(block, other))) return;
    drawn.push(block);
    drawBlock(block, cells, theme, glyphs);
  });
}

const overlap = (a: Rect, b: Rect): boolean =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

function drawBlock({ x, y, width, height, lines }: PlacedBlock, cells: Cells, theme: Theme, glyphs: Glyphs) {
  const end = x + width;
  for (let i = 0; i < height && y + i < cells.height; i++) {
    cells.touched[y + i] = 1;
    blankHalves(cells, (y + i) * cells.width, x, end);
    drawLine(lines[i] ?? EMPTY_LINE, cells, { x, y: y + i, end }, theme, glyphs);
  }
}

/** Of a wide character at the edge of what is drawn over [x, end), no half stays. */
function blankHalves({ width, codes }: Cells, row: number, x: number, end: number): void {
  if (x > 0 && codes[row + x] === 0) codes[row + x - 1] = SPACE;
  if (end < width && codes[row + end] === 0) codes[row + end] = SPACE;
}
