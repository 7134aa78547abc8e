/**
 * Syntax runs of the lines in the window. A short script is read whole; a long one from the item above the window on, so
 * that a key costs the same in a script of 50 lines and of 5,000. The lexer takes a probe in the first column as a
 * fresh start whatever came before it, except within a block comment.
 */
import { highlightLines, type SyntaxRun } from "../../syntax/highlight.ts";
import type { Lines } from "./text.ts";

const ITEM =
  /^(?:(?:kprobe|kretprobe|uprobe|uretprobe|tracepoint|rawtracepoint|usdt|profile|interval|software|hardware|fentry|fexit|iter):\S|(?:BEGIN|END|begin|end)\s*[{,])/;
const COMMENT_OPENS = /(?:^|[\s;{}])\/\*(?!.*\*\/)/;

const SHORT = 8_000;
const FARTHEST = 1_000;

interface Coloured {
  from: number;
  to: number;
  runs: SyntaxRun[][];
}

const known = new WeakMap<Lines, Coloured>();

function isShort(lines: Lines): boolean {
  if (lines.length > SHORT) return false;
  let size = 0;
  for (let i = 0; i < lines.length && size <= SHORT; i++) size += lines[i].length + 1;
  return size <= SHORT;
}

/** The nearest line at or above from which the lexer can start; 0 when that can't be told. */
function startAbove(lines: Lines, line: number): number {
  let start = line;
  while (start > 0 && !ITEM.test(lines[start])) {
    if (line - start > FARTHEST) return 0;
    start--;
  }
  for (let at = start - 1; at >= 0; at--) {
    if (lines[at].includes("/*") && COMMENT_OPENS.test(lines[at])) return 0;
    if (lines[at].includes("*/")) break;
  }
  return start;
}

/** Runs of the lines [from, to), by the line's index. */
export function runsOf(lines: Lines, from: number, to: number): (line: number) => readonly SyntaxRun[] {
  let found = known.get(lines);
  if (!found || from < found.from || to > found.to) {
    const [start, end] = isShort(lines) ? [0, lines.length] : [startAbove(lines, from), to];
    found = { from: start, to: end, runs: highlightLines(lines.slice(start, end).join("\n")) };
    known.set(lines, found);
  }
  const { from: first, runs } = found;
  return (line) => runs[line - first] ?? [];
}
