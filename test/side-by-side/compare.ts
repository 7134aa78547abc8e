/** Runs a one-liner in Debian's bpftrace and in tracedeck, on the same work. */
import { join } from "node:path";
import { ElfFile, ElfSymbols, kernelAtLeast } from "libbpf-ts";
import { expect, test } from "vitest";
import { CLI, commandPath, finish, isRoot } from "../support/cli.ts";
import { canCompile, canCompileUsdt, cProgram } from "../support/programs.ts";
import type { OneLiner } from "./oneLiners.ts";

const bpftrace = commandPath("bpftrace");
/** Whether there is something to compare with. */
export const canCompare = isRoot && bpftrace !== undefined;

/** bpftrace 0.17 finds no BTF on older kernels that have it. */
const readsTypes = kernelAtLeast("5.11");

const work = cProgram(join(import.meta.dirname, "workload.c"), { name: "work", flags: ["-no-pie"] });

/** In the program as it runs: it is not moved. */
function addressOf(variable: string): string {
  using elf = ElfFile.open(work.path);
  return ElfSymbols.read(elf).find(variable)!.address.toString(16);
}

/** What 0.17 writes otherwise than 0.26: the banner, blank lines, spaces around lines (stacks stand further in), and stats(). */
function normalized(output: string): string[] {
  return output
    .split("\n")
    .filter((line) => line.trim() !== "" && !/^Attach(ing|ed) \d+ probes?/.test(line))
    .map((line) => line.trim())
    .map((line) =>
      line.replace(
        /count (\d+), average (-?\d+), total (-?\d+)$/,
        "{ .count = $1, .average = $2, .total = $3 }",
      ),
    );
}

async function run(command: readonly string[], { script, parameters = [], command: traced }: OneLiner) {
  const path = canCompile ? work.path : "";
  const text = script.replaceAll("WORK", path).replace("WATCHED", () => addressOf("watched"));
  const args = ["-e", text, ...(traced ? ["-c", path] : []), ...parameters];
  const { stdout, stderr, status } = await finish([...command, ...args]);
  return { lines: normalized(stdout), stderr, status };
}

/** A test for each row: both print the same lines. Rows that see only their own child may run `together`. */
export function sameAnswers(rows: readonly OneLiner[], { together = false } = {}): void {
  for (const row of rows) {
    const noTypes = row.types && !readsTypes;
    const name = noTypes ? `${row.name} (bpftrace 0.17 reads no types of Linux 5.10)` : row.name;
    test.skipIf((row.command && !canCompile) || (row.usdt && !canCompileUsdt) || noTypes)(name, async () => {
      const first = run([bpftrace!], row);
      if (!together) await first;
      const ours = await run([...CLI, "run"], row);
      const theirs = await first;
      expect(theirs.status, theirs.stderr).toBe(0);
      expect(theirs.lines.length).toBeGreaterThan(0);
      expect(ours.status, ours.stderr).toBe(0);
      expect(ours.lines).toEqual(theirs.lines);
    });
  }
}
