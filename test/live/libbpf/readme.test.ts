// The README's example is run as it stands there.

import { execFileSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";
import { expect } from "vitest";
import { testWith } from "./support.ts";

testWith(["raw_tracepoint"], "the README's example counts system calls by process", () => {
  const readme = fileURLToPath(new URL("../../../libbpf-ts/README.md", import.meta.url));
  const example = /```js\n([\s\S]*?)```/.exec(readFileSync(readme, "utf8"))![1];
  const entry = fileURLToPath(new URL(`./.readme-${process.pid}.mjs`, import.meta.url));
  const bundle = entry.replace(".mjs", ".bundle.mjs");
  try {
    writeFileSync(entry, example);
    buildSync({
      entryPoints: [entry],
      outfile: bundle,
      bundle: true,
      platform: "node",
      format: "esm",
      target: "node20",
      external: ["koffi"],
    });
    const lines = execFileSync(process.execPath, [bundle], { encoding: "utf8" }).trimEnd().split("\n");
    const rows = lines.map((line) => /^\s*(\d+) (.+)$/.exec(line)!);
    expect(rows.every((row) => row !== null)).toBe(true);
    const calls = rows.map((row) => Number(row[1]));
    expect(calls).toEqual(calls.toSorted((a, b) => b - a));
    expect(rows.map((row) => row[2])).toContain("node");
  } finally {
    rmSync(entry, { force: true });
    rmSync(bundle, { force: true });
  }
});
