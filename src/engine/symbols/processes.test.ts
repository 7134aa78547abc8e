import { expect, it } from "vitest";
import { Processes } from "./processes.ts";

it("has no room for thousands that ended unnoticed, but for one that lives", () => {
  using processes = new Processes();
  processes.get(process.pid);
  // Above the largest number that the kernel gives.
  const gone = (i: number) => (1 << 22) + 1 + i;
  for (let i = 0; i < 5000; i++) processes.get(gone(i));
  expect(processes.has(process.pid)).toBe(true);
  expect(processes.has(gone(0))).toBe(false);
  expect(processes.has(gone(4999))).toBe(true);
});
