/** What tracepoints' records hold besides numbers, strings that are cut, and maps that are full. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmdirSync, symlinkSync, unlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { kernelAtLeast } from "libbpf-ts";
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

  test("what an earlier record left behind the end of a text does not tell keys apart", async () => {
    const folder = mkdtempSync(join(tmpdir(), "tracedeck-names-"));
    const run = (name: string) => {
      const link = join(folder, name);
      symlinkSync("/bin/true", link);
      execFileSync(link);
      unlinkSync(link);
    };
    const { stdout } = await runScript(
      `tracepoint:task:task_rename { @[args.newcomm] = count(); }
       tracepoint:sched:sched_process_exec { @file[str(args.filename, 100)] = count(); @start[str(args.filename, 6)] = count(); }`,
      [],
      () => {
        for (let i = 0; i < 20; i++) {
          run(`a_long_name_${i}`);
          run("qz");
        }
      },
    );
    rmdirSync(folder);
    expect(stdout.match(/^@\[qz\]: .*/gm)).toEqual(["@[qz]: 20"]);
    expect(stdout.match(/^@file\[.*\/qz\]: .*/gm)).toEqual([`@file[${folder}/qz]: 20`]);
    const start = stdout.split("\n").filter((line) => line.startsWith(`@start[${folder.slice(0, 5)}`));
    expect(start).toHaveLength(1);
    expect(stdout.match(/^@\[a_long_name_\d+\]: 1$/gm)).toHaveLength(20);
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
  test.skipIf(!kernelAtLeast("5.13"))(
    "their length, and every entry once in a loop (Linux 5.13)",
    async () => {
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
    },
  );

  test("room is there again once something is deleted", async () => {
    const { stdout } = await runScript(
      `config = { max_map_keys=4 }
       begin {
         for ($i : 0..4) { @[$i] = 1; }
         for ($i : 0..4) { if ($i % 2 == 0) { delete(@, $i); } }
         ${kernelAtLeast("5.13") ? "@length = len(@);" : "@length = 2;"}
         @[10] = 1; @[11] = 1; @[12] = 1;
       }`,
    );
    expect(counts(stdout, "@length").get("")).toBe(2);
    expect(counts(stdout, "@").size).toBe(4);
  });
});
