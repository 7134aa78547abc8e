/** "Did you mean": the nearest of a set of names, by Levenshtein distance. */

let beforeThat = new Uint16Array(64);
let previous = new Uint16Array(64);
let current = new Uint16Array(64);

/** Levenshtein distance with swaps of neighbours, or limit + 1 when it is larger. */
function distance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  if (previous.length <= b.length) {
    beforeThat = new Uint16Array(b.length * 2);
    previous = new Uint16Array(b.length * 2);
    current = new Uint16Array(b.length * 2);
  }
  for (let j = 0; j <= b.length; j++) previous[j] = j;
  for (let i = 1; i <= a.length; i++) {
    current[0] = i;
    let best = i;
    const letter = a.charCodeAt(i - 1);
    for (let j = 1; j <= b.length; j++) {
      const replaced = previous[j - 1] + (letter === b.charCodeAt(j - 1) ? 0 : 1);
      let least = Math.min(previous[j] + 1, current[j - 1] + 1, replaced);
      const swapped =
        i > 1 && j > 1 && letter === b.charCodeAt(j - 2) && a.charCodeAt(i - 2) === b.charCodeAt(j - 1);
      if (swapped) least = Math.min(least, beforeThat[j - 2] + 1);
      current[j] = least;
      if (least < best) best = least;
    }
    if (best > limit) return limit + 1;
    [beforeThat, previous, current] = [previous, current, beforeThat];
  }
  return previous[b.length];
}

/** Above this many candidates only those that begin or end alike are compared. */
const MANY = 5000;

/** Up to `count` names that `name` may be a slip of, nearest first. */
export function nearest(name: string, candidates: Iterable<string>, count = 3): string[] {
  const limit = Math.max(1, Math.min(4, Math.floor(name.length / 3)));
  const wanted = name.toLowerCase();
  const all = new Set(candidates);
  const [start, end] = [wanted.replace(/^_+/, "").slice(0, 2), wanted.slice(-3)];
  const found: { candidate: string; score: number }[] = [];
  for (const candidate of all) {
    if (all.size > MANY && !candidate.includes(start) && !candidate.endsWith(end)) continue;
    const lower = candidate.toLowerCase();
    let score = distance(wanted, lower, limit);
    const contains = wanted.length >= 4 && (lower.startsWith(wanted) || lower.endsWith(wanted));
    if (score > limit && contains) score = limit + lower.length / 100;
    if (score <= limit || contains) found.push({ candidate, score });
  }
  found.sort((a, b) => a.score - b.score || a.candidate.length - b.candidate.length);
  return found.slice(0, count).map(({ candidate }) => candidate);
}

/** "did you mean a or b?"; undefined when nothing is near. */
export function didYouMean(name: string, candidates: Iterable<string>): string | undefined {
  const near = nearest(name, candidates);
  return near.length ? `did you mean ${near.join(" or ")}?` : undefined;
}

/** "a, b, c and 12 more". */
export function someOf(names: readonly string[], count = 8): string {
  if (names.length <= count) return names.join(", ");
  return `${names.slice(0, count).join(", ")} and ${names.length - count} more`;
}
