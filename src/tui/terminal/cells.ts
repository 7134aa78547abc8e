/**
 * A screen as typed arrays, and the frames that Ink hands over (plain text with SGR sequences) parsed into it.
 *
 *   codes[y * width + x]   the code point, or an id above 0x10ffff for one with combining marks, or 0 for the right half
 *                          of a wide character
 *   styles[y * width + x]  the index of its SGR parameters in the style table; 0 is the default style
 *
 * Only printable text, SGR and CSI G (the column to go on at) count: whatever else a frame may hold is dropped, so that
 * nothing but the painter moves the cursor.
 */
import { charWidth } from "../../panes/text/width.ts";

const SPACE = 0x20;
const FIRST_CLUSTER = 0x110000;
const CLUSTER_LIMIT = 4096;

export interface Cells {
  width: number;
  height: number;
  codes: Uint32Array;
  styles: Uint16Array;
}

export function makeCells(width: number, height: number): Cells {
  const cells = {
    width,
    height,
    codes: new Uint32Array(width * height),
    styles: new Uint16Array(width * height),
  };
  return clearCells(cells);
}

export function clearCells(cells: Cells): Cells {
  cells.codes.fill(SPACE);
  cells.styles.fill(0);
  return cells;
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
      if (this.styleTexts.length > 0xffff) return 0;
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

/**
 * SGR parameters added to those in force. A reset starts over; "39", "22" and the like need no rules of their own
 * because the whole list is sent again with each change.
 */
export function addStyle(current: string, parameters: string): string {
  if (parameters === "" || parameters === "0") return "";
  if (parameters.startsWith("0;")) return parameters.slice(2);
  return current === "" ? parameters : `${current};${parameters}`;
}

/** Writes a frame into `cells` from the top left; what does not fit is cut. */
export function parseFrame(frame: string, cells: Cells, glyphs: Glyphs): void {
  const { width, height, codes, styles } = clearCells(cells);
  let x = 0;
  let y = 0;
  let parameters = "";
  let style = 0;
  const end = frame.length;
  for (let i = 0; i < end; i++) {
    let code = frame.charCodeAt(i);
    if (code === 0x0a) {
      x = 0;
      if (++y >= height) return;
      continue;
    }
    if (code === 0x1b) {
      const sequence = escapeAt(frame, i);
      i += sequence.length - 1;
      if (sequence.sgr !== undefined) {
        parameters = addStyle(parameters, sequence.sgr);
        style = glyphs.styleId(parameters);
      } else if (sequence.column !== undefined) {
        x = sequence.column;
      }
      continue;
    }
    if (code < SPACE || (code >= 0x7f && code < 0xa0)) continue;
    if (code < 0x7f) {
      if (x < width) {
        codes[y * width + x] = code;
        styles[y * width + x] = style;
      }
      x++;
      continue;
    }
    if (code >= 0xd800 && code < 0xe000) {
      code = frame.codePointAt(i)!;
      if (code < 0x10000) code = 0xfffd;
      else i++;
    }
    const cellWidth = charWidth(code);
    if (cellWidth === 0) {
      if (x > 0 && x <= width) {
        const at = y * width + x - 1;
        const base = codes[at] === 0 ? at - 1 : at;
        codes[base] = glyphs.combine(codes[base], String.fromCodePoint(code));
      }
      continue;
    }
    const at = y * width + x;
    if (x + cellWidth <= width) {
      codes[at] = code;
      styles[at] = style;
      if (cellWidth === 2) {
        codes[at + 1] = 0;
        styles[at + 1] = style;
      }
    }
    x += cellWidth;
  }
}

/** The escape sequence at `start`: its length, its parameters where it is SGR, the column (from 0) where it is CSI G. */
function escapeAt(text: string, start: number): { length: number; sgr?: string; column?: number } {
  if (text[start + 1] !== "[") return { length: 1 };
  let i = start + 2;
  while (i < text.length && text.charCodeAt(i) >= 0x20 && text.charCodeAt(i) < 0x40) i++;
  const final = text[i];
  if (final === undefined) return { length: text.length - start };
  const parameters = text.slice(start + 2, i);
  const length = i - start + 1;
  if (final === "m" && /^[\d;:]*$/.test(parameters)) return { length, sgr: parameters };
  if (final === "G" && /^[1-9]\d{0,3}$/.test(parameters)) return { length, column: Number(parameters) - 1 };
  return { length };
}
