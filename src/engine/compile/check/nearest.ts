/** "Did you mean": the nearest of a set of names, by Levenshtein distance. */

function distance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    let best = i;
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      current[j] = Math.min(previous[j] + 1, current[j - 1] + 1, previous[j - 1] + cost);
      best = Math.min(best, current[j]);
    }
    if (best > limit) return limit + 1;
    previous = current;
  }
  return previous[b.length];
}

/** Up to `count` names that `name` may be a slip of, nearest first. */
export function nearest(name: string, candidates: Iterable<string>, count = 3): string[] {
  const limit = Math.max(1, Math.min(4, Math.floor(name.length / 3)));
  const wanted = name.toLowerCase();
  const found: { candidate: string; score: number }[] = [];
  for (const candidate of new Set(candidates)) {
    const lower = candidate.toLowerCase();
    let score = distance(wanted, lower, limit);
    if (score > limit && wanted.length >= 4 && (lower.startsWith(wanted) || lower.endsWith(wanted)))
      score = limit + lower.length / 100;
    if (score <= limit + 1 && (score <= limit || lower.includes(wanted))) found.push({ candidate, score });
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
