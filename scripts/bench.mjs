// `npm run bench`: bundles the measurements and runs them.
import { build } from "esbuild";

await build({
  entryPoints: ["bench/index.ts"],
  outfile: "dist/bench.mjs",
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node20",
  external: ["koffi", "@lydell/node-pty"],
  conditions: ["source"],
  logLevel: "warning",
});
await import("../dist/bench.mjs");
