/** Memory that is watched by the processor: every write, read and run of a program at known addresses counts. */
import { ElfFile, ElfSymbols } from "libbpf-ts";
import { beforeAll, describe, expect, test } from "vitest";
import { runScript } from "../../support/script.ts";
import { canTraceC, counts, program, traced } from "./support.ts";

describe.skipIf(!canTraceC)("watchpoints", () => {
  const work = program("watched.c", ["-no-pie"]);
  const at: Record<string, string> = {};
  beforeAll(() => {
    using elf = ElfFile.open(work.path);
    const symbols = ElfSymbols.read(elf);
    for (const name of ["watched", "neighbours", "read_only", "executed"])
      at[name] = `0x${symbols.find(name)!.address.toString(16)}`;
  });
  const places = (script: string) => script.replace(/[A-Z_]{4,}/g, (name) => at[name.toLowerCase()] ?? name);

  test("writes, of the thread that there is and of one that comes", async ({ skip }) => {
    const { stdout, stderr } = await traced(
      work,
      "25",
      places("watchpoint:WATCHED:8:w { @[tid == pid] = count(); @last = *(int64 *)WATCHED; }"),
    );
    skip(/ENODEV|ENOSPC|EOPNOTSUPP/.test(stderr), "this processor has no debug registers to use");
    expect(stderr).toBe("");
    expect(counts(stdout, "@")).toEqual(
      new Map([
        ["false", 25],
        ["true", 25],
      ]),
    );
    expect(counts(stdout, "@last").get("")).toBe(24);
  });

  test("only the bytes that are named", async () => {
    const two = (n: number) => `0x${(Number(at.neighbours) + n * 2).toString(16)}`;
    const { stdout } = await traced(
      work,
      "10",
      `w:${two(1)}:2:w { @before = count(); } w:${two(2)}:2:w { @it = count(); } w:${two(3)}:2:w { @behind = count(); }`,
    );
    expect(stdout).toBe("@it: 20\n");
    // Apart from the others: QEMU tells of one watchpoint for a write.
    const around = await traced(work, "10", `w:${two(0)}:8:w { @all = count(); }`);
    expect(around.stdout).toBe("@all: 20\n");
  });

  test("reads", async () => {
    const { stdout } = await traced(work, "7", places("watchpoint:READ_ONLY:8:rw { @ = count(); }"));
    expect(stdout).toBe("@: 14\n");
  });

  test("runs, with the registers", async () => {
    const { stdout } = await traced(
      work,
      "7",
      places('watchpoint:EXECUTED:8:x { @[reg("ip") == EXECUTED] = count(); }'),
    );
    expect(counts(stdout, "@").get("true")).toBe(14);
  });

  test.each([
    ["watchpoint:0x1000:8:r { }", "the processor watches writes (w), reads and writes (rw), runs (x): not r"],
    ["watchpoint:0x1000:8:wx { }", "the processor watches"],
    ["watchpoint:0x1000:8:ww { }", "ww is no mode"],
    ["watchpoint:0x1000:3:w { }", "1, 2, 4 or 8 bytes"],
    ["watchpoint:0x1001:8:w { }", "0x1001 is no multiple of 8"],
    ["watchpoint:0:8:w { }", "0 is no address"],
    ["watchpoint:main:8:w { }", "main is no address"],
    ["watchpoint:0x1000:8 { }", "watchpoint:ADDRESS:LENGTH:MODE"],
    ["asyncwatchpoint:0x1000:8:w { }", "there is no probe type asyncwatchpoint"],
  ])("%s is refused", async (script, said) => {
    const { stderr, status } = await runScript(script);
    expect(stderr).toContain(said);
    expect(status).toBe(1);
  });

  test("a fifth at once is one more than there are registers", async () => {
    const script = [1, 2, 3, 4, 5].map((i) => `w:0x${i}000:8:w { @ = count(); }`).join(" ");
    const run = runScript(script, ["-c", `${work.path} 1`]);
    if (process.arch !== "x64") await run;
    else await expect(run).rejects.toThrow("x86-64 has registers for four");
  });
});
