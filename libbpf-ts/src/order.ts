// Sorting symbols by address without a comparator: native sorting of 64-bit numbers that carry the distance of the address in
// their upper bits and the symbol's index in the lower ones.

/** Bits of an index, at least: distances have the other 44, or fewer where there are more symbols. */
const INDEX_BITS = 20;

export interface Ordered {
  /** Addresses, ascending. */
  sorted: Float64Array;
  /** Where each of them was. */
  order: Uint32Array;
}

/** The first `count` of `addresses`, all at least `base` and less than 2^44 beyond it, in ascending order. */
export function sortAddresses(addresses: Float64Array, count: number, base: number): Ordered {
  const bits = Math.max(INDEX_BITS, 32 - Math.clz32(count));
  const step = 2 ** (32 - bits);
  const most = 2 ** (64 - bits) - 1;
  const packed = new BigUint64Array(count);
  const halves = new Uint32Array(packed.buffer);
  for (let i = 0; i < count; i++) {
    const distance = Math.min(addresses[i] - base, most);
    const upper = Math.floor(distance / step);
    halves[i * 2] = ((distance - upper * step) << bits) | i;
    halves[i * 2 + 1] = upper;
  }
  packed.sort();
  const order = new Uint32Array(count);
  const sorted = new Float64Array(count);
  const mask = 2 ** bits - 1;
  for (let i = 0; i < count; i++) {
    order[i] = halves[i * 2] & mask;
    sorted[i] = base + halves[i * 2 + 1] * step + (halves[i * 2] >>> bits);
  }
  return { sorted, order };
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
