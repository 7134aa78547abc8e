/**
 * Takes the place of Ink's text measuring in the bundle, whose caches keep every text that was ever shown (12 to 23 KB
 * leaked per frame with finished lines).
 */
import { textWidth } from "../../panes/text/width.ts";

const SGR = /\x1b\[[\d;:]*m/g;

/** Cells of one line with SGR sequences. */
export function ansiWidth(line: string): number {
  return textWidth(line.includes("\x1b") ? line.replace(SGR, "") : line);
}

/** The deck's texts are blocks: every line is as wide as the first. */
export function measureText(text: string): { width: number; height: number } {
  if (text === "") return { width: 0, height: 0 };
  const end = text.indexOf("\n");
  if (end < 0) return { width: ansiWidth(text), height: 1 };
  let height = 2;
  for (let at = text.indexOf("\n", end + 1); at >= 0; at = text.indexOf("\n", at + 1)) height++;
  return { width: ansiWidth(text.slice(0, end)), height };
}

/** Cells of the widest line. */
export function widestLine(text: string): number {
  return measureText(text).width;
}

/** The deck's lines fit; a line that does not is cut by the painter. */
export function wrapText(text: string): string {
  return text;
}

/** Only the painter writes to the terminal, and it lets nothing but SGR pass. */
export function sanitizeAnsi(text: string): string {
  return text;
}
