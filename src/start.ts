#!/usr/bin/env node
/** dist/cli.js: loads the headless commands from their bundle and runs one. */
import { writeFileSync } from "node:fs";
import { loadBundle } from "./codeCache.ts";

/** Commands that use most of the bundle: what they had compiled serves all others. */
const TYPICAL = new Set(["run", "engine"]);
const KEEP_AFTER_MS = 3000;

try {
  // Scripts see this name in begin and end (comm), pgrep finds it; the command line stays as it was typed.
  writeFileSync("/proc/self/comm", "tracedeck");
} catch {
  // No /proc: node it is.
}

const args = process.argv.slice(2);
const { exports, keep } = loadBundle<typeof import("./cli.ts")>(`${import.meta.dirname}/headless.cjs`);
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
