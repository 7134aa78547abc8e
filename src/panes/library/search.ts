/** Finding a script by a few letters of what one remembers of it. */
import type { LibraryScript } from "../pane.ts";

/** Where a word may stand, and what finding it there is worth. */
const PLACES: { text: (script: LibraryScript) => string; whole: number; letters: number }[] = [
  { text: (script) => script.title, whole: 100, letters: 40 },
  { text: (script) => script.name, whole: 80, letters: 30 },
  { text: (script) => script.subject, whole: 60, letters: 0 },
  { text: (script) => script.question, whole: 30, letters: 0 },
  { text: (script) => script.reading, whole: 10, letters: 0 },
];

/** The letters of a word in their order, close together: 1 for no gaps, towards 0 the wider they are spread; 0: not there. */
function closeness(text: string, word: string): number {
  let best = 0;
  for (let start = text.indexOf(word[0]); start >= 0; start = text.indexOf(word[0], start + 1)) {
    let at = start;
    for (let i = 1; i < word.length && at >= 0; i++) at = text.indexOf(word[i], at + 1);
    if (at < 0) break;
    best = Math.max(best, word.length / (at - start + 1));
  }
  return best;
}

function wordScore(script: LibraryScript, word: string): number {
  let best = 0;
  for (const { text, whole, letters } of PLACES) {
    const hay = text(script).toLowerCase();
    const at = hay.indexOf(word);
    if (at >= 0) {
      const starts = at === 0 || /\W/.test(hay[at - 1]);
      best = Math.max(best, whole + (starts ? 10 : 0));
    } else if (letters > 0) {
      const close = closeness(hay, word);
      if (close > 0.4) best = Math.max(best, letters * close);
    }
  }
  return best;
}

/** Scripts that every word of the query fits, best first; all in their order when the query is empty. */
export function search(scripts: readonly LibraryScript[], query: string): readonly LibraryScript[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return scripts;
  return scripts
    .map((script, index) => {
      const scores = words.map((word) => wordScore(script, word));
      return { script, index, score: scores.includes(0) ? 0 : scores.reduce((sum, it) => sum + it, 0) };
    })
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score || a.index - b.index)
    .map(({ script }) => script);
}
