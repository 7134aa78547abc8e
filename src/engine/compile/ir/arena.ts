/** Hands out pieces of memory by size and takes them back: the stack's slots, and a program's part of the scratch value. */
export class Arena {
  readonly #take: (size: number) => number;
  readonly #free = new Map<number, number[]>();
  readonly #inUse: { size: number; piece: number }[][] = [];

  /** `take` makes a new piece of `size` bytes when none is free. */
  constructor(take: (size: number) => number) {
    this.#take = take;
  }

  /** A piece of at least `size` bytes; given back with the enclosing scope unless it is to be kept. */
  piece(size: number, keep = false): number {
    const rounded = Math.max(8, (size + 7) & ~7);
    const piece = (keep ? undefined : this.#free.get(rounded)?.pop()) ?? this.#take(rounded);
    if (!keep) this.#inUse.at(-1)?.push({ size: rounded, piece });
    return piece;
  }

  enter(): void {
    this.#inUse.push([]);
  }

  leave(): void {
    for (const { size, piece } of this.#inUse.pop()!) {
      const free = this.#free.get(size);
      if (free) free.push(piece);
      else this.#free.set(size, [piece]);
    }
  }
}
