import { expect, it } from "vitest";
import { KeyTable } from "./keyTable.ts";

it.each([4, 8, 20])("finds keys of %d bytes, and only those that are there", (size) => {
  const count = 5000;
  const keys = new Uint8Array((count + 1) * size);
  const view = new DataView(keys.buffer);
  for (let row = 0; row <= count; row++) view.setUint32(row * size + size - 4, row * 7919, true);
  const table = new KeyTable(keys, size, count);
  for (let row = 0; row < count; row++) expect(table.find(keys, row * size)).toBe(row);
  expect(table.find(keys, count * size)).toBe(-1);
});
