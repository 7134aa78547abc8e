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
  "es-toolkit/compat": "export const throttle = (fn) => Object.assign(fn, { cancel() {}, flush() {} });",
  "is-in-ci": "export default false;",
  lodash: `module.exports = require(${JSON.stringify(path("src/panes/chart/stubs/lodash.cjs"))});`,
  "patch-console": "export default () => () => {};",
  "react-devtools-core": "export default {};",
  "signal-exit": "export default () => () => {};",
  "terminal-size": "export default () => ({ columns: 80, rows: 24 });",
  // The deck's lines fit; one that does not is cut by the painter.
  "widest-line": "export default () => 0;",
  "wrap-ansi": "export default (text) => text;",
  "yoga-layout": `export { rectangles as default } from ${JSON.stringify(path("src/tui/lean/rectangle.ts"))};`,
};

/** Ink's own modules, by their file under ink/build. */
const inkModules = {
  "output.js": 'export { default } from "./output.ts";',
  "styles.js": 'export { applyStyles as default } from "./rectangle.ts";',
  // Their caches would keep every text that was ever shown.
  "measure-text.js": "export default () => ({ width: 0, height: 0 });",
  "wrap-text.js": "export default (text) => text;",
  // Only the painter writes to the terminal, and it lets nothing but SGR pass.
  "sanitize-ansi.js": "export default (text) => text;",
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
