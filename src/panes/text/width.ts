/**
 * How many cells a text takes. Terminals count code points, not graphemes, so this does too: East Asian Wide and
 * Fullwidth take two cells, combining marks and format characters none (Unicode 16).
 */

/** Wide ranges, each "gap-length" in base 36: the gap since the end of the range before, and how much longer than 1. */
const WIDE = ranges(
  "3cw-2n 3i3-1 e-1 5b-3 4 3 ei-1 m-1 r-7 h-b 18 b-5 4 e 9-1 i-1 6-1 9 6 m 8-1 2 5 3 8 5-1 t 10 2 5-2 2 " +
    "1q-2 p f nw-1 1g 5 mj-p 2-2g d-5x r-26 3-2d 3-2u 6-16 2-2l 2-2d a-1b 2-13 9-mkc 4-1i wq-s hw-8mb " +
    "6l9-e7 lt-9 n-y 2-i 2-3 46-2n 3k-6 m4a-4 c-6 a-5p6 11-x 2o-36 e-pd f-1e 5y6-3 2-6 2-1 2-88 a u-2 3 " +
    "f-4 8-az 6bp-2e a-m 5n2 5n 5b 3-9 k 2a-2 e-17 5-8 8-1 f-5 4b-w d-8 2-1x 2-l d-16 5-4 d-g 4 4-1y 2 " +
    "2-56 3-1q e-3 2-n j r-1 e 2f-2c 1d-1x 7 4-2 3-4 3-3 c-1 8-8 66 6-b 5 7w-1a 2-9 2-54 35-c 4-1y 2 4-h " +
    "2-c 4-b zq-1ekd 3-1ekd",
);

function ranges(coded: string): Uint32Array {
  const out: number[] = [];
  let end = 0;
  for (const part of coded.split(" ")) {
    const [gap, length = "0"] = part.split("-");
    const start = end + Number.parseInt(gap, 36);
    end = start + Number.parseInt(length, 36);
    out.push(start, end);
  }
  return Uint32Array.from(out);
}

function isWide(code: number): boolean {
  let low = 0;
  let high = WIDE.length / 2 - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    if (code < WIDE[2 * middle]) high = middle - 1;
    else if (code > WIDE[2 * middle + 1]) low = middle + 1;
    else return true;
  }
  return false;
}

const ZERO = /^[\p{Mn}\p{Me}\p{Cf}\u1160-\u11ff\u{e0000}-\u{e0fff}]$/u;
const known = new Map<number, number>();

/** Cells of one code point: 0, 1 or 2. Control characters have none; sanitize them first. */
export function charWidth(code: number): number {
  if (code < 0x300) return code < 0x20 || (code >= 0x7f && code < 0xa0) || code === 0xad ? 0 : 1;
  if ((code >= 0x2500 && code < 0x25fd) || (code >= 0x2800 && code < 0x2900)) return 1;
  let width = known.get(code);
  if (width === undefined) {
    width = isWide(code) ? 2 : ZERO.test(String.fromCodePoint(code)) ? 0 : 1;
    if (known.size < 4096) known.set(code, width);
  }
  return width;
}

/** Whether a character takes one cell and no terminal interprets it: ASCII, Latin, lines, blocks and braille. */
export function isSimpleCode(code: number): boolean {
  if (code < 0x7f) return code >= 0x20;
  if (code < 0x300) return code > 0xa0 && code !== 0xad;
  return (code >= 0x2500 && code < 0x25fd) || (code >= 0x2800 && code < 0x2900) || code === 0x2026;
}

/** Whether a text is made of such characters only. Nearly all is, and then its width is its length and it is safe as it is. */
export function isSimple(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    if (!isSimpleCode(text.charCodeAt(i))) return false;
  }
  return true;
}

export function textWidth(text: string): number {
  if (isSimple(text)) return text.length;
  let width = 0;
  for (const char of text) width += charWidth(char.codePointAt(0)!);
  return width;
}

/** At most `width` cells; a cut text ends in the ellipsis where that fits. */
export function truncateText(text: string, width: number, ellipsis = "…"): string {
  if (textWidth(text) <= width) return text;
  const room = width - textWidth(ellipsis);
  if (room < 0) return "";
  if (isSimple(text)) return text.slice(0, room) + ellipsis;
  let used = 0;
  let end = 0;
  for (const char of text) {
    const next = charWidth(char.codePointAt(0)!);
    if (used + next > room) break;
    used += next;
    end += char.length;
  }
  return text.slice(0, end) + ellipsis;
}
