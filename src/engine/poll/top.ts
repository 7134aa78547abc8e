/** The first rows in an order, without sorting all of them: a heap of as many rows as are wanted. */

/** Negative: `a` comes first. */
export type Compare = (a: number, b: number) => number;

/** The first `wanted` of rows 0 … count-1 in the order of `compare`, sorted. `keep` leaves rows out. */
export function topRows(
  count: number,
  wanted: number,
  compare: Compare,
  keep?: (row: number) => boolean,
): number[] {
  if (wanted <= 0) return [];
  // The last of the kept rows is at the top, to be thrown out when a better one comes.
  const heap: number[] = [];
  const down = (from: number) => {
    for (let at = from; ; ) {
      let last = at;
      for (const child of [at * 2 + 1, at * 2 + 2]) {
        if (child < heap.length && compare(heap[child], heap[last]) > 0) last = child;
      }
      if (last === at) return;
      [heap[at], heap[last]] = [heap[last], heap[at]];
      at = last;
    }
  };
  for (let row = 0; row < count; row++) {
    if (heap.length === wanted && compare(row, heap[0]) >= 0) continue;
    if (keep && !keep(row)) continue;
    if (heap.length === wanted) {
      heap[0] = row;
      down(0);
      continue;
    }
    heap.push(row);
    for (let at = heap.length - 1; at > 0; ) {
      const parent = (at - 1) >> 1;
      if (compare(heap[at], heap[parent]) <= 0) break;
      [heap[at], heap[parent]] = [heap[parent], heap[at]];
      at = parent;
    }
  }
  return heap.sort(compare);
}
