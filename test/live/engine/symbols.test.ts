import { describe, expect, it } from "vitest";
import { compile } from "../../../src/engine/compile/compile.ts";
import { liveKernel } from "../../../src/engine/kernel/live.ts";
import { liveContext } from "../../../src/engine/output/live.ts";
import { MapPoller } from "../../../src/engine/poll/snapshot.ts";
import type { MapSnapshot } from "../../../src/engine/protocol.ts";
import { Session } from "../../../src/engine/session/session.ts";
import { canCompile, cProgram } from "../../support/programs.ts";

const WORK = `
#include <unistd.h>
__attribute__((noinline)) int work(int a) { asm volatile(""); usleep(1000); return a + 1; }
__attribute__((noinline)) int outer(int i) { int r = work(i); asm volatile(""); return r; }
int main(void) { int s = 0; for (int i = 0; i < 40; i++) s += outer(i); return s == 0; }
`;

const program = cProgram(WORK, {
  name: "work",
  flags: ["-fno-omit-frame-pointer", "-fno-optimize-sibling-calls"],
});

/** Runs a script with a child to its end; its maps by name. */
async function run(source: string, command: string): Promise<Map<string, MapSnapshot>> {
  const { plan, diagnostics } = compile(source, liveKernel(), { command: "true" });
  expect(diagnostics.filter((d) => d.severity === "error")).toEqual([]);
  using session = new Session(plan!, { command });
  await session.start({ onEvent: () => {}, onPrintMap: () => {}, onChildOutput: () => {} });
  await session.ended;
  const context = liveContext(plan!, session.symbols);
  const view = { rows: 100, order: "value", descending: true } as const;
  return new Map(
    session
      .scriptMaps()
      .map((index) => new MapPoller().snapshot(session.readMap(index), view, 0, false, context))
      .map((snapshot) => [snapshot.name, snapshot]),
  );
}

describe.skipIf(!canCompile)("symbols of a process that has ended", () => {
  it("names the frames of its stacks, and the functions that were called K times", async () => {
    const work = program.path;
    const maps = await run(
      `uprobe:${work}:work { @s[ustack] = count(); @f[func] = count(); @a = sum(arg0); } uretprobe:${work}:work { @r = max(retval); }`,
      work,
    );
    const [stack] = maps.get("@s")!.rows;
    expect(maps.get("@s")!.total).toBe(1);
    expect(stack.value).toBe(40);
    const frames = stack.key[0].trim().split(/\s+/);
    expect(frames.slice(0, 3).map((frame) => frame.split("+")[0])).toEqual(["work", "outer", "main"]);
    expect(maps.get("@f")!.rows.map((row) => [row.key[0], row.value])).toEqual([["work", 40]]);
    expect(maps.get("@a")!.rows[0].value).toBe((39 * 40) / 2);
    expect(maps.get("@r")!.rows[0].value).toBe(40);
  });
});

describe("kernel stacks", () => {
  it("end where system calls come from", async () => {
    const maps = await run("tracepoint:sched:sched_process_exec { @[kstack] = count(); }", "/bin/true");
    const text = maps
      .get("@")!
      .rows.map((row) => row.key[0])
      .join("\n");
    expect(text).toMatch(/\bbprm_execve\+\d+/);
    expect(text).toMatch(/entry_SYSCALL_64|el0t_64_sync|invoke_syscall/);
  });
});
