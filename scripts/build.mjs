// Builds dist/: cli.js, small, and what it loads: headless.cjs (every command but the deck) or deck.cjs, bundles that V8
// can keep compiled. Development: `node scripts/build.mjs --no-minify`.
import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import * as esbuild from "esbuild";
import { leanContrib, leanInk, path, root } from "./build-plugins.mjs";
import { licenses } from "./licenses.mjs";

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
  metafile: true,
  external: ["koffi"],
  define: { "process.env.NODE_ENV": '"production"', "process.env.DEV": '"false"' },
};

/**
 * cli.js runs by sh and by Node. sh gives the deck a smaller young generation, which nothing can change once Node runs:
 * V8's default, for servers, lets 32 MB of dead objects lie about. Other commands end before it matters, and any flag
 * makes Node compile its own modules anew, which takes 10 ms.
 */
const launcher = `#!/bin/sh
':' //; case "$1" in ''|deck|--run|--max-overhead*|*[./]*) exec node --max-semi-space-size=4 "$0" "$@";; esac; exec node "$0" "$@"
`;

/** What cli.js loads only when it is needed: bundles by the sources that load them, and the deck's store of settings. */
const apart = {
  name: "apart",
  setup(build) {
    build.onResolve({ filter: /^\.\/(main\.ts|headless\.ts)$/ }, ({ path: name, resolveDir }) => ({
      path: join(resolveDir, name === "./main.ts" ? "load.ts" : "loadHeadless.ts"),
    }));
    // It brings a JSON schema validator.
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
    banner: { js: launcher },
    // A script that is not a module can't import(): what stays outside is required.
    supported: { "dynamic-import": false },
    plugins: [apart],
  }),
  esbuild.build({
    ...cacheable,
    entryPoints: { headless: "src/commands/headless.ts" },
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
    entryPoints: { deck: "src/tui/main.ts" },
    plugins: [leanInk, leanContrib],
  }),
]);

// esbuild escapes strings, but leaves regular expressions as they are written.
for (const { path: file, text } of [results[1], results[3]].flatMap(({ outputFiles }) => outputFiles)) {
  const beyond = /.{0,40}[^\0-\x7f].{0,20}/.exec(text);
  if (beyond) throw new Error(`${basename(file)} holds more than ASCII, write it as \\u…: ${beyond[0]}`);
}

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
writeFileSync(
  path("dist/THIRD-PARTY-LICENSES.txt"),
  licenses(
    root,
    results.map(({ metafile }) => metafile),
  ),
);
written.add("THIRD-PARTY-LICENSES.txt");
for (const name of readdirSync(path("dist"))) {
  if (!written.has(name)) rmSync(path("dist", name), { recursive: true, force: true });
}
