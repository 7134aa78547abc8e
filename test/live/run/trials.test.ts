/** `tracedeck run --test` and `--bench`: probes that the script's author runs. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { isRoot, tracedeck } from "../../support/cli.ts";

const folder = mkdtempSync(join(tmpdir(), "tracedeck-trials-"));
const script = join(folder, "trials.bt");
writeFileSync(
  script,
  `begin { @started = 1; }
test:okay { print("suppressed"); if (@started != 1) { return 1; } }
test:failure { print("shown"); return 1; }
test:error { errorf("bad %d", 3); }
test:exits { exit(3); }
test:exits_well { exit(); }
bench:loop { $a = 0; for ($i : 0..1000) { $a += rand % 3; } @a = $a; }
bench:nothing { }
bench:skipped { return 1; }
end { print("end"); }
`,
);
afterAll(() => rmSync(folder, { recursive: true }));

const run = (...args: string[]) => tracedeck(["run", ...args]);
const rows = (stdout: string) =>
  stdout
    .trim()
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line));

describe.skipIf(!isRoot)("test probes", () => {
  test("pass and fail, and only those that fail show what they printed", async () => {
    const { stdout, status } = await run("--test", script);
    const lines = stdout.replace(/\(\d+ \w+\)/g, "(TIME)").split("\n");
    expect(lines).toEqual([
      "[==========] Running 5 tests.",
      "[ RUN      ] okay",
      "[       OK ] okay (TIME)",
      "[ RUN      ] failure",
      "shown",
      "[  FAILED  ] failure (TIME)",
      "[ RUN      ] error",
      expect.stringMatching(/trials\.bt:4:\d+-\d+: ERROR: bad 3$/),
      "[  FAILED  ] error (TIME)",
      "[ RUN      ] exits",
      "[  FAILED  ] exits (TIME)",
      "[ RUN      ] exits_well",
      "[       OK ] exits_well (TIME)",
      "[==========] 5 tests ran.",
      "[  PASSED  ] 2 tests.",
      "[  FAILED  ] 3 tests, listed below:",
      "[  FAILED  ] failure",
      "[  FAILED  ] error",
      "[  FAILED  ] exits",
      "end",
      "",
    ]);
    expect(status).toBe(1);
  });

  test("all passed: 0", async () => {
    const { stdout, status } = await run("--test", "-e", "test:one { } test:two { return 0; }");
    expect(stdout).toContain("[  PASSED  ] 2 tests.\n");
    expect(status).toBe(0);
  });

  test("as JSON", async () => {
    const { stdout } = await run("--mode", "test", "-f", "json", script);
    expect(rows(stdout)).toMatchObject([
      { type: "test_result", data: { okay: { passed: true, output: "suppressed\n" } } },
      { data: { failure: { passed: false, output: "shown\n" } } },
      { data: { error: { passed: false } } },
      { data: { exits: { passed: false } } },
      { data: { exits_well: { passed: true } } },
    ]);
  });
});

describe.skipIf(!isRoot)("bench probes", () => {
  test("are measured, what returns something is left out", async () => {
    const { stdout, status } = await run("--bench", script);
    expect(status).toBe(0);
    expect(stdout).toMatch(
      /^Benchmark +Time\(ns\) +Iterations\n-+\nloop +\d+ +\d+\nnothing +\d+ +\d+\nend\n$/,
    );
  });

  test("a thousand rounds take longer than nothing, and measuring takes a millisecond at least", async () => {
    const { stdout } = await run("--mode=bench", "-f", "json", script);
    const found = Object.assign({}, ...rows(stdout).map(({ data }) => data));
    expect(Object.keys(found)).toEqual(["loop", "nothing"]);
    expect(found.loop.average).toBeGreaterThan(1000);
    expect(found.loop.average).toBeGreaterThan(10 * found.nothing.average);
    expect(found.loop.average * found.loop.iters).toBeGreaterThanOrEqual(1e6);
  });
});

describe.skipIf(!isRoot)("elsewhere", () => {
  test("they are ignored, and said how to run when there is nothing else", async () => {
    expect((await run("-e", "test:a { return 1; } bench:b { } begin { exit(); }")).status).toBe(0);
    const { stderr, status } = await run("-e", "bench:b { }");
    expect(status).toBe(1);
    expect(stderr).toContain("tracedeck run --bench");
  });

  test.each([
    [["--test", "--bench"], "exclude each other"],
    [["--mode", "codegen"], "valid values: 'test', 'bench'"],
  ])("%s is refused", async (args, said) => {
    const { stderr, status } = await run(...args, "-e", "test:a { }");
    expect(status).toBe(1);
    expect(stderr).toContain(said);
  });

  test("two of one name", async () => {
    const { stderr } = await run("--test", "-e", "test:a { } test:a { }");
    expect(stderr).toContain("there are two probes test:a");
  });
});
