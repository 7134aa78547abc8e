// The licences of the packages whose code goes into a bundle, as one text.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const LICENSE_FILE = /^(licen[cs]e|copying)(\.(md|txt))?$/i;

/** Folder of the package that a source file belongs to; undefined for our own. */
const packageOf = (file) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0];

/** `metafiles`: esbuild's. Only packages of which something is left in an output count. Throws when one has no licence. */
export function licenses(root, metafiles) {
  const folders = new Set();
  for (const { outputs } of metafiles) {
    for (const { inputs } of Object.values(outputs)) {
      for (const [file, { bytesInOutput }] of Object.entries(inputs)) {
        const folder = bytesInOutput > 0 && packageOf(file);
        if (folder && existsSync(join(root, folder, "package.json"))) folders.add(folder);
      }
    }
  }
  const texts = [...folders].map((folder) => {
    const { name, version, license, author } = JSON.parse(
      readFileSync(join(root, folder, "package.json"), "utf8"),
    );
    const file = readdirSync(join(root, folder)).find((it) => LICENSE_FILE.test(it));
    if (!file && !license) throw new Error(`${name} ${version} states no licence`);
    const by = typeof author === "object" ? author.name : author;
    const text = file
      ? readFileSync(join(root, folder, file), "utf8").trim()
      : `${license}${by ? `, by ${by}` : ""}`;
    return `${name} ${version}\n\n${text}\n`;
  });
  return [
    "tracedeck's bundles contain code of these packages, each under its own licence.\n",
    ...texts.sort(),
  ].join(`\n${"-".repeat(80)}\n\n`);
}
