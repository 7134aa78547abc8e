/** Rows of script and output: the language, line by line. */
import { kernelAtLeast } from "libbpf-ts";
import { describe, expect, test } from "vitest";
import { isRoot } from "../../support/cli.ts";
import { runScript, type ScriptRun } from "../../support/script.ts";

/** A script, what it prints, and arguments of `tracedeck run` if it needs some. */
export type Row = readonly [script: string, output: string | RegExp, args?: readonly string[]];

/** What has no probe of its own runs in begin. */
const whole = (script: string): string =>
  /^\s*(begin|end|BEGIN|END|config|struct|union|enum|typedef|macro|fn |let @|import|#|interval|tracepoint|[a-z]+:)/.test(
    script,
  )
    ? script
    : `begin { ${script} }`;

/** Skips what is refused because it needs a newer kernel than this one. */
function skipWhereTooOld({ diagnostics }: ScriptRun, skip: (condition: boolean, note: string) => void): void {
  for (const { message } of diagnostics) {
    const [, since] = /needs Linux (\d+\.\d+), and this is/.exec(message) ?? [];
    if (since !== undefined) skip(!kernelAtLeast(since), message);
  }
}

/** Each row's script must print its output, a newline at the end left out, and complain of nothing. */
export function prints(subject: string, rows: readonly Row[]): void {
  describe.skipIf(!isRoot)(subject, () => {
    test.for(rows)("%s", async ([script, output, args], { skip }) => {
      const run = await runScript(whole(script), args);
      skipWhereTooOld(run, skip);
      expect(run.stderr).toBe("");
      if (typeof output === "string") expect(run.stdout.replace(/\n$/, "")).toBe(output);
      else expect(run.stdout).toMatch(output);
      expect(run.status).toBe(0);
    });
  });
}

/** Each row's script runs as well, and says something on standard error. */
export function warns(
  subject: string,
  rows: readonly (readonly [
    script: string,
    output: string,
    complaint: string | RegExp,
    args?: readonly string[],
  ])[],
): void {
  describe.skipIf(!isRoot)(subject, () => {
    test.for(rows)("%s", async ([script, output, complaint, args], { skip }) => {
      const run = await runScript(whole(script), args);
      skipWhereTooOld(run, skip);
      expect(run.stderr).toMatch(complaint);
      expect(run.stdout.replace(/\n$/, "")).toBe(output);
      expect(run.status).toBe(0);
    });
  });
}
