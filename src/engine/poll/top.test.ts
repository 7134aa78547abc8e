import { expect, it } from "vitest";
import { topRows } from "./top.ts";

/** Numbers that look random and are the same in every run. */
function numbers(count: number): number[] {
  let state = 12345;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return state % 1000;
  });
}

it.each([
  [0, 5],
  [1, 5],
  [5, 5],
  [100, 1],
  [1000, 17],
  [1000, 2000],
])("of %d rows the first %d are those that sorting gives", (count, wanted) => {
  const values = numbers(count);
  const compare = (a: number, b: number) => values[b] - values[a] || a - b;
  const sorted = values.map((_, row) => row).sort(compare);
  expect(topRows(count, wanted, compare)).toEqual(sorted.slice(0, wanted));
});

it("leaves out rows that are not wanted", () => {
  const values = numbers(500);
  const compare = (a: number, b: number) => values[a] - values[b] || a - b;
  const odd = (row: number) => row % 2 === 1;
  const sorted = values
    .map((_, row) => row)
    .filter(odd)
    .sort(compare);
  expect(topRows(500, 10, compare, odd)).toEqual(sorted.slice(0, 10));
});
