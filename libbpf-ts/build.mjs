// Makes `dist`, the package as it is published: `npm run build -w libbpf-ts && npm publish ./libbpf-ts/dist`. In the
// workspace the package is used from its sources, so nothing needs this to develop or to test.

import { execFileSync } from "node:child_process";
import { copyFileSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
rmSync(`${here}dist`, { recursive: true, force: true });
execFileSync("npx", ["tsc", "-p", `${here}tsconfig.build.json`], { stdio: "inherit" });

const { scripts, exports, ...manifest } = JSON.parse(readFileSync(`${here}package.json`, "utf8"));
const published = Object.entries(exports).map(([name, source]) => {
  const path = source.replace("./src/", "./").replace(/\.ts$/, "");
  return [name, { types: `${path}.d.ts`, default: `${path}.js` }];
});
writeFileSync(
  `${here}dist/package.json`,
  `${JSON.stringify({ ...manifest, exports: Object.fromEntries(published) }, null, 2)}\n`,
);
copyFileSync(`${here}README.md`, `${here}dist/README.md`);
copyFileSync(`${here}../LICENSE`, `${here}dist/LICENSE`);
