// What the bundle changes in the packages it takes in, so that the deck starts fast and draws cheaply.
import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

export const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
export const path = (...parts) => join(root, ...parts);

/** Modules that the deck has no use for, and what stands in their place. */
const stubs = {
  "ansi-escapes": "export default {};",
  blessed: `module.exports = require(${JSON.stringify(path("src/panes/chart/stubs/blessed.cjs"))});`,
  "cli-cursor": "export default { show() {}, hide() {} };",
  "cli-truncate": "export default (text) => text;",
  "es-toolkit/compat": "export const throttle = (fn) => Object.assign(fn, { cancel() {}, flush() {} });",
  "is-in-ci": "export default false;",
  lodash: `module.exports = require(${JSON.stringify(path("src/panes/chart/stubs/lodash.cjs"))});`,
  "patch-console": "export default () => () => {};",
  "react-devtools-core": "export default {};",
  "signal-exit": "export default () => () => {};",
  "slice-ansi": "export default (text) => text;",
  "string-width": `export { ansiWidth as default } from ${JSON.stringify(path("src/tui/lean/measure.ts"))};`,
  "terminal-size": "export default () => ({ columns: 80, rows: 24 });",
  "widest-line": `export { widestLine as default } from ${JSON.stringify(path("src/tui/lean/measure.ts"))};`,
  "wrap-ansi": "export default (text) => text;",
};

/** Ink's own modules, by their file under ink/build. */
const inkModules = {
  "output.js": 'export { default } from "./output.ts";',
  "measure-text.js": 'export { measureText as default } from "./measure.ts";',
  "wrap-text.js": 'export { wrapText as default } from "./measure.ts";',
  "sanitize-ansi.js": 'export { sanitizeAnsi as default } from "./measure.ts";',
  "devtools.js": "export default {};",
  "components/ErrorOverview.js": "export default () => null;",
};

export const leanInk = {
  name: "lean-ink",
  setup(build) {
    const names = Object.keys(stubs).map((name) => name.replace("/", "\\/"));
    build.onResolve({ filter: new RegExp(`^(${names.join("|")})$`) }, ({ path: name }) => ({
      path: name,
      namespace: "stub",
    }));
    build.onLoad({ filter: /.*/, namespace: "stub" }, ({ path: name }) => ({
      contents: stubs[name],
      resolveDir: root,
    }));
    build.onLoad({ filter: /[/\\]ink[/\\]build[/\\].*\.js$/ }, ({ path: file }) => {
      const name = file.slice(file.lastIndexOf("/ink/build/") + "/ink/build/".length);
      if (inkModules[name])
        return { contents: inkModules[name], loader: "ts", resolveDir: path("src/tui/lean") };
      if (name !== "reconciler.js") return undefined;
      // A top-level await can't go into a CommonJS bundle; what it waits for is for Ink's own developers.
      const source = readFileSync(file, "utf8");
      const contents = source
        .replace("await import('./devtools.js')", "undefined")
        .replace("await loadPackageJson()", "{}");
      return { contents, loader: "js" };
    });
  },
};

/**
 * Yoga's package compiles its WebAssembly through fetch() of a data URL, which loads Node's whole HTTP client. Compiled
 * synchronously, it costs a third and needs no top-level await.
 */
export const syncYoga = {
  name: "sync-yoga",
  setup(build) {
    const folder = path("node_modules/yoga-layout/dist");
    const binary = join(folder, "binaries/yoga-wasm-base64-esm.js");
    const data = /data:application\/octet-stream;base64,([A-Za-z0-9+/=]+)/;
    build.onLoad({ filter: /yoga-layout[/\\]dist[/\\]src[/\\]index\.js$/ }, () => {
      const [, base64] = data.exec(readFileSync(binary, "utf8"));
      return {
        resolveDir: join(folder, "src"),
        contents: `
          import loadYoga from "../binaries/yoga-wasm-base64-esm.js";
          import wrapAssembly from "./wrapAssembly.js";
          const bytes = Buffer.from("${base64}", "base64");
          const module = {
            instantiateWasm(imports, ready) {
              ready(new WebAssembly.Instance(new WebAssembly.Module(bytes), imports));
              return {};
            },
          };
          loadYoga(module);
          export default wrapAssembly(module);
          export * from "./generated/YGEnums.js";
        `,
      };
    });
    build.onLoad({ filter: /yoga-wasm-base64-esm\.js$/ }, ({ path: file }) => ({
      contents: readFileSync(file, "utf8").replace(data, "data:,").replace("import.meta.url", '""'),
    }));
  },
};

/** blessed-contrib draws its charts off screen: of blessed and lodash it needs next to nothing. */
export const leanContrib = {
  name: "lean-contrib",
  setup(build) {
    for (const name of ["blessed", "lodash"]) {
      const stub = path(`src/panes/chart/stubs/${name}.cjs`);
      build.onResolve({ filter: new RegExp(`^${name}$`) }, () => ({ path: stub }));
    }
  },
};
