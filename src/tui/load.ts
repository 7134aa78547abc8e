/**
 * Takes the place of main.tsx in dist: loads deck.cjs with V8's compiled code from the last time, which saves a third of
 * the start. The code lies beside deck.cjs and nowhere else: a folder that somebody else can write to must not decide
 * what root runs.
 */
import { closeSync, fstatSync, openSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { Script } from "node:vm";
import type { DeckOptions } from "./index.ts";

const CACHE_DELAY_MS = 3000;

const file = new URL("./deck.cjs", import.meta.url);
const cacheFile = new URL(`./deck.${process.versions.v8}-${process.arch}.cache`, import.meta.url);

/** The compiled code, if it belongs to whom deck.cjs belongs and is newer. */
function readCache(owner: number, changed: number): Buffer | undefined {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(cacheFile, "r");
    const { uid, mode, mtimeMs } = fstatSync(descriptor);
    if (uid !== owner || (mode & 0o022) !== 0 || mtimeMs < changed) return undefined;
    return readFileSync(descriptor);
  } catch {
    return undefined;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

function writeCache(script: Script): void {
  try {
    const draft = new URL(`${cacheFile.href}.${process.pid}`);
    writeFileSync(draft, script.createCachedData(), { mode: 0o644 });
    renameSync(draft, cacheFile);
  } catch {
    // Installed where this user can't write: the next start compiles again.
  }
}

function load(): typeof import("./main.tsx") {
  const descriptor = openSync(file, "r");
  const { uid, mtimeMs } = fstatSync(descriptor);
  const source = `(function(exports,require,module){${readFileSync(descriptor, "utf8")}\n})`;
  closeSync(descriptor);
  const cachedData = readCache(uid, mtimeMs);
  const script = new Script(source, { filename: file.pathname, cachedData });
  const module = { exports: {} };
  script.runInThisContext()(module.exports, createRequire(import.meta.url), module);
  if (!cachedData || script.cachedDataRejected) {
    if (process.geteuid?.() === uid) setTimeout(() => writeCache(script), CACHE_DELAY_MS).unref();
  }
  return module.exports as typeof import("./main.tsx");
}

export function runDeck(options: DeckOptions): Promise<number> {
  return load().runDeck(options);
}
