import { appendFileSync, closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it, vi } from "vitest";
import { JitMapFile } from "./jitMapFile.ts";

const folder = mkdtempSync(join(tmpdir(), "tracedeck-jit-"));
afterAll(() => rmSync(folder, { recursive: true }));

const uid = process.getuid!();
/** The clock stands still but for `passTime`, however long the machine takes. */
let now = 1000;
vi.mock(import("../clock.ts"), () => ({ monotonicMs: () => now }));
/** A reading is due after a while. */
function passTime(): void {
  now += 10_000;
}

it("reads what was added, and that seldom", () => {
  const path = join(folder, "grows");
  const map = new JitMapFile(path);
  const name = (address: number) => map.at(address, uid)?.name;
  expect(name(0x100)).toBeUndefined();
  writeFileSync(path, "100 10 first\n200 10 second\n300 10 unfini");
  // The file was looked for just now.
  expect(name(0x100)).toBeUndefined();
  passTime();
  expect(name(0x100)).toBe("first");
  expect([0x200, 0x300].map(name)).toEqual(["second", "unfini"]);
  appendFileSync(path, "shed\n400 10 fourth\n");
  expect(name(0x400)).toBeUndefined();
  passTime();
  expect(name(0x400)).toBe("fourth");
  expect(name(0x300)).toBe("unfinished");
  // Nobody reads the beginning again: a change there is not seen.
  const file = openSync(path, "r+");
  writeSync(file, "200 10 other ", 0);
  closeSync(file);
  appendFileSync(path, "500 10 fifth\n100 10 again\n");
  passTime();
  expect(name(0x500)).toBe("fifth");
  expect([0x100, 0x200].map(name)).toEqual(["again", "second"]);
});

it("begins anew with a file that was written anew", () => {
  const path = join(folder, "anew");
  writeFileSync(path, "100 10 first\n200 10 second\n");
  const map = new JitMapFile(path);
  expect(map.at(0x200, uid)?.name).toBe("second");
  writeFileSync(path, "200 10 another\n300 10 one\n400 10 more\n");
  passTime();
  expect(map.at(0x400, uid)?.name).toBe("more");
  expect(map.at(0x200, uid)?.name).toBe("another");
  expect(map.at(0x100, uid)).toBeUndefined();
  expect(new JitMapFile(path).at(0x300, uid + 1)).toBeUndefined();
});

it("keeps all files together to one bound, the least used going first", () => {
  const path = join(folder, "large");
  const line = (i: number) => `${(i * 16).toString(16)} 10 ${"x".repeat(1000)}${i}\n`;
  writeFileSync(path, Array.from({ length: 50_000 }, (_, i) => line(i)).join(""));
  const maps = Array.from({ length: 3 }, () => new JitMapFile(path));
  for (const map of maps) expect(map.at(0x100, uid)).toBeDefined();
  const memory = maps.map((map) => map.memory);
  expect(memory[0]).toBe(0);
  expect(memory[1] + memory[2]).toBeGreaterThan(100_000_000);
  expect(memory[1] + memory[2]).toBeLessThan(128 << 20);
});
