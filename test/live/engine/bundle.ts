/** Bundles a TypeScript entry so that a test can run it as a process of its own, and be rid of it. */
import { mkdtempSync, rmSync } from "node:fs";
import { resolve } from "node:path";
import { build } from "esbuild";

const root = resolve(import.meta.dirname, "../../..");

/** Path of the bundle, in a directory under node_modules where bare imports resolve; `remove` after the tests. */
export async function bundle(entry: string): Promise<{ path: string; remove(): void }> {
  const directory = mkdtempSync(resolve(root, "node_modules/.tracedeck-test-"));
  const path = resolve(directory, "entry.mjs");
  await build({
    entryPoints: [resolve(root, entry)],
    outfile: path,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    external: ["koffi"],
    logLevel: "error",
  });
  return { path, remove: () => rmSync(directory, { recursive: true, force: true }) };
}
