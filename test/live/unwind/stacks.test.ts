/** dw_ustack(): whole stacks of programs without frame pointers, by known work. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { ElfFile } from "libbpf-ts";
import { describe, expect, test } from "vitest";
import type { Program } from "../../support/programs.ts";
import { runScript } from "../../support/script.ts";
import { slowness, ticksOf } from "../../support/slowness.ts";
import { stacksOf } from "../symbols/support.ts";
import { switchesUnseen } from "../work/support.ts";
import { alone, atLeaf, CHAIN, canUnwind, fixed, lazy, library, pie, QUIET, stripped } from "./support.ts";

const stacks = async (action: string, program: Program, ...args: string[]) => {
  const run = await runScript(atLeaf(action), ["-c", [program.path, ...args].join(" ")]);
  expect(run.stderr).toBe("");
  expect(run.losses).toMatchObject({ stacksLost: 0 });
  return stacksOf(run.stdout);
};

const KINDS: readonly [string, () => Program, RegExp][] = [
  ["position-independent", () => pie, CHAIN],
  ["at fixed addresses", () => fixed, CHAIN],
  ["static", () => alone, CHAIN],
  ["stripped", () => stripped, CHAIN],
];

describe.skipIf(!canUnwind)("dw_ustack()", () => {
  test.each(KINDS)("a program %s: through libc, sized, aligned and big frames", async (_, program, chain) => {
    const found = await stacks("@[dw_ustack()] = count();", program(), "chain", "40");
    expect([...found.values()]).toEqual([40]);
    expect([...found.keys()][0]).toMatch(chain);
  });

  test("a thread, from where it starts", async () => {
    const found = await stacks("@[dw_ustack()] = count();", pie, "thread", "30");
    expect([...found]).toEqual([[expect.stringMatching(/^leaf work start \S+( \S+)?$/), 30]]);
  });

  test.each(["signal", "altstack"])("a handler, and what it interrupted: %s", async (kind) => {
    const found = await stacks("@[dw_ustack()] = count();", pie, kind, "20");
    // libc has the trampoline's name in its debug file alone.
    const whole = /^leaf handler (__restore_rt|0x[0-9a-f]+) kernel interrupted signals main (\S+ )+_start$/;
    expect([...found]).toEqual([[expect.stringMatching(whole), 20]]);
  });

  test("a library that is loaded after the start", async () => {
    const found = await stacks("@[dw_ustack()] = count();", pie, "plugin", "25", library.path);
    const whole = /^leaf inner plugged main (\S+ )+_start$/;
    expect([...found]).toEqual([[expect.stringMatching(whole), 25]]);
  });

  test("code made at run time is passed by its frame pointer", async () => {
    const found = await stacks("@[dw_ustack()] = count();", pie, "made", "15");
    const whole = /^leaf 0x[0-9a-f]+ main (\S+ )+_start$/;
    expect([...found]).toEqual([[expect.stringMatching(whole), 15]]);
  });

  test("limits, modes, len()", async () => {
    const { stdout, stderr } = await runScript(
      atLeaf(
        "@p[dw_ustack(perf, 2)] = count(); @r[dw_ustack(raw, 3)] = count(); @one[dw_ustack(1)] = count(); @n = len(dw_ustack(6));",
      ),
      ["-c", `${pie.path} chain 10`],
    );
    expect(stderr).toBe("");
    expect(stdout).toMatch(
      /^@p\[\n\t[0-9a-f]+ leaf\+\d+ \(.*\/unwound\)\n\t[0-9a-f]+ compare\+\d+ \(.*\/unwound\)\n\]: 10$/m,
    );
    expect(stdout).toMatch(/^@r\[\n([0-9a-f]+\n){3}\]: 10$/m);
    expect(stdout).toMatch(/^@one\[\n {8}leaf\+\d+\n\]: 10$/m);
    expect(stdout).toMatch(/^@n: 6$/m);
  });

  test("where a thread waits: its registers are those of the kernel's entry", async () => {
    // State 1 is a sleep; a switch in which the task was only put aside has a higher bit.
    const { stdout, losses } = await runScript(
      `${QUIET} tracepoint:sched:sched_switch /pid == cpid && args.prev_state == 1/ { @[dw_ustack()] = count(); }`,
      ["-c", `${pie.path} sleep 12`],
    );
    const slept = [...stacksOf(stdout)].find(([stack]) => /^kernel sleeper main (\S+ )+_start$/.test(stack));
    expect(slept?.[1]).toBeGreaterThanOrEqual(12 - switchesUnseen(losses!));
    expect(slept?.[1]).toBeLessThanOrEqual(12);
  });

  test("functions and their returns, also below functions that have been probed so", async () => {
    const { stdout, stderr } = await runScript(
      `${QUIET} uprobe:${pie.path}:leaf { @at[dw_ustack(3)] = count(); }
       uretprobe:${pie.path}:compare { @back[dw_ustack()] = count(); }
       uretprobe:${pie.path}:sized { @sized[dw_ustack(3)] = count(); }
       tracepoint:raw_syscalls:sys_enter /pid == cpid && args.id == 110/ { @[dw_ustack()] = count(); }`,
      ["-c", `${pie.path} chain 12`],
    );
    expect(stderr).toBe("");
    const found = [...stacksOf(stdout)].map(([stack, count]) => {
      expect(count).toBe(12);
      return stack;
    });
    expect(found).toHaveLength(4);
    expect(found.filter((stack) => CHAIN.test(stack))).toHaveLength(1);
    expect(found.some((stack) => /^\S+ (\S+ ){0,2}sorter sized aligned roomy chains main/.test(stack))).toBe(
      true,
    );
    expect(found).toContain("aligned roomy chains");
  });

  const big = "a big program, whose table takes many shards, with interpreted code between its own";
  // An emulated processor takes minutes for it.
  test.skipIf(slowness > 1)(big, async () => {
    const work = "for (let i = 0; i < 50; i++) process.ppid";
    const { stdout, stderr } = await runScript(
      `${QUIET} tracepoint:syscalls:sys_enter_getppid /pid == cpid/ { @[dw_ustack()] = count(); }`,
      ["-c", `${process.execPath} -e '${work}'`],
    );
    expect(stderr).toBe("");
    const counts = [...stdout.matchAll(/^@\[\n(?: {8}.*\n)+ {8}_start\+\d+\n\]: (\d+)$/gm)];
    expect(counts.reduce((sum, [, count]) => sum + Number(count), 0)).toBeGreaterThanOrEqual(50);
    expect(stdout.match(/^\]: /gm)).toHaveLength(counts.length);
  });

  test("within the procedure linkage table, before and behind its push", async () => {
    const plt = (() => {
      using elf = ElfFile.open(lazy.path);
      return elf.section(".plt")!;
    })();
    // The first entry is the one that looks names up; the program's functions follow.
    const entries = Array.from({ length: plt.size / 16 - 1 }, (_, i) => plt.addr + 16 * (i + 1));
    const probes = entries.flatMap((entry) => [entry, entry + 11]);
    const { stdout } = await runScript(
      `${QUIET} ${probes.map((at) => `uprobe:${lazy.path}:0x${at.toString(16)}`).join(",")} { @[dw_ustack(3)] = count(); }`,
      ["-c", `${lazy.path} chain 5`, "--unsafe"],
    );
    const found = [...stacksOf(stdout)];
    // qsort is called five times and looked up once; none of the callers is left out.
    const sorting = found.filter(([stack]) => /^\S+ sorter sized$/.test(stack));
    expect(sorting.reduce((sum, [, count]) => sum + count, 0)).toBe(6);
    expect(found.every(([stack]) => /\b(main|roomy|aligned|sized|sorter)\b/.test(stack))).toBe(true);
  });

  test("samples of busy code, in the vdso and in libc too, are whole", async () => {
    const { stdout } = await runScript(
      `${QUIET} profile:hz:997 { @[dw_ustack(raw)] = count(); @s[dw_ustack()] = count(); }`,
      ["-c", `${pie.path} spin 500`],
    );
    const found = [...stacksOf(stdout)].filter(([stack]) => /\bspin\b/.test(stack));
    const all = found.reduce((sum, [, count]) => sum + count, 0);
    const whole = found.filter(([stack]) => /\bspin main (\S+ )+_start$/.test(stack));
    expect(all).toBeGreaterThanOrEqual(ticksOf(20));
    expect(whole.reduce((sum, [, count]) => sum + count, 0)).toBe(all);
  });
});

describe.skipIf(!canUnwind)("whose stacks", () => {
  const begin = async (...args: string[]) => {
    const child = spawn(pie.path, [...args, "wait"], { stdio: ["pipe", "inherit", "inherit"] });
    await once(child, "spawn");
    return child;
  };

  test("-p: a process that runs already", async () => {
    const child = await begin("chain", "30");
    const { stdout, stderr } = await runScript(
      atLeaf("@[dw_ustack()] = count();", child.pid),
      ["-p", `${child.pid}`],
      async () => {
        child.stdin.end("\n");
        await once(child, "exit");
      },
    );
    expect(stderr).toBe("");
    expect([...stacksOf(stdout)]).toEqual([[expect.stringMatching(CHAIN), 30]]);
  });

  test("--dwarf-pid: several", async () => {
    const children = [await begin("chain", "7"), await begin("thread", "9")];
    const { stdout, stderr } = await runScript(
      atLeaf("@[dw_ustack()] = count();", ...children.map(({ pid }) => pid)),
      children.flatMap(({ pid }) => ["--dwarf-pid", `${pid}`]),
      () =>
        Promise.all(
          children.map((child) => {
            child.stdin.end("\n");
            return once(child, "exit");
          }),
        ),
    );
    expect(stderr).toBe("");
    expect(new Map([...stacksOf(stdout)].map(([stack, count]) => [count, stack]))).toEqual(
      new Map([
        [7, expect.stringMatching(CHAIN)],
        [9, expect.stringMatching(/^leaf work start \S+/)],
      ]),
    );
  });

  /** Of a sampled spin() most are whole, and all of them are there. */
  function expectMostWhole({ stdout, stderr }: { stdout: string; stderr: string }): void {
    expect(stderr).toBe("");
    const found = [...stacksOf(stdout)];
    const all = found.reduce((sum, [, count]) => sum + count, 0);
    const whole = found.filter(([stack]) => /\bspin main (\S+ )+_start$/.test(stack));
    expect(all).toBeGreaterThanOrEqual(ticksOf(20));
    const least = slowness > 1 ? 0 : all / 2;
    expect(whole.reduce((sum, [, count]) => sum + count, 0)).toBeGreaterThan(least);
  }
  /** Milliseconds of CPU that are long beside what it takes to meet the program. */
  const LONG = slowness > 1 ? "6000" : "1500";

  test("nobody's in particular: whoever is met, from then on", async () => {
    const child = await begin("spin", LONG);
    const script = `${QUIET} profile:hz:499 /pid == ${child.pid}/ { @[dw_ustack()] = count(); }`;
    const spin = () => {
      child.stdin.end("\n");
      return once(child, "exit");
    };
    expectMostWhole(await runScript(script, [], spin));
  });

  test("what the command starts, too", async () => {
    const script = `${QUIET} profile:hz:499 /pid != cpid && ppid == cpid/ { @[dw_ustack()] = count(); }`;
    expectMostWhole(await runScript(script, ["-c", `sh -c "${pie.path} spin ${LONG}; true"`]));
  });

  test("a command that executes itself again is stopped once, and unwound as before", async () => {
    const found = await stacks("@[dw_ustack()] = count();", pie, "again", "11");
    expect([...found]).toEqual([[expect.stringMatching(CHAIN), 11]]);
  });
});
