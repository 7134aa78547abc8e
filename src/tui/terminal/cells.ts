/**
 * A screen as typed arrays, and lines of text drawn into it.
 *
 *   codes[y * width + x]   the code point, or an id above 0x10ffff for one with combining marks, or 0 for the right half
 *                          of a wide character
 *   styles[y * width + x]  the index of its SGR parameters in the style table; 0 is the default style
 *   touched[y]             whether the row may differ from the screen's before
 *
 * Nothing that a terminal would interpret becomes a cell, so that nothing but the painter moves the cursor.
 */
import { charWidth, isSimpleCode, type Line, sanitize } from "../../panes/text/index.ts";
import type { Theme } from "../theme.ts";

export const SPACE = 0x20;
const FIRST_CLUSTER = 0x110000;
const CLUSTER_LIMIT = 4096;

export interface Cells {
  width: number;
  height: number;
  codes: Uint32Array;
  styles: Uint16Array;
  touched: Uint8Array;
}

export function makeCells(width: number, height: number): Cells {
  return {
    width,
    height,
    codes: new Uint32Array(width * height).fill(SPACE),
    styles: new Uint16Array(width * height),
    touched: new Uint8Array(height).fill(1),
  };
}

/** SGR parameters and character clusters by number: what one terminal has seen. */
export class Glyphs {
  private readonly styleIds = new Map<string, number>([["", 0]]);
  private readonly styleTexts = [""];
  private readonly clusterIds = new Map<string, number>();
  private readonly clusterTexts: string[] = [];

  styleId(parameters: string): number {
    let id = this.styleIds.get(parameters);
    if (id === undefined) {
      id = this.styleTexts.push(parameters) - 1;
      this.styleIds.set(parameters, id);
    }
    return id;
  }

  style(id: number): string {
    return this.styleTexts[id];
  }

  /** The code of `base` followed by a combining mark. At most two marks stay; the table is bounded. */
  combine(base: number, mark: string): number {
    const text = this.text(base);
    if (base === 0 || text.length > 6 || this.clusterTexts.length >= CLUSTER_LIMIT) return base;
    const key = text + mark;
    let id = this.clusterIds.get(key);
    if (id === undefined) {
      id = FIRST_CLUSTER + this.clusterTexts.push(key) - 1;
      this.clusterIds.set(key, id);
    }
    return id;
  }

  text(code: number): string {
    return code >= FIRST_CLUSTER ? this.clusterTexts[code - FIRST_CLUSTER] : String.fromCodePoint(code);
  }
}

/** Draws a line into the cells [x, end) of row `y`: what is longer is cut, what is left is blank. */
export function drawLine(
  line: Line,
  cells: Cells,
  { x, y, end }: { x: number; y: number; end: number },
  theme: Theme,
  glyphs: Glyphs,
): void {
  const { codes, styles } = cells;
  const row = y * cells.width;
  const limit = row + Math.min(end, cells.width);
  let at = row + x;
  for (const { text, role = "text" } of line) {
    const style = glyphs.styleId(theme[role]);
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (!isSimpleCode(code)) {
        at = drawOther(sanitize(text.slice(i)), cells, { at, first: row, limit }, style, glyphs);
        break;
      }
      if (at < limit) {
        codes[at] = code;
        styles[at] = style;
      }
      at++;
    }
  }
  for (; at < limit; at++) {
    codes[at] = SPACE;
    styles[at] = 0;
  }
}

/** Text with wide characters, marks and the like; returns where the next cell is. */
function drawOther(
  text: string,
  { codes, styles }: Cells,
  { at, first, limit }: { at: number; first: number; limit: number },
  style: number,
  glyphs: Glyphs,
): number {
  for (const char of text) {
    const code = char.codePointAt(0)!;
    const width = charWidth(code);
    if (width === 0) {
      // A mark goes to the character before it, whose right half may lie between.
      const last = at - 1;
      if (last >= first && last < limit) {
        const base = codes[last] === 0 ? last - 1 : last;
        codes[base] = glyphs.combine(codes[base], char);
      }
      continue;
    }
    if (at < limit) {
      const fits = at + width <= limit;
      codes[at] = fits ? code : SPACE;
      styles[at] = style;
      if (fits && width === 2) {
        codes[at + 1] = 0;
        styles[at + 1] = style;
      }
    }
    at += width;
  }
  return at;
}
