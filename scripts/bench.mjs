// `npm run bench`: bundles the measurements and runs them.
import { build } from "esbuild";
import { leanContrib, leanInk } from "./build-plugins.mjs";

const common = {
  bundle: true,
  platform: "node",
  target: "node20",
  external: ["koffi", "@lydell/node-pty"],
  conditions: ["source"],
  logLevel: "warning",
};
await Promise.all([
  build({ ...common, entryPoints: ["bench/index.ts"], outfile: "dist/bench.mjs", format: "esm" }),
  build({
    ...common,
    entryPoints: ["bench/frames.ts"],
    outfile: "dist/bench-frames.cjs",
    format: "cjs",
    minify: true,
    jsx: "automatic",
    define: { "process.env.NODE_ENV": '"production"', "process.env.DEV": '"false"' },
    plugins: [leanInk, leanContrib],
  }),
]);
await import("../dist/bench.mjs");
