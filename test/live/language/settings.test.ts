/** What comes from outside a script: positional and named parameters, the config block, the environment, imports. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { isRoot, tracedeck } from "../../support/cli.ts";
import { prints } from "./rows.ts";

prints("positional parameters", [
  ['printf("%d %s %d\\n", $1, str($2), $#)', "42 hello 2", ["42", "hello"]],
  ["print(($1, str($2)))", "(0, )"],
  ["print($#)", "0"],
  ["print(($1 + 1, -$1))", "(8, -7)", ["7"]],
  ["print(($1, $2))", "(493, 291)", ["0755", "0x123"]],
  ["print(str($1 + 1))", "ello", ["hello"]],
  ['if (str($1 + 3) == "") { print("none") }', "none"],
  ['if (str($1) == "yes") { print("equal") }', "equal", ["yes"]],
  ['printf("%lu\\n", $1)', "18446744073709551615", ["0xffffffffffffffff"]],
  ["interval:ms:$1 { print(1); exit() }", "1", ["5"]],
  ["#define UNUSED 1\n$1 { print(2); exit() }", "2", ["interval:ms:5"]],
  ["@ = lhist(5, $1, $2, $3)", /\[0, 10\) +1/, ["0", "100", "10"]],
  ["print((str($1), $2))", "(p1, 20)", ["p1", "--", "20"]],
  ["print(1 ? $1 : 0)", "9", ["9"]],
  ["@[str($1)] = $2", "@[key]: 5", ["key", "5"]],
]);

prints("named parameters", [
  ['print((getopt("n", 5), getopt("s", "none"), getopt("b")))', "(5, none, false)"],
  [
    'print((getopt("n", 5), getopt("s", "none"), getopt("b")))',
    "(20, text, true)",
    ["--", "--n=20", "--s=text", "--b"],
  ],
  [
    'print((getopt("a", true), getopt("b", false), getopt("c", false)))',
    "(false, true, true)",
    ["--", "--a=false", "--b", "--c=1"],
  ],
  ['if (getopt("deep", 3) > 2) { print("deep") } else { print("shallow") }', "shallow", ["--", "--deep=1"]],
  ['print(getopt("n", 5, "how many"))', "6", ["--", "--n=6"]],
]);

prints("the config block", [
  ['config = { print_maps_on_exit=false } begin { @a = 1; print("x") }', "x"],
  ["config = { PRINT_MAPS_ON_EXIT=0; max_map_keys=2 } begin { @a[1] = 1; print(len(@a)) }", "1"],
  ["config = { BPFTRACE_MAX_STRLEN=32; } begin { print(config.max_strlen) }", "32"],
  ["config = { stack_mode=raw } begin { print(config.stack_mode) }", "raw"],
  ["config = { missing_probes=ignore } tracepoint:no:such { } begin { print(1) }", "1"],
  [
    'config = { on_stack_limit=0 } begin { $a = (1, "text", 3); @[$a] = $a; print(@[$a].1); clear(@) }',
    "text",
  ],
  ['config = { on_stack_limit=512 } begin { $a = (1, "text", 3); print($a.1) }', "text"],
]);

describe.skipIf(!isRoot)("files and the environment", () => {
  const folder = mkdtempSync(join(tmpdir(), "tracedeck-imports-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const write = (name: string, text: string): string => {
    const path = join(folder, name);
    mkdirSync(join(path, ".."), { recursive: true });
    writeFileSync(path, text);
    return path;
  };
  const output = async (file: string, env: Record<string, string> = {}) => {
    const { stdout, stderr, status } = await tracedeck(["run", "-q", file], { env });
    expect(stderr).toBe("");
    expect(status).toBe(0);
    return stdout.replace(/\n+$/, "");
  };

  test("a script's macros, maps and actions", async () => {
    write(
      "helpers.bt",
      'macro greet(name) { printf("hello %s\\n", name); } let @m = hash(5); begin { print("helper first"); }',
    );
    const script = write("main.bt", 'import "helpers.bt"; begin { greet("world"); @m[1] = 2; }');
    expect(await output(script)).toBe("helper first\nhello world\n\n\n@m[1]: 2");
  });

  test("a header's types, defines and enums", async () => {
    write(
      "types.h",
      "#define LIMIT 12\nenum kind { FIRST = 4 };\nstruct pair { int a; long b; };\ntypedef unsigned short tiny;\n",
    );
    const script = write(
      "header.bt",
      'import "types.h"; begin { print((LIMIT, FIRST, sizeof(struct pair), sizeof(tiny))); }',
    );
    expect(await output(script)).toBe("(12, FIRST, 16, 2)");
  });

  test("a directory, imports of imports, and each file once", async () => {
    write("lib/a.bt", "macro a() { 1 }");
    write("lib/b.bt", 'import "../helpers2.bt"; macro b() { base() + 1 }');
    write("helpers2.bt", "macro base() { 10 }");
    const script = write(
      "dir.bt",
      'import "lib"; import "helpers2.bt"; begin { print((a(), b(), base())); }',
    );
    expect(await output(script)).toBe("(1, 11, 10)");
  });

  test("an include beside the script", async () => {
    write("own.h", "struct own { char c; short s; };\n#define OWN 3\n");
    const script = write("include.bt", '#include "own.h"\nbegin { print((sizeof(struct own), OWN)); }');
    expect(await output(script)).toBe("(4, 3)");
  });

  test("the environment wins over the config block", async () => {
    const script = write(
      "environment.bt",
      "config = { max_strlen=32 } begin { print((config.max_strlen, config.max_map_keys)); }",
    );
    expect(await output(script, { BPFTRACE_MAX_STRLEN: "48", BPFTRACE_MAX_MAP_KEYS: "7" })).toBe("(48, 7)");
  });

  test("a file that is not there, and one with a mistake, are named with their place", async () => {
    const missing = await tracedeck(["check", write("missing.bt", 'import "nowhere.bt"; begin { }')]);
    expect(missing.status).toBe(1);
    expect(missing.stdout + missing.stderr).toMatch(/missing\.bt:1:1-\d+: ERROR: .*nowhere\.bt/);
    write("broken.bt", "begin { print(1 }");
    const broken = await tracedeck(["check", write("broken-main.bt", 'import "broken.bt"; begin { }')]);
    expect(broken.status).toBe(1);
    expect(broken.stdout + broken.stderr).toMatch(/broken\.bt:1:\d+-\d+: ERROR/);
  });
});
