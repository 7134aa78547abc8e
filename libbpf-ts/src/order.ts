// Sorting symbols by address without a comparator: native sorting of 64-bit numbers that carry the address in their upper
// 44 bits and the symbol's index in the lower 20.

const INDEX_BITS = 20;
const MAX_INDEX = 1 << INDEX_BITS;
const MAX_DISTANCE = 2 ** (64 - INDEX_BITS);

/** Indices of `addresses` (all at least `base`, less than 2^44 beyond it) in ascending order of address. */
export function orderByAddress(addresses: Float64Array, count: number, base: number): Uint32Array {
  const order = new Uint32Array(count);
  if (count > MAX_INDEX) {
    for (let i = 0; i < count; i++) order[i] = i;
    return order.sort((a, b) => addresses[a] - addresses[b]);
  }
  const packed = new BigUint64Array(count);
  const halves = new Uint32Array(packed.buffer);
  for (let i = 0; i < count; i++) {
    const distance = Math.min(addresses[i] - base, MAX_DISTANCE - 1);
    halves[i * 2] = ((distance % 4096) << INDEX_BITS) | i;
    halves[i * 2 + 1] = Math.floor(distance / 4096);
  }
  packed.sort();
  for (let i = 0; i < count; i++) order[i] = halves[i * 2] & (MAX_INDEX - 1);
  return order;
}

/** The last place in ascending `sorted` whose value is at most `value`; -1 before the first. */
export function lastAtMost(sorted: Float64Array, value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
