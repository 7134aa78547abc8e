// Builds dist/: cli.js, which loads headless.cjs (every command but the deck) or deck.cjs: bundles that V8 can keep
// compiled, so that headless commands never load the deck. Development: `node scripts/build.mjs --no-minify`.
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

/** The store of the deck's settings brings a JSON schema validator that no other command should have to read past. */
const settingsApart = {
  name: "settings-apart",
  setup(build) {
    build.onResolve({ filter: /^conf$/ }, () => ({ path: "./conf.cjs", external: true }));
  },
};

/** CommonJS files know where they are by other names. */
const located = {
  define: { ...common.define, "import.meta.dirname": "__dirname", "import.meta.filename": "__filename" },
};

/** What src/codeCache.ts loads: one function, without characters beyond ASCII. */
const cacheable = {
  ...common,
  ...located,
  format: "cjs",
  charset: "ascii",
  banner: { js: "(function(exports,require,module,__filename,__dirname){" },
  footer: { js: "})" },
  outExtension: { ".js": ".cjs" },
};

const results = await Promise.all([
  esbuild.build({
    ...common,
    ...located,
    entryPoints: { cli: "src/start.ts" },
    format: "cjs",
  }),
  esbuild.build({
    ...cacheable,
    entryPoints: { headless: "src/cli.ts" },
    // A script that is not a module can't import(): what stays outside is required.
    supported: { "dynamic-import": false },
    plugins: [deckApart, settingsApart],
  }),
  esbuild.build({
    ...common,
    entryPoints: { conf: "conf" },
    format: "cjs",
    // import("conf") of a bundle finds the class where Node would put it.
    footer: { js: "module.exports=module.exports.default;" },
    outExtension: { ".js": ".cjs" },
  }),
  esbuild.build({
    ...cacheable,
    entryPoints: { deck: "src/tui/main.tsx" },
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
// The package is of ES modules; loading CommonJS starts 30 ms sooner.
writeFileSync(path("dist/package.json"), '{ "type": "commonjs" }\n');
written.add("package.json");
for (const name of readdirSync(path("dist"))) {
  if (!written.has(name)) rmSync(path("dist", name), { recursive: true, force: true });
}
