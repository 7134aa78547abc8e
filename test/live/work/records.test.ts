/** What tracepoints' records hold besides numbers, strings that are cut, and maps that are full. */
import { describe, expect, test } from "vitest";
import { isRoot } from "../../support/cli.ts";
import { runScript } from "../../support/script.ts";
import { canTraceC, counts, program, traced } from "./support.ts";

describe.skipIf(!canTraceC)("records of tracepoints", () => {
  const work = program("work.c");

  test("text of any length (__data_loc)", async () => {
    const { stdout, stderr } = await traced(
      work,
      "processes 5",
      'tracepoint:sched:sched_process_exec /str(args.filename) == "/bin/true"/ { @[args.filename] = count(); @length[strlen(args.filename)] = count(); @start[str(args.filename, 5)] = count(); }',
    );
    expect(stderr).toBe("");
    expect(counts(stdout, "@").get("/bin/true")).toBe(5);
    expect(counts(stdout, "@start").get("/bin")).toBe(5);
  });

  test("arrays", async () => {
    const { stdout, stderr } = await traced(
      work,
      "signals 6",
      "tracepoint:raw_syscalls:sys_enter /pid == cpid && args.id == 62/ { @[args.args[0] == cpid, args.args[1]] = count(); $i = 1; @computed[args.args[$i]] = count(); }",
    );
    expect(stderr).toBe("");
    if (process.arch !== "x64") return;
    expect(counts(stdout, "@").get("true, 10")).toBe(6);
    expect(counts(stdout, "@computed").get("10")).toBe(6);
  });

  test("text of a fixed size", async () => {
    const { stdout } = await traced(
      work,
      "processes 3",
      "tracepoint:sched:sched_process_fork /args.parent_pid == cpid/ { @[args.parent_comm] = count(); }",
    );
    expect(counts(stdout, "@").get("work")).toBe(3);
  });
});

describe.skipIf(!canTraceC)("strings that do not fit", () => {
  const work = program("work.c");
  /** The program's strings are "one", "three" and "longer than that". */
  const printed = (config: string, statement: string) =>
    traced(work, "functions 1", `config = { ${config} } uprobe:WORK:measure { ${statement} }`);

  test("are cut and marked, wherever they are shown", async () => {
    const { stdout, losses } = await printed(
      "max_strlen=8",
      'printf("%s|\\n", str(arg0)); @[str(arg0)] = count();',
    );
    expect(stdout).toContain("longer t..|");
    expect(stdout).toContain("one|");
    expect(counts(stdout, "@")).toEqual(
      new Map([
        ["one", 1],
        ["three", 1],
        ["longer t..", 1],
      ]),
    );
    expect(losses!.stringsTruncated).toBeGreaterThan(0);
  });

  test("are marked as the script wants", async () => {
    const { stdout } = await printed('max_strlen=8; str_trunc_trailer="~"', 'printf("%s|", str(arg0));');
    expect(stdout).toContain("longer t~|");
    expect(stdout).not.toContain("three~");
  });

  test("those that just fit are not", async () => {
    const { stdout, losses } = await printed("max_strlen=17", 'printf("%s|", str(arg0));');
    expect(stdout).toContain("longer than that|");
    expect(losses!.stringsTruncated).toBe(0);
  });
});

describe.skipIf(!isRoot)("full maps", () => {
  test("their length, and every entry once in a loop", async () => {
    const { stdout, losses } = await runScript(
      `config = { max_map_keys=100 }
       begin {
         for ($i : 0..150) { @[$i] = $i; @c[$i] = count(); }
         @length = len(@); @counters = len(@c);
         for ($kv : @) { @seen = count(); @sum = sum($kv.1); }
         for ($kv : @c) { @seen_counters = count(); @total = sum((uint64)$kv.1); }
         clear(@); clear(@c);
       }`,
    );
    expect(counts(stdout, "@length").get("")).toBe(100);
    expect(counts(stdout, "@counters").get("")).toBe(100);
    expect(counts(stdout, "@seen").get("")).toBe(100);
    expect(counts(stdout, "@sum").get("")).toBe((99 * 100) / 2);
    expect(counts(stdout, "@seen_counters").get("")).toBe(100);
    expect(counts(stdout, "@total").get("")).toBe(100);
    expect(losses!.mapsFull).toEqual([
      { map: "@", count: 50 },
      { map: "@c", count: 50 },
    ]);
  });

  test("room is there again once something is deleted", async () => {
    const { stdout } = await runScript(
      `config = { max_map_keys=4 }
       begin {
         for ($i : 0..4) { @[$i] = 1; }
         for ($i : 0..4) { if ($i % 2 == 0) { delete(@, $i); } }
         @length = len(@);
         @[10] = 1; @[11] = 1; @[12] = 1;
       }`,
    );
    expect(counts(stdout, "@length").get("")).toBe(2);
    expect(counts(stdout, "@").size).toBe(4);
  });
});
