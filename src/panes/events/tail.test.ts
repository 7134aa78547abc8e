import { describe, expect, it } from "vitest";
import { Tail } from "./tail.ts";

const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

describe("a tail", () => {
  it("holds the newest items, whatever was added before", () => {
    for (const step of [1, 3, 7, 10, 25]) {
      let tail = new Tail<number>();
      for (let next = 0; next < 100; next += step) {
        tail = tail.add(numbers(next, next + step), 10);
        const end = next + step;
        const expected = numbers(Math.max(0, end - 10), end);
        expect(tail.slice(), `steps of ${step}, ${end} added`).toEqual(expected);
        expect([tail.length, tail.at(0), tail.at(-1)]).toEqual([expected.length, expected[0], end - 1]);
      }
    }
  });

  it("leaves earlier versions as they were", () => {
    const first = new Tail<number>().add([1, 2, 3], 4);
    const left = first.add([4, 5], 4);
    const right = first.add([6], 4);
    expect([first, left, right].map((it) => it.slice())).toEqual([
      [1, 2, 3],
      [2, 3, 4, 5],
      [1, 2, 3, 6],
    ]);
  });

  it("answers like an array", () => {
    const tail = new Tail<number>().add(numbers(0, 9), 5);
    const array = numbers(4, 9);
    for (const [from, to] of [[1], [-2], [0, 2], [2, -1], [4, 2], [-9, 9]]) {
      expect(tail.slice(from, to)).toEqual(array.slice(from, to));
    }
    expect([tail.at(5), tail.at(-6), tail.find((it) => it > 6), tail.filter((it) => it % 2).length]).toEqual([
      undefined,
      undefined,
      7,
      2,
    ]);
  });
});
