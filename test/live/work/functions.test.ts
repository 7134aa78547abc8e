/** Functions of a program, called a known number of times with known arguments. */
import { kernelAtLeast } from "libbpf-ts";
import { describe, expect, test } from "vitest";
import { canTraceC, counts, program, traced } from "./support.ts";

describe.skipIf(!canTraceC)("uprobes on a program", () => {
  const work = program("work.c");
  const maps = (stdout: string) => stdout.trim().split("\n");

  test("counts calls", async () => {
    const { stdout, stderr } = await traced(work, "functions 10", "uprobe:WORK:add { @ = count(); }");
    expect(stderr).toBe("");
    expect(stdout).toBe("@: 10\n");
  });

  test("arguments of every width", async () => {
    const { stdout } = await traced(
      work,
      "functions 3",
      'uprobe:WORK:add { printf("%d %d %d %d\\n", arg0, (int32)arg1, (int16)arg2, (uint8)arg3); }',
    );
    expect(stdout).toBe("0 0 0 200\n1 10 -1 201\n2 20 -2 202\n");
  });

  test("results, negative ones cast", async () => {
    const { stdout } = await traced(
      work,
      "functions 4",
      "uretprobe:WORK:add { @sum = sum(retval); } uretprobe:WORK:negative { @[(int32)retval] = count(); }",
    );
    // 200 + i + 10 i for i = 0 … 3
    expect(counts(stdout, "@sum").get("")).toBe(4 * 200 + 6 * 11);
    expect([...counts(stdout, "@").entries()].sort()).toEqual([
      ["-1", 1],
      ["-2", 1],
      ["-3", 1],
      ["-4", 1],
    ]);
  });

  test("strings that arguments point to", async () => {
    const { stdout } = await traced(
      work,
      "functions 1",
      'uprobe:WORK:measure { @size[str(arg0)] = arg1; } uprobe:WORK:measure /str(arg0) == "three"/ { @three = count(); }' +
        " uprobe:WORK:measure { @short[str(arg0, 3)] = count(); } uretprobe:WORK:measure { @total = sum(retval); }",
    );
    expect(maps(stdout).sort()).toEqual(
      [
        "@short[lo]: 1",
        "@short[on]: 1",
        "@short[th]: 1",
        "@size[longer than that]: 100",
        "@size[one]: 100",
        "@size[three]: 100",
        "@three: 1",
        `@total: ${300 + 3 + 5 + 16}`,
      ].sort(),
    );
  });

  test("wildcards tell which function fired", async () => {
    const { stdout } = await traced(
      work,
      "functions 2",
      "uprobe:WORK:many_* { @[func] = count(); @by_probe[probe] = count(); }",
    );
    expect(counts(stdout, "@")).toEqual(
      new Map([
        ["many_one", 2],
        ["many_two", 4],
        ["many_three", 6],
      ]),
    );
    expect(counts(stdout, "@by_probe").get(`uprobe:${work.path}:many_three`)).toBe(6);
  });

  test("several probes in one action, entry and return", async () => {
    const { stdout } = await traced(
      work,
      "functions 2",
      "uprobe:WORK:many_one, uprobe:WORK:many_two, uretprobe:WORK:many_three { @[probetype] = count(); }",
    );
    expect(counts(stdout, "@")).toEqual(
      new Map([
        ["uprobe", 6],
        ["uretprobe", 6],
      ]),
    );
  });

  test("a symbol and an offset, and an address", async () => {
    const { stdout, stderr } = await traced(
      work,
      "functions 5",
      'uprobe:WORK:many_one+0 { @offset = count(); } uprobe:WORK:many_one { @ip = count(); @at = usym(reg("ip")); }',
    );
    expect(stderr).toBe("");
    expect(stdout).toContain("@offset: 5\n");
    expect(stdout).toContain("@ip: 5\n");
    expect(stdout).toContain("@at: many_one\n");
  });

  test("the program's globals", async () => {
    const { stdout, stderr } = await traced(
      work,
      "functions 1",
      'uprobe:WORK:many_one { printf("%lx %d\\n", *uaddr("global_number"), *uaddr("global_short")); }',
    );
    expect(stderr).toBe("");
    expect(stdout).toBe("1122334455667788 4660\n");
  });

  test("latency of a call from entry to return", async () => {
    const { stdout } = await traced(
      work,
      "functions 7",
      "uprobe:WORK:add { @start[tid] = nsecs; } uretprobe:WORK:add /@start[tid]/ { @ = hist(nsecs - @start[tid]); @n = count(); delete(@start, tid); }",
    );
    expect(stdout).toContain("@n: 7\n");
    expect(stdout).not.toContain("@start");
  });

  test.runIf(kernelAtLeast("6.6"))(
    "func of a return probe is the function, not its caller (Linux 6.6)",
    async () => {
      const { stdout } = await traced(work, "functions 3", "uretprobe:WORK:negative { @[func] = count(); }");
      expect(stdout).toBe("@[negative]: 3\n");
    },
  );

  test("a function that is not there says which are", async () => {
    const { stderr, status } = await traced(work, "functions", "uprobe:WORK:many_on { }");
    expect(status).toBe(1);
    expect(stderr).toMatch(/many_on/);
    expect(stderr).toContain("many_one");
  });

  test("libc by its name", async () => {
    const { stdout } = await traced(work, "sleeps 4 1", "uprobe:libc:nanosleep { @[comm] = count(); }");
    expect(counts(stdout, "@").get("work")).toBe(4);
  });

  test("actions on one function run in the script's order", async () => {
    const { stdout } = await traced(
      work,
      "functions 1",
      'uprobe:WORK:many_one { printf("first "); } uprobe:WORK:many_one { printf("second\\n"); }',
    );
    expect(stdout).toBe("first second\n");
  });
});
