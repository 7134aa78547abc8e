// Builds dist/: cli.js (ESM, split so that headless commands never load the deck) and deck.cjs (the deck in one file,
// which V8 can keep compiled). Development: `node scripts/build.mjs --no-minify`.
import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import * as esbuild from "esbuild";
import { leanContrib, leanInk, path, root, syncYoga } from "./build-plugins.mjs";

const minify = !process.argv.includes("--no-minify");

const common = {
  absWorkingDir: root,
  outdir: "dist",
  bundle: true,
  minify,
  platform: "node",
  target: "node20",
  jsx: "automatic",
  legalComments: "none",
  logLevel: "warning",
  write: false,
  external: ["koffi"],
  define: { "process.env.NODE_ENV": '"production"', "process.env.DEV": '"false"' },
};

/** In dist the deck is a file of its own, loaded by src/tui/load.ts. */
const deckApart = {
  name: "deck-apart",
  setup(build) {
    build.onResolve({ filter: /^\.\/main\.tsx$/ }, ({ resolveDir }) => ({
      path: join(resolveDir, "load.ts"),
    }));
  },
};

const results = await Promise.all([
  esbuild.build({
    ...common,
    entryPoints: ["src/cli.ts"],
    format: "esm",
    splitting: true,
    chunkNames: "chunk-[name]-[hash]",
    plugins: [deckApart],
    // CommonJS packages inside ESM chunks ask for Node's own modules.
    banner: {
      js: 'import{createRequire as __createRequire}from"node:module";const require=__createRequire(import.meta.url);',
    },
  }),
  esbuild.build({
    ...common,
    entryPoints: { deck: "src/tui/main.tsx" },
    format: "cjs",
    outExtension: { ".js": ".cjs" },
    plugins: [leanInk, syncYoga, leanContrib],
  }),
]);

// Only a build that succeeded touches dist, and what is there stays usable meanwhile.
mkdirSync(path("dist"), { recursive: true });
const written = new Set();
for (const { path: file, contents } of results.flatMap(({ outputFiles }) => outputFiles)) {
  writeFileSync(`${file}.new`, contents, { mode: basename(file) === "cli.js" ? 0o755 : 0o644 });
  renameSync(`${file}.new`, file);
  written.add(basename(file));
}
for (const name of readdirSync(path("dist"))) {
  if (!written.has(name)) rmSync(path("dist", name), { recursive: true, force: true });
}
