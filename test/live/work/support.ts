/** The traced C program of these tests, and scripts run on it. */
import { join } from "node:path";
import { kernelAtLeast } from "libbpf-ts";
import { isRoot } from "../../support/cli.ts";
import { canCompile, cProgram, type Program } from "../../support/programs.ts";
import { runScript, type ScriptRun } from "../../support/script.ts";

/** Tests of the C program need root and a compiler. */
export const canTraceC = isRoot && canCompile;

/** A program of this folder. */
export const program = (source: string, flags: readonly string[] = []): Program =>
  cProgram(join(import.meta.dirname, source), {
    flags: ["-fno-omit-frame-pointer", "-pthread", ...flags],
  });

/** A script on the program with these arguments (-c); WORK in the script is the program's path. */
export function traced(
  { path }: { readonly path: string },
  work: string,
  script: string,
  args: readonly string[] = [],
): Promise<ScriptRun> {
  return runScript(script.replaceAll("WORK", path), ["-c", `${path} ${work}`, ...args]);
}

/**
 * How many switches may have gone unseen in a run: one within another program's run is not traced, and counted as
 * missed; before Linux 6.7 the kernel does not count it.
 */
export const switchesUnseen = (losses: { readonly missed: number }) =>
  losses.missed + (kernelAtLeast("6.7") ? 0 : 2);

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
