/** Mistakes: each with its code, its place in the script, and a way out where there is one. */
import { describe, expect, test } from "vitest";
import { isRoot } from "../../support/cli.ts";
import { runScript } from "../../support/script.ts";

/** A script, the text its first error points at, what the message names, and the hint. */
const MISTAKES: readonly (readonly [script: string, at: string, message: RegExp, hint?: RegExp])[] = [
  ["begin { prinft(1); }", "prinft", /prinft/, /printf/],
  ["begin { print($x); }", "$x", /\$x/],
  ["begin { print(@x); $a = @x; }", "@x", /@x/],
  ["begin { print(1 / 0); }", "1 / 0", /division by zero/],
  ['begin { $a = 1; $a = "text"; }', '"text"', /\$a is int/],
  ['begin { @a = 1; @a = "text"; }', '"text"', /@a holds/],
  ["begin { @a[1] = 1; @a = 2; }", "@a", /with one elsewhere/],
  ['begin { @a[1] = 1; @a["x"] = 2; }', '"x"', /key/],
  ['begin { if ("a" < "b") { } }', "<", /string/, /== and !=/],
  ["tracepoint:sched:sched_swich { }", "tracepoint:sched:sched_swich", /sched_swich/, /sched_switch/],
  ["tracepoint:sched:sched_switch { print(args.prev_pidd); }", "prev_pidd", /prev_pidd/, /prev_pid/],
  ["begin { print(curtask.pidd); }", "pidd", /pidd/, /pid/],
  ["begin { exec(1); }", "exec", /exec/],
  ['begin { system("ls"); }', 'system("ls")', /system\(\)/, /--unsafe/],
  ["begin { unroll(0) { } }", "0", /unroll/],
];

describe.skipIf(!isRoot)("mistakes", () => {
  test.each(MISTAKES.map(([script, at, message, hint]) => ({ script, at, message, hint })))(
    "$script",
    async ({ script, at, message, hint }) => {
      const { diagnostics, stderr, status } = await runScript(script);
      const first = diagnostics.find(({ severity }) => severity === "error");
      expect(status).toBe(1);
      expect(first?.code).toMatch(/^[a-z][a-z-]+$/);
      expect(script.slice(first!.span.start, first!.span.end)).toContain(at);
      expect(first!.message).toMatch(message);
      if (hint) expect(`${first!.hint}`).toMatch(hint);
      expect(stderr).toMatch(/^stdin:1:\d+-\d+: ERROR: /);
      expect(stderr).not.toContain("the compiler failed");
    },
  );

  test("several in one run", async () => {
    const { diagnostics } = await runScript("begin { print($a); prinft(1); print(1 / 0); }");
    expect(diagnostics.filter(({ severity }) => severity === "error").length).toBeGreaterThanOrEqual(3);
  });
});
