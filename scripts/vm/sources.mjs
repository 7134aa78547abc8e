// Stacks of bundled tests, told by the lines of their sources.
import { existsSync, readFileSync } from "node:fs";
import { SourceMap } from "node:module";
import { dirname, join, relative } from "node:path";
import { root } from "../build-plugins.mjs";

const PLACE = /file:\/\/\/tests\/(\S+?\.mjs):(\d+):(\d+)/;

/** A function that rewrites the text of an error: frames of the bundles in `folder` by source, others' left out. */
export function sourceLines(folder) {
  const maps = new Map();
  const mapOf = (bundle) => {
    const file = join(folder, `${bundle}.map`);
    if (!maps.has(bundle))
      maps.set(bundle, existsSync(file) ? new SourceMap(JSON.parse(readFileSync(file, "utf8"))) : undefined);
    return maps.get(bundle);
  };
  const rewrite = (line) => {
    const isFrame = /^\s+at /.test(line);
    const place = PLACE.exec(line);
    if (!place) return isFrame && line.includes("node:internal") ? undefined : line;
    const [found, bundle, row, column] = place;
    const entry = mapOf(bundle)?.findEntry(Number(row) - 1, Number(column) - 1);
    if (entry?.originalSource === undefined) return line;
    const source = relative(root, join(folder, dirname(bundle), entry.originalSource));
    if (isFrame && source.startsWith("node_modules")) return undefined;
    return line.replace(found, `${source}:${entry.originalLine + 1}:${entry.originalColumn + 1}`);
  };
  return (text) =>
    text
      .split("\n")
      .map(rewrite)
      .filter((line) => line !== undefined)
      .join("\n")
      .trimEnd();
}
