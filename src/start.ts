#!/usr/bin/env node
/** dist/cli.js: loads the headless commands from their bundle and runs one. */
import { loadBundle } from "./codeCache.ts";

/** Commands that use most of the bundle: what they had compiled serves all others. */
const TYPICAL = new Set(["run", "engine"]);
const KEEP_AFTER_MS = 3000;

const args = process.argv.slice(2);
const { exports, keep } = loadBundle<typeof import("./cli.ts")>(new URL("./headless.cjs", import.meta.url));
const typical = TYPICAL.has(args[0]);
if (typical) setTimeout(keep, KEEP_AFTER_MS).unref();
exports
  .main(args)
  .catch((error: unknown) => {
    const { message, stack } = error instanceof Error ? error : new Error(String(error));
    const more = process.env.TRACEDECK_DEBUG
      ? `\n${stack}`
      : "\nThis is a bug. TRACEDECK_DEBUG=1 shows where.";
    process.stderr.write(`tracedeck: internal error: ${message}${more}\n`);
    return 255;
  })
  .then((code) => {
    if (typical) keep();
    process.exit(code);
  });
