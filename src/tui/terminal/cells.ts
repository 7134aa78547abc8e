/**
 * A screen as typed arrays, and the frames that Ink hands over (plain text with SGR sequences) parsed into it.
 *
 *   codes[y * width + x]   the code point, or an id above 0x10ffff for one with combining marks, or 0 for the right half
 *                          of a wide character
 *   styles[y * width + x]  the index of its SGR parameters in the style table; 0 is the default style
 *
 * Each line starts in the default style. Only printable text, SGR and CSI G (the column to go on at) count: whatever else a frame may hold is dropped, so that
 * nothing but the painter moves the cursor.
 */
import { charWidth } from "../../panes/text/width.ts";

const SPACE = 0x20;
const LETTER_G = 0x47;
const LETTER_M = 0x6d;
const SGR = /^[\d;:]*$/;
const COLUMN = /^[1-9]\d{0,3}$/;
const FIRST_CLUSTER = 0x110000;
const CLUSTER_LIMIT = 4096;

export interface Cells {
  width: number;
  height: number;
  codes: Uint32Array;
  styles: Uint16Array;
  /** What each row was parsed from: the same text makes the same cells. */
  lines: string[];
}

export function makeCells(width: number, height: number): Cells {
  return {
    width,
    height,
    codes: new Uint32Array(width * height).fill(SPACE),
    styles: new Uint16Array(width * height),
    lines: new Array<string>(height).fill(""),
  };
}

/** SGR parameters and character clusters by number: what one terminal has seen. */
export class Glyphs {
  private readonly styleIds = new Map<string, number>([["", 0]]);
  private readonly styleTexts = [""];
  private readonly clusterIds = new Map<string, number>();
  private readonly clusterTexts: string[] = [];

  /** The default style for what are no SGR parameters. */
  styleId(parameters: string): number {
    let id = this.styleIds.get(parameters);
    if (id === undefined) {
      if (this.styleTexts.length > 0xffff || !SGR.test(parameters)) return 0;
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

/**
 * Writes a frame into `cells` from the top left; what does not fit is cut. Rows that are as in `like`, of the same size, are
 * copied, and rows that `cells` holds already stay.
 */
export function parseFrame(frame: string, cells: Cells, glyphs: Glyphs, like?: Cells): void {
  const { width, height, codes, styles } = cells;
  const lines = frame.split("\n", height);
  for (let y = 0; y < height; y++) {
    const text = lines[y] ?? "";
    if (text === cells.lines[y]) continue;
    cells.lines[y] = text;
    const row = y * width;
    if (text === like?.lines[y]) {
      codes.set(like.codes.subarray(row, row + width), row);
      styles.set(like.styles.subarray(row, row + width), row);
    } else parseLine(text, cells, row, glyphs);
  }
}

/** One line into the cells from `row` on. */
function parseLine(line: string, { width, codes, styles }: Cells, row: number, glyphs: Glyphs): void {
  codes.fill(SPACE, row, row + width);
  styles.fill(0, row, row + width);
  let x = 0;
  let parameters = "";
  let style = 0;
  const end = line.length;
  for (let i = 0; i < end; i++) {
    let code = line.charCodeAt(i);
    if (code === 0x1b) {
      const last = sequenceEnd(line, i);
      const final = line.charCodeAt(last);
      const given = line.slice(i + 2, last);
      i = last;
      if (final === LETTER_M) {
        parameters = addStyle(parameters, given);
        style = glyphs.styleId(parameters);
      } else if (final === LETTER_G && COLUMN.test(given)) {
        x = Number(given) - 1;
      }
      continue;
    }
    if (code < 0x7f) {
      if (code < SPACE) continue;
      if (x < width) {
        codes[row + x] = code;
        styles[row + x] = style;
      }
      x++;
      continue;
    }
    if (code < 0xa0) continue;
    if (code >= 0xd800 && code < 0xe000) {
      code = line.codePointAt(i)!;
      if (code < 0x10000) code = 0xfffd;
      else i++;
    }
    const cellWidth = charWidth(code);
    if (cellWidth === 0) {
      if (x > 0 && x <= width) {
        const at = row + x - 1;
        const base = codes[at] === 0 ? at - 1 : at;
        codes[base] = glyphs.combine(codes[base], String.fromCodePoint(code));
      }
      continue;
    }
    const at = row + x;
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

/** The index of the last character of the escape sequence at `start`: CSI with parameters, or ESC alone. */
function sequenceEnd(text: string, start: number): number {
  if (text[start + 1] !== "[") return start;
  let i = start + 2;
  for (; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x20 || code >= 0x40) break;
  }
  return i;
}
