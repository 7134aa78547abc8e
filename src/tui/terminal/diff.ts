/**
 * From one screen to the next in as few bytes as is simple: only changed cells are sent, unchanged gaps are jumped or
 * rewritten, whichever is shorter, and blank ends of rows are erased.
 */
import { type Cells, type Glyphs, SPACE } from "./cells.ts";

/** Longest run of unchanged cells that is cheaper to send again than to jump over. */
const REWRITE = 4;

/**
 * Characters that every terminal gives exactly one cell. After any other the cursor's place is set anew, so that
 * a terminal that counts an emoji otherwise is off by that one cell and no more.
 */
function isCertain(code: number): boolean {
  return (
    (code >= SPACE && code < 0x7f) ||
    (code >= 0xa1 && code < 0x250 && code !== 0xad) ||
    (code >= 0x2500 && code < 0x25a0) ||
    (code >= 0x2800 && code < 0x2900) ||
    code === 0x2026
  );
}

/**
 * What to send to make a screen that shows `before` show `after` (of the same size), of which only touched rows are
 * looked at. `before` undefined: the screen is cleared first. Ends in the default style; empty when nothing changed.
 */
export function diffCells(before: Cells | undefined, after: Cells, glyphs: Glyphs): string {
  const { width, height, codes, styles } = after;
  const oldCodes = before?.codes;
  const oldStyles = before?.styles;
  let out = before ? "" : "\x1b[m\x1b[H\x1b[2J";
  let style = 0;
  /** Where the terminal's cursor is; −1: not known. */
  let cursorX = -1;
  let cursorY = -1;

  const setStyle = (next: number) => {
    if (next === style) return;
    out += next === 0 ? "\x1b[m" : `\x1b[0;${glyphs.style(next)}m`;
    style = next;
  };
  const same = (at: number) =>
    oldCodes === undefined
      ? codes[at] === SPACE && styles[at] === 0
      : codes[at] === oldCodes[at] && styles[at] === oldStyles![at];

  for (let y = 0; y < height; y++) {
    if (before && after.touched[y] === 0) continue;
    const row = y * width;
    let first = 0;
    while (first < width && same(row + first)) first++;
    if (first === width) continue;
    let last = width - 1;
    while (same(row + last)) last--;
    // From `blank` on the new row is empty.
    let blank = width;
    while (blank > first && codes[row + blank - 1] === SPACE && styles[row + blank - 1] === 0) blank--;
    const erase = last - blank > 3;
    const end = erase ? blank : last + 1;

    let x = first;
    while (x < end) {
      if (same(row + x)) {
        let gap = x;
        while (gap < end && same(row + gap)) gap++;
        const cheap =
          gap < end &&
          gap - x <= REWRITE &&
          cursorY === y &&
          cursorX === x &&
          uniform(after, row + x, row + gap, style);
        if (!cheap) {
          x = gap;
          continue;
        }
      }
      // Never start in the right half of a wide character.
      if (codes[row + x] === 0 && x > 0 && !(cursorY === y && cursorX === x)) x--;
      if (cursorY !== y || cursorX !== x) {
        out += move(cursorX, cursorY, x, y);
        cursorX = x;
        cursorY = y;
      }
      const code = codes[row + x];
      setStyle(styles[row + x]);
      if (code === 0) {
        out += " ";
        cursorX++;
        x++;
        continue;
      }
      out += glyphs.text(code);
      const cells = x + 1 < width && codes[row + x + 1] === 0 ? 2 : 1;
      x += cells;
      cursorX = isCertain(code) && x < width ? cursorX + cells : -1;
    }
    if (erase) {
      if (cursorY !== y || cursorX !== blank) {
        out += move(cursorX, cursorY, blank, y);
        cursorX = blank;
        cursorY = y;
      }
      setStyle(0);
      out += "\x1b[K";
    }
  }
  setStyle(0);
  return out;
}

/** True where all cells are plain one-cell characters of this style: sending them again costs a byte or so each. */
function uniform({ codes, styles }: Cells, from: number, to: number, style: number): boolean {
  for (let at = from; at < to; at++) {
    if (styles[at] !== style || codes[at] === 0 || codes[at] >= 0x7f) return false;
  }
  return true;
}

function move(fromX: number, fromY: number, x: number, y: number): string {
  if (fromY === y && fromX >= 0 && x > fromX) return x - fromX === 1 ? "\x1b[C" : `\x1b[${x - fromX}C`;
  if (fromX >= 0 && fromY >= 0 && y === fromY + 1 && x === 0) return "\r\n";
  return x === 0 ? `\x1b[${y + 1}H` : `\x1b[${y + 1};${x + 1}H`;
}
