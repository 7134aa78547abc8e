/** Finds a key's row in an earlier read of the same map, without making a string or an object per key. */

/** FNV-1a over bytes. */
function hash(bytes: Uint8Array, from: number, size: number): number {
  let value = 0x811c9dc5;
  for (let i = from; i < from + size; i++) value = Math.imul(value ^ bytes[i], 0x01000193);
  return (value ^ (value >>> 15)) >>> 0;
}

export class KeyTable {
  #keys: Uint8Array;
  #keySize: number;
  /** Row + 1 by slot; 0: free. */
  #slots: Uint32Array;

  constructor(keys: Uint8Array, keySize: number, count: number) {
    this.#keys = keys;
    this.#keySize = keySize;
    let size = 16;
    while (size < count * 2) size *= 2;
    this.#slots = new Uint32Array(size);
    for (let row = 0; row < count; row++) {
      let slot = hash(keys, row * keySize, keySize) & (size - 1);
      while (this.#slots[slot] !== 0) slot = (slot + 1) & (size - 1);
      this.#slots[slot] = row + 1;
    }
  }

  /** The row that has the key at `from` of `bytes`, or -1. */
  find(bytes: Uint8Array, from: number): number {
    const mask = this.#slots.length - 1;
    for (let slot = hash(bytes, from, this.#keySize) & mask; ; slot = (slot + 1) & mask) {
      const row = this.#slots[slot] - 1;
      if (row < 0) return -1;
      if (this.#equal(row * this.#keySize, bytes, from)) return row;
    }
  }

  #equal(at: number, bytes: Uint8Array, from: number): boolean {
    for (let i = 0; i < this.#keySize; i++) if (this.#keys[at + i] !== bytes[from + i]) return false;
    return true;
  }
}
