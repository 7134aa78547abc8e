/**
 * A braille line, drawn by blessed-contrib's line widget off screen. The widget keeps margins for its labels and axes; ours
 * are drawn as text, so its canvas is made that much larger and what falls outside the plot is dropped:
 *
 *     x: value k is at PADDING + 2 + k when the canvas is PADDING + n dots wide (n values)
 *     y: 0 is at height − 13, `maxY` at −2, for a canvas of that height
 */
import Canvas from "blessed-contrib/lib/widget/canvas.js";
import Line from "blessed-contrib/lib/widget/charts/line.js";
import { BrailleCanvas } from "../text/index.ts";

/** The widget's default `xPadding`; its labels must be shorter than half of it. */
const PADDING = 10;

/** The widget's drawing surface: takes dots, ignores text. */
class Dots {
  readonly braille: BrailleCanvas;
  private readonly shift: number;

  constructor(columns: number, rows: number, shift: number) {
    this.braille = new BrailleCanvas(columns, rows);
    this.shift = shift;
  }

  readonly set = (x: number, y: number): void => {
    if (x >= PADDING + 2) this.braille.set(x + this.shift, y);
  };
  writeText(): void {}
}

/**
 * Values from 0 to 1, one per column of dots, `from` dots to the right of the left edge: lines of `columns` characters.
 */
export function drawLine(
  values: readonly number[],
  from: number,
  columns: number,
  rows: number,
  unicode: boolean,
): string[] {
  const height = rows * 4;
  const dots = new Dots(columns, rows, from - PADDING - 2);
  if (values.length > 0) {
    // A single value makes no line: it is drawn to the next dot.
    const y = values.length === 1 ? [values[0], values[0]] : [...values];
    const canvas = new Canvas({}, function surface() {
      return dots;
    });
    canvas.width = PADDING + y.length;
    canvas.height = height + 12;
    const size = { width: canvas.width, height: canvas.height };
    canvas.calcSize = () => {
      canvas.canvasSize = size;
    };
    canvas.emit("attach");
    canvas.ctx.clearRect = () => {};
    const line = new Line({ maxY: (height + 1) / (height - 1) });
    line.ctx = canvas.ctx;
    line.canvasSize = size;
    line.setData([{ x: y.map(() => ""), y }]);
  }
  return dots.braille.lines(unicode);
}
