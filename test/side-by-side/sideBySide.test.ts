/** The same script on the same work in Debian's bpftrace and in tracedeck gives the same output. */
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { CLI, commandPath, finish, isRoot } from "../support/cli.ts";
import { canCompile, cProgram } from "../support/programs.ts";
import { ONE_LINERS, type OneLiner } from "./oneLiners.ts";

const bpftrace = commandPath("bpftrace");

/** What 0.17 writes otherwise than 0.26: the banner, blank lines, the space after a histogram's name, and stats(). */
function normalized(output: string): string[] {
  return output
    .split("\n")
    .filter((line) => line.trim() !== "" && !/^Attach(ing|ed) \d+ probes?/.test(line))
    .map((line) => line.trimEnd())
    .map((line) =>
      line.replace(
        /count (\d+), average (-?\d+), total (-?\d+)$/,
        "{ .count = $1, .average = $2, .total = $3 }",
      ),
    );
}

describe.skipIf(!bpftrace || !isRoot)("side by side with bpftrace", () => {
  const work = cProgram(join(import.meta.dirname, "workload.c"), { name: "work" });

  async function run(command: readonly string[], { script, parameters = [], command: traced }: OneLiner) {
    const path = canCompile ? work.path : "";
    const args = ["-e", script.replaceAll("WORK", path), ...(traced ? ["-c", path] : []), ...parameters];
    const { stdout, stderr, status } = await finish([...command, ...args]);
    return { lines: normalized(stdout), stderr, status };
  }

  for (const row of ONE_LINERS) {
    test.skipIf(row.command && !canCompile)(row.name, async () => {
      const theirs = await run([bpftrace!], row);
      const ours = await run([...CLI, "run"], row);
      expect(theirs.status, theirs.stderr).toBe(0);
      expect(theirs.lines.length).toBeGreaterThan(0);
      expect(ours.status, ours.stderr).toBe(0);
      expect(ours.lines).toEqual(theirs.lines);
    });
  }
});
