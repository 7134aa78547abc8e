/** USDT probes: every argument's place, width and sign, wildcards, semaphores, libraries and processes. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { describe, expect, test } from "vitest";
import { isRoot } from "../../support/cli.ts";
import { canBuildWith, canCompileUsdt, cProgram } from "../../support/programs.ts";
import { runScript } from "../../support/script.ts";
import { counts, program, traced } from "./support.ts";

const lines = (stdout: string) => stdout.trimEnd().split("\n");

describe.skipIf(!isRoot || !canCompileUsdt)("USDT probes of a program", () => {
  const work = program("usdt.c");

  test("every width and sign", async () => {
    const { stdout, stderr } = await traced(
      work,
      "5",
      "usdt:WORK:work:*signed* { @[probe, arg0] = count(); }",
    );
    expect(stderr).toBe("");
    const value = 0xf1f2f3f4f5f6f7f8n;
    const rows = [8, 16, 32, 64].flatMap((bits) => [
      // The language's argN of USDT is a signed 64-bit integer.
      [`unsigned${bits}`, BigInt.asIntN(64, BigInt.asUintN(bits, value))],
      [`signed${bits}`, BigInt.asIntN(bits, value)],
    ]);
    const expected = rows.map(([name, own]) => `@[usdt:${work.path}:work:${name}, ${own}]: 5`);
    expect(lines(stdout).sort()).toEqual(expected.sort());
  });

  test("on the stack", async () => {
    const { stdout } = await traced(
      work,
      "3",
      'usdt:WORK:memory { printf("%d %d %d %d\\n", arg0, arg1, arg2, arg3); }',
    );
    expect(lines(stdout)).toEqual(["-1 60000 -70000 0", "-1 60000 -70000 -1", "-1 60000 -70000 -2"]);
  });

  test("constants, twelve arguments", async () => {
    const { stdout } = await traced(
      work,
      "2",
      'usdt:WORK:constants { printf("%d %d\\n", arg0, arg1); } usdt:WORK:work:twelve { print((arg0, arg1, arg2, arg3, arg4, arg5, arg6, arg7, arg8, arg9, arg10, arg11)); }',
    );
    expect(lines(stdout)).toEqual([
      "-1 2147483647",
      "(0, 1, -2, 3, 4, -5, 6, 7, 200, 9, 10, -11)",
      "-1 2147483647",
      "(1, 1, -2, 3, 4, -5, 6, 7, 200, 10, 10, -11)",
    ]);
  });

  test("one probe at three places whose argument lies differently", async () => {
    const { stdout, stderr } = await traced(
      work,
      "4",
      "usdt:WORK:place { @[arg0] = count(); @n = count(); @probes[probe] = count(); }",
    );
    expect(stderr).toBe("");
    expect([...counts(stdout, "@")].sort((a, b) => Number(a[0]) - Number(b[0]))).toEqual([
      ["-3", 1],
      ["-2", 1],
      ["-1", 1],
      ["0", 2],
      ["1", 1],
      ["2", 1],
      ["3", 1],
      ["7", 4],
    ]);
    expect(counts(stdout, "@n").get("")).toBe(12);
    expect(counts(stdout, "@probes").get(`usdt:${work.path}:work:place`)).toBe(12);
  });

  test("strings, and a predicate on one", async () => {
    const { stdout } = await traced(
      work,
      "5",
      'usdt:WORK:work:text { @[str(arg0)] = count(); } usdt:WORK:work:text /str(arg0) == "second"/ { @sum = sum(arg1); }',
    );
    expect(counts(stdout, "@")).toEqual(
      new Map([
        ["first", 3],
        ["second", 2],
      ]),
    );
    expect(counts(stdout, "@sum").get("")).toBe(4);
  });

  test("the provider may be left out, and then all providers count", async () => {
    const { stdout } = await traced(
      work,
      "3",
      "usdt:WORK:text { @all = count(); } usdt:WORK::text { @empty = count(); } usdt:WORK:other:text { @other = sum(arg0); }",
    );
    expect(stdout).toBe("@all: 6\n@empty: 6\n@other: 3\n");
  });

  test.each(["usdt:place", "usdt::work:place", "usdt:work:place", "usdt:*:pl*"])(
    "%s with -c is of the command's program",
    async (spec) => {
      const { stdout, stderr } = await runScript(`${spec} { @[probe] = count(); }`, ["-c", `${work.path} 4`]);
      expect(stderr).toBe("");
      expect(counts(stdout, "@")).toEqual(new Map([[`usdt:${work.path}:work:place`, 12]]));
    },
  );

  test("wildcards; an argument that one probe lacks is 0", async () => {
    const { stdout, stderr } = await traced(
      work,
      "2",
      "usdt:WORK:* { @ = count(); } usdt:WORK:*:nothing, usdt:WORK:*:constants { @sum[probe] = sum(arg1 + 1); }",
    );
    expect(stderr).toBe("");
    // 8 widths, memory, 3 places, 2 texts, nothing, constants, twelve; 3 more forms on x86-64.
    expect(counts(stdout, "@").get("")).toBe(2 * (process.arch === "x64" ? 20 : 17));
    expect(counts(stdout, "@sum").get(`usdt:${work.path}:work:nothing`)).toBe(2);
    expect(counts(stdout, "@sum").get(`usdt:${work.path}:work:constants`)).toBe(2 * 2 ** 31);
  });

  test.skipIf(process.arch !== "x64")("symbols, indexed memory, high bytes", async () => {
    const { stdout, stderr } = await traced(
      work,
      "3",
      'usdt:WORK:global { printf("%d %d|", arg0, arg1); } usdt:WORK:element { printf("%d %d|", arg0, arg1); } usdt:WORK:high { printf("%x %x %x\\n", arg0, arg1, arg2); }',
    );
    expect(stderr).toBe("");
    expect(lines(stdout)).toEqual([
      "-6 300|100 -200|12 34 1234",
      "-7 300|-200 300|12 34 1234",
      "-8 300|100 -200|12 34 1234",
    ]);
  });

  test("a name that is not there says which are", async () => {
    const { stderr, status } = await traced(work, "1", "usdt:WORK:work:twelv { }");
    expect(status).toBe(1);
    expect(stderr).toContain(`there is no USDT probe work:twelv in ${work.path}`);
    expect(stderr).toContain("twelve");
  });

  test("an argument that no probe has", async () => {
    const { stderr } = await traced(work, "1", "usdt:WORK:constants { print(arg2); }");
    expect(stderr).toContain("it has arg0 to arg1");
  });

  test("a binary without probes", async () => {
    const { stderr } = await runScript("usdt:/bin/true:* { }");
    expect(stderr).toContain("there are no USDT probes in /usr/bin/true");
  });
});

describe.skipIf(!isRoot || !canCompileUsdt)("USDT semaphores", () => {
  const guarded = cProgram(`${import.meta.dirname}/guarded.c`);
  const fixed = cProgram(`${import.meta.dirname}/guarded.c`, { name: "guarded-fixed", flags: ["-no-pie"] });

  /** Two of the program's processes; each fires as often as it is told, and answers with its semaphore. */
  async function withTwo(path: string, use: (one: Fire, two: Fire) => Promise<void>): Promise<void> {
    const children = [path, path].map((file) => spawn(file, { stdio: ["pipe", "pipe", "inherit"] }));
    const [one, two] = children.map((child): Fire => {
      const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
      return {
        pid: child.pid!,
        async fire(rounds) {
          child.stdin.write(`${rounds}\n`);
          return Number((await answers.next()).value);
        },
      };
    });
    try {
      await use(one, two);
    } finally {
      for (const child of children) child.stdin.end();
    }
  }
  interface Fire {
    pid: number;
    fire(rounds: number): Promise<number>;
  }

  test.each(["movable", "fixed"])("count in every process while attached, %s program", async (kind) => {
    const { path } = kind === "fixed" ? fixed : guarded;
    await withTwo(path, async (one, two) => {
      expect(await one.fire(5)).toBe(0);
      const seen: number[] = [];
      const { stdout, stderr } = await runScript(
        `usdt:${path}:guarded:round { @[pid] = count(); @max[pid] = max(arg0); }`,
        [],
        async () => void seen.push(await one.fire(7), await two.fire(3)),
      );
      expect(stderr).toBe("");
      expect(seen).toEqual([1, 1]);
      expect(counts(stdout, "@")).toEqual(
        new Map([
          [String(two.pid), 3],
          [String(one.pid), 7],
        ]),
      );
      expect(counts(stdout, "@max").get(String(one.pid))).toBe(6);
    });
  });

  test("only in the process of -p, which may stand for the binary", async () => {
    await withTwo(guarded.path, async (one, two) => {
      for (const probe of [
        `usdt:${guarded.path}:round`,
        "usdt:round",
        "usdt:*:guarded:round",
        "usdt::guarded:round",
        "usdt:guarded:round",
        "usdt:*",
      ]) {
        const seen: number[] = [];
        const { stdout, stderr } = await runScript(
          `${probe} { @[pid, probe] = count(); }`,
          ["-p", String(one.pid)],
          async () => void seen.push(await one.fire(4), await two.fire(4)),
        );
        expect(stderr, probe).toBe("");
        expect(stdout, probe).toBe(`@[${one.pid}, usdt:${guarded.path}:guarded:round]: 4\n`);
        expect(seen, probe).toEqual([1, 0]);
      }
    });
  });

  test("in every running program", async () => {
    await withTwo(guarded.path, async (one, two) => {
      const { stdout } = await runScript("usdt:*:guarded:round { @[pid] = count(); }", [], async () => {
        await one.fire(2);
        await two.fire(1);
      });
      expect(counts(stdout, "@").get(String(one.pid))).toBe(2);
      expect(counts(stdout, "@").get(String(two.pid))).toBe(1);
    });
  });

  test("two actions on one probe count it once each", async () => {
    await withTwo(guarded.path, async (one) => {
      const { stdout } = await runScript(
        `usdt:${guarded.path}:round { @a = count(); @[probe]++; } usdt:${guarded.path}:round { @b = sum(arg0); @[probe]++; }`,
        [],
        async () => void (await one.fire(5)),
      );
      expect(stdout).toBe(`@[usdt:${guarded.path}:guarded:round]: 10\n@a: 5\n@b: 10\n`);
    });
  });
});

