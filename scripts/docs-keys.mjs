// Writes docs/keys.md from the deck's key tables.
import { writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { leanContrib } from "./build-plugins.mjs";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const { outputFiles } = await build({
  absWorkingDir: root,
  entryPoints: ["src/tui/keys-doc.ts"],
  bundle: true,
  write: false,
  platform: "node",
  format: "cjs",
  plugins: [leanContrib],
});
const module = { exports: {} };
new Function("module", "exports", "require", outputFiles[0].text)(module, module.exports, () => ({}));
writeFileSync(join(root, "docs/keys.md"), module.exports.keysMarkdown());
