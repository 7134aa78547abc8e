/** Rows of script and output: the language, line by line. */
import { describe, expect, test } from "vitest";
import { isRoot } from "../../support/cli.ts";
import { runScript } from "../../support/script.ts";

/** A script, what it prints, and arguments of `tracedeck run` if it needs some. */
export type Row = readonly [script: string, output: string | RegExp, args?: readonly string[]];

/** What has no probe of its own runs in begin. */
const whole = (script: string): string =>
  /^\s*(begin|end|BEGIN|END|config|struct|union|enum|typedef|macro|let @|import|#|interval|tracepoint|[a-z]+:)/.test(
    script,
  )
    ? script
    : `begin { ${script} }`;

/** Each row's script must print its output, a newline at the end left out, and complain of nothing. */
export function prints(subject: string, rows: readonly Row[]): void {
  describe.skipIf(!isRoot)(subject, () => {
    test.each(rows.map(([script, output, args]) => [script, output, args ?? []] as const))(
      "%s",
      async (script, output, args) => {
        const run = await runScript(whole(script), args);
        expect(run.stderr).toBe("");
        if (typeof output === "string") expect(run.stdout.replace(/\n$/, "")).toBe(output);
        else expect(run.stdout).toMatch(output);
        expect(run.status).toBe(0);
      },
    );
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
    test.each(
      rows.map(([script, output, complaint, args]) => [script, output, complaint, args ?? []] as const),
    )("%s", async (script, output, complaint, args) => {
      const run = await runScript(whole(script), args);
      expect(run.stderr).toMatch(complaint);
      expect(run.stdout.replace(/\n$/, "")).toBe(output);
      expect(run.status).toBe(0);
    });
  });
}