/** A shim on PATH is a script. */
const PYTHON = "/usr/bin/python3";

describe.skipIf(!isRoot || !canBuildWith("g++"))("USDT probes of libraries", () => {
  const thrower = cProgram(
    `#include <stdexcept>
     int main(int argc, char **argv) {
       int caught = 0;
       for (int i = 0; i < 6; i++)
         try {
           try { throw std::runtime_error("no"); } catch (const std::runtime_error &) { caught++; if (i & 1) throw; }
         } catch (...) { caught++; }
       return caught;
     }
     `,
    { name: "thrower", compiler: "g++", flags: ["-x", "c++"] },
  );

  test.each(["libstdc++", "libstdc++.so.6"])(
    "%s by its name: thrown, caught, thrown again",
    async (library) => {
      const { stdout, stderr } = await runScript(
        `usdt:${library}:libstdcxx:* { @[probe] = count(); @zero = count(); } usdt:${library}:throw /arg0 == 0/ { @null = count(); }`,
        ["-c", thrower.path],
      );
      expect(stderr).toBe("");
      const rows = [...counts(stdout, "@")].map(([probe, count]) => `${probe.split(":").at(-1)} ${count}`);
      expect(rows.sort()).toEqual(["catch 9", "rethrow 3", "throw 6"]);
      expect(stdout).not.toContain("@null");
    },
  );
});

describe.skipIf(!isRoot || !existsSync(PYTHON))("USDT probes of Python, behind semaphores", () => {
  test("collections of garbage, audited events and their names", async ({ skip }) => {
    const { stdout, stderr } = await runScript(
      `usdt:${PYTHON}:python:gc__start { @gc[arg0] = count(); } usdt:${PYTHON}:audit /str(arg0) == "traced.event"/ { @events[str(arg0)] = count(); }`,
      [
        "-c",
        `${PYTHON} -c "import gc, sys; gc.disable(); [sys.audit('traced.event') for i in range(7)]; [gc.collect(1) for i in range(5)]"`,
      ],
    );
    skip(stderr.includes("no USDT probes"), "this Python was built without USDT probes");
    expect(stderr).toBe("");
    expect(counts(stdout, "@gc").get("1")).toBe(5);
    expect(counts(stdout, "@events").get("traced.event")).toBe(7);
  });
});
