/** What is lost is counted, and what is printed keeps its order. */
import { setTimeout as sleep } from "node:timers/promises";
import { kernelAtLeast } from "libbpf-ts";
import { describe, expect, test } from "vitest";
import { isRoot } from "../../support/cli.ts";
import { runScript } from "../../support/script.ts";
import { slowness } from "../../support/slowness.ts";
import { canTraceC, counts, program, traced } from "./support.ts";

describe.skipIf(!isRoot)("losses", () => {
  test("a full map keeps what it has and counts the rest", async () => {
    const { stdout, losses } = await runScript(
      "config = { max_map_keys=10 } begin { for ($i : 0..25) { @[$i] = $i; } }",
    );
    expect(counts(stdout, "@").size).toBe(10);
    expect(losses!.mapsFull).toEqual([{ map: "@", count: 15 }]);
  });

  test("a full map of counters", async () => {
    const { stdout, losses } = await runScript(
      "let @c = percpuhash(4); begin { for ($i : 0..9) { @c[$i] = count(); } for ($i : 0..4) { @c[$i] = count(); } }",
    );
    expect([...counts(stdout, "@c").values()]).toEqual([2, 2, 2, 2]);
    expect(losses!.mapsFull).toEqual([{ map: "@c", count: 5 }]);
  });

  test("with -k a full map and a missing key complain at their place", async () => {
    const { stderr } = await runScript(
      'config = { max_map_keys=1 } begin { @[1] = 1; @[2] = 2; delete(@, 7); printf("%d\\n", @[5]); }',
      ["-k"],
    );
    expect(stderr).toMatch(/stdin:1:\d+-\d+: WARNING: the map is full/);
    expect(stderr).toMatch(/helper: map_update_elem, retcode: -7/);
    expect(stderr).toMatch(/no such element to delete/);
    expect(stderr).toMatch(/no such element to read/);
  });

  test("with -k a read that fails complains at its own expression", async () => {
    const script = 'begin { printf("%d %s\\n", 1 + 2, str(0xffff000000000000)); }';
    const { stderr } = await runScript(script, ["-k"]);
    const from = script.indexOf("str(") + 1;
    const to = script.indexOf("))") + 2;
    expect(stderr).toMatch(new RegExp(`^stdin:1:${from}-${to}: WARNING: .*`));
    expect(stderr).toContain("helper: probe_read_kernel_str");
  });

  test("an LRU map makes room", async () => {
    const { stdout, losses } = await runScript(
      "let @ = lruhash(8); begin { for ($i : 0..200) { @[$i] = $i; } }",
    );
    expect(losses!.mapsFull).toEqual([]);
    expect(counts(stdout, "@").get("199")).toBe(199);
  });

  test.skipIf(kernelAtLeast("5.17"))(
    "a loop too long for kernels before Linux 5.17 is told as that",
    async () => {
      const script = 'begin { for ($i : 0..20000) { printf("%d\\n", $i); } }';
      await expect(runScript(script)).rejects.toThrow(
        "the kernel gives up on checking this action: it has too many ways through",
      );
    },
  );

  test.skipIf(!kernelAtLeast("5.17"))(
    "a ring that overflows: what came out and what was lost is all there was (Linux 5.17)",
    async () => {
      const TOTAL = 20_000;
      const { stdout, losses } = await runScript(
        `config = { perf_rb_pages=8 } begin { for ($i : 0..${TOTAL}) { printf("%d\\n", $i); } }`,
      );
      const printed = stdout.split("\n").filter(Boolean).map(Number);
      expect(losses!.eventsLost).toBeGreaterThan(0);
      expect(printed.length + losses!.eventsLost).toBe(TOTAL);
      expect(printed).toEqual([...printed].sort((a, b) => a - b));
    },
  );

  test("printf, print of maps, clear and exit keep their order", async () => {
    const { stdout } = await runScript(
      'begin { @[1] = 5; printf("before\\n"); print(@); printf("between\\n"); clear(@); printf("after\\n"); print(@); printf("last\\n"); exit(); } end { printf("end\\n"); }',
    );
    expect(stdout).toBe("before\n@[1]: 5\nbetween\nafter\nlast\nend\n");
  });

  test("a script that cannot keep up with its own commands still ends, and says what it left undone", async () => {
    const begin = performance.now();
    const { stdout, losses } = await runScript(
      'interval:us:100 { system("sleep 0.02"); } end { printf("end\\n"); }',
      ["--unsafe"],
      () => sleep(300),
    );
    expect(performance.now() - begin).toBeLessThan(5000 * slowness);
    expect(stdout).toMatch(/end\n$/);
    expect(losses!.eventsLost).toBeGreaterThan(0);
  });

  test("many records before exit all come out", async () => {
    const { stdout } = await runScript('begin { for ($i : 0..500) { printf("%d ", $i); } exit(); }');
    expect(stdout).toBe(Array.from({ length: 500 }, (_, i) => `${i} `).join(""));
  });

  describe.skipIf(!canTraceC)("on a program", () => {
    const work = program("work.c");

    test("no event of a burst is lost", async () => {
      const { stdout, losses } = await traced(
        work,
        "calls 3000",
        'tracepoint:syscalls:sys_enter_getppid /pid == cpid/ { printf("x\\n"); @ = count(); }',
      );
      expect(losses!.eventsLost).toBe(0);
      expect(stdout.match(/^x$/gm)?.length).toBe(3000);
      expect(counts(stdout, "@").get("")).toBe(3000);
    });
  });
});
