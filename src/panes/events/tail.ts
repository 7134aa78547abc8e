/**
 * The newest items of a stream as an immutable value. Versions share one buffer, each sees its own part of it: adding to
 * the newest version copies nothing, where an array of ten thousand would be copied with every message.
 */

/** What of an array readers of a log need. */
export type Sequence<Item> = Pick<readonly Item[], "length" | "at" | "slice" | "filter" | "find">;

export class Tail<Item> implements Sequence<Item> {
  readonly length: number;
  private readonly buffer: Item[];
  private readonly start: number;

  constructor(buffer: Item[] = [], start = 0) {
    this.buffer = buffer;
    this.start = start;
    this.length = buffer.length - start;
  }

  /** The version after this one: at most `limit` items, the oldest dropped. */
  add(items: readonly Item[], limit: number): Tail<Item> {
    const end = this.start + this.length;
    const start = Math.max(this.start, end + items.length - limit);
    // Others may have added to the buffer; what was dropped is let go of once it is half of it.
    const isNewest = this.buffer.length === end;
    const buffer = isNewest && start <= limit ? this.buffer : this.buffer.slice(Math.min(start, end), end);
    for (const item of items) buffer.push(item);
    return new Tail(buffer, Math.max(0, buffer.length - Math.min(limit, this.length + items.length)));
  }

  at(index: number): Item | undefined {
    const from = index < 0 ? index + this.length : index;
    return from >= 0 && from < this.length ? this.buffer[this.start + from] : undefined;
  }

  slice(from = 0, to = this.length): Item[] {
    const place = (index: number) =>
      Math.max(0, Math.min(this.length, index < 0 ? index + this.length : index));
    return this.buffer.slice(this.start + place(from), this.start + place(to));
  }

  filter(keep: (item: Item, index: number, all: Item[]) => unknown): Item[] {
    return this.slice().filter(keep);
  }

  find(is: (item: Item, index: number, all: Item[]) => unknown): Item | undefined {
    return this.slice().find(is);
  }
}
