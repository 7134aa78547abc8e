/**
 * Loads a bundle of dist/ with V8's compiled code from an earlier run, which saves a third of the start, and has V8
 * compile less once the program has settled. The code lies beside the bundle and nowhere else: a folder that somebody
 * else can write to must not decide what root runs.
 */
import { closeSync, fstatSync, openSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { Script } from "node:vm";

export interface Bundle<Exports> {
  exports: Exports;
  /** Keeps the code compiled so far for the next run; absent where it is there already or can't be. */
  keep?: () => void;
}

/** The compiled code, if it belongs to whom the bundle belongs and is newer. */
function readCache(path: string, owner: number, changed: number): Buffer | undefined {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, "r");
    const { uid, mode, mtimeMs } = fstatSync(descriptor);
    if (uid !== owner || (mode & 0o022) !== 0 || mtimeMs < changed) return undefined;
    return readFileSync(descriptor);
  } catch {
    return undefined;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

function writeCache(path: string, script: Script): void {
  try {
    const draft = `${path}.${process.pid}`;
    writeFileSync(draft, script.createCachedData(), { mode: 0o644 });
    renameSync(draft, path);
  } catch {
    // Installed where this user can't write: the next start compiles again.
  }
}

/** Runs a bundle: one function, ASCII (esbuild escapes the rest), so that its text needs no decoding and no copy. */
export function loadBundle<Exports>(path: string): Bundle<Exports> {
  // V8 takes no code that was compiled with other flags.
  const version = [process.versions.v8, process.arch, ...process.execArgv].join("-").replace(/[^\w.-]/g, "_");
  const cachePath = `${path.replace(/\.cjs$/, "")}.${version}.cache`;
  const descriptor = openSync(path, "r");
  const { uid, mtimeMs } = fstatSync(descriptor);
  const source = readFileSync(descriptor, "latin1");
  closeSync(descriptor);
  const cachedData = readCache(cachePath, uid, mtimeMs);
  const script = new Script(source, { filename: path, cachedData });
  const module = { exports: {} };
  // `require` of the CommonJS file that this is part of: what it finds, a bundle beside it finds.
  script.runInThisContext()(module.exports, require, module, path, dirname(path));
  const isStale = !cachedData || script.cachedDataRejected;
  const keep = () => writeCache(cachePath, script);
  return {
    exports: module.exports as Exports,
    keep: isStale && process.geteuid?.() === uid ? keep : undefined,
  };
}

/** By now what a start needs has been compiled. */
const SETTLED_MS = 3000;

/**
 * V8 compiles and recompiles whatever ran for a while, on threads of its own. Where something happens a few times a second,
 * that costs more than it saves for minutes, and it is a third of what a deck and its engine take. By V8's major version:
 * a flag that it does not know it complains of on the terminal.
 */
export const COMPILE_LATER: Readonly<Record<string, string>> = {
  11: "--interrupt-budget=400000 --max-inlined-bytecode-size-cumulative=200",
};

/** Runs a command to its end. Once it has settled, its code is kept for the next run, and V8 compiles less eagerly. */
export async function settling(command: () => Promise<number>, keep?: () => void): Promise<number> {
  let kept = false;
  const keepOnce = () => {
    if (!kept) keep?.();
    kept = true;
  };
  const settled = setTimeout(() => {
    keepOnce();
    // Not before: V8 takes no code that was compiled with other flags.
    const flags = COMPILE_LATER[Number.parseInt(process.versions.v8, 10)];
    if (flags) void import("node:v8").then(({ setFlagsFromString }) => setFlagsFromString(flags));
  }, SETTLED_MS).unref();
  const code = await command();
  clearTimeout(settled);
  keepOnce();
  return code;
}
