// Bundles test files for the virtual machine, and builds the programs that they trace, here where compilers are.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import * as esbuild from "esbuild";
import { root } from "../build-plugins.mjs";

/** A module bundled with others still knows where its source lies: the machine has the project at the same path. */
const located = {
  name: "located",
  setup(build) {
    build.onLoad({ filter: /\.[mc]?tsx?$/ }, ({ path }) => {
      if (relative(root, path).startsWith("node_modules")) return;
      const contents = readFileSync(path, "utf8")
        .replaceAll("import.meta.dirname", JSON.stringify(dirname(path)))
        .replaceAll("import.meta.filename", JSON.stringify(path))
        .replaceAll("import.meta.url", JSON.stringify(`file://${path}`));
      return { contents, loader: path.endsWith("x") ? "tsx" : "ts" };
    });
  },
};

/**
 * Bundles the files (paths from the project's root) into `folder`, which must lie in the project, so that koffi is found.
 * The bundles' paths, in order.
 */
export async function bundleTests(files, folder) {
  await esbuild.build({
    absWorkingDir: root,
    entryPoints: [...files, "test/vm/file.ts", "test/vm/main.ts"].map((file) => ({
      in: file,
      out: bundleName(file),
    })),
    outdir: folder,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    splitting: true,
    platform: "node",
    format: "esm",
    target: "node20",
    external: ["koffi"],
    alias: { vitest: join(root, "test/vm/vitest.ts") },
    plugins: [located],
    logLevel: "warning",
    sourcemap: "external",
    sourcesContent: false,
    banner: { js: 'import{createRequire as __r}from"node:module";const require=__r(import.meta.url);' },
  });
  await esbuild.stop();
  return files.map((file) => join(folder, `${bundleName(file)}.mjs`));
}

const bundleName = (file) => (file.startsWith("test/vm/") ? file.slice(8, -3) : file.replace(/\.ts$/, ""));

/** Builds the programs that bundled tests declare into `to`; `scratch` takes what importing them leaves behind. */
export function buildPrograms(folder, bundles, to, scratch) {
  mkdirSync(to, { recursive: true });
  mkdirSync(scratch, { recursive: true });
  execFileSync(process.execPath, [join(folder, "file.mjs"), "--collect", ...bundles], {
    cwd: root,
    env: { ...process.env, TRACEDECK_BUILD_PROGRAMS: to, TMPDIR: scratch },
    stdio: ["ignore", "inherit", "inherit"],
  });
}
