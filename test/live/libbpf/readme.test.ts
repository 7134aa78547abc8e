// The README's example is run as it stands there.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { nodeProgram } from "../../support/programs.ts";
import { testWith } from "./support.ts";

const readme = readFileSync(join(import.meta.dirname, "../../../libbpf-ts/README.md"), "utf8");
const example = nodeProgram(/```js\n([\s\S]*?)```/.exec(readme)![1]);

testWith(["raw_tracepoint"], "the README's example counts system calls by process", () => {
  const lines = execFileSync(process.execPath, [example.path], { encoding: "utf8" }).trimEnd().split("\n");
  const rows = lines.map((line) => /^\s*(\d+) (.+)$/.exec(line)!);
  expect(rows.every((row) => row !== null)).toBe(true);
  const calls = rows.map((row) => Number(row[1]));
  expect(calls).toEqual(calls.toSorted((a, b) => b - a));
  expect(rows.map((row) => row[2])).toContain("node");
});
