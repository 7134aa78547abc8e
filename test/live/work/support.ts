/** The traced C program of these tests, and scripts run on it. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { commandPath, isRoot } from "../../support/cli.ts";
import { runScript, type ScriptRun } from "../../support/script.ts";

export const gcc = commandPath("gcc");
/** Tests of the C program need root and a compiler. */
export const canTraceC = isRoot && gcc !== undefined;
export const hasUsdtHeader = [
  "/usr/include",
  "/usr/include/x86_64-linux-gnu",
  "/usr/include/aarch64-linux-gnu",
].some((folder) => existsSync(join(folder, "sys/sdt.h")));

let folder: string | undefined;

/** Builds a program of this folder before the tests of a file; its path is known while they run. */
export function program(source: string, flags: readonly string[] = []): { readonly path: string } {
  const built = { path: "" };
  beforeAll(() => {
    folder ??= mkdtempSync(join(tmpdir(), "tracedeck-work-"));
    built.path = join(folder, source.replace(/\.c$/, ""));
    const options = ["-O1", "-fno-omit-frame-pointer", "-pthread", ...flags];
    execFileSync("gcc", [...options, "-o", built.path, join(import.meta.dirname, source)], {
      stdio: "inherit",
    });
  });
  afterAll(() => {
    if (folder) rmSync(folder, { recursive: true, force: true });
    folder = undefined;
  });
  return built;
}

/** A script on the program with these arguments (-c); WORK in the script is the program's path. */
export function traced(
  { path }: { readonly path: string },
  work: string,
  script: string,
  args: readonly string[] = [],
): Promise<ScriptRun> {
  return runScript(script.replaceAll("WORK", path), ["-c", `${path} ${work}`, ...args]);
}

/** "@name[key]: value" lines as key → number; the key of a scalar map is "". */
export function counts(stdout: string, name: string): Map<string, number> {
  const rows = new Map<string, number>();
  for (const [, key, value] of stdout.matchAll(new RegExp(`^${name}(?:\\[(.*)\\])?: (-?\\d+)$`, "gm"))) {
    rows.set(key ?? "", Number(value));
  }
  return rows;
}

/** Buckets of a histogram that is printed as `title:`: "[4, 8)" → count, empty ones left out. */
export function buckets(stdout: string, title: string): Map<string, number> {
  const lines = stdout.split("\n");
  const rows = new Map<string, number>();
  const from = lines.indexOf(`${title}:`);
  if (from < 0) return rows;
  for (const line of lines.slice(from + 1)) {
    const bucket = /^([[(].*[\])]) +(\d+) \|/.exec(line);
    if (!bucket) break;
    if (bucket[2] !== "0") rows.set(bucket[1], Number(bucket[2]));
  }
  return rows;
}
