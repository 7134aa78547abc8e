/** Kernels before 6.6 have no link of many uprobes: each function has one of its own, and counts are the same. */
import { describe, expect, test } from "vitest";
import { compile } from "../../../src/engine/compile/compile.ts";
import type { Kernel } from "../../../src/engine/compile/kernel.ts";
import { liveKernel } from "../../../src/engine/kernel/live.ts";
import { Session } from "../../../src/engine/session/session.ts";
import { canTraceC, userProgram, waiting } from "./support.ts";

/** This kernel, as if it lacked a feature. */
function without(feature: string): Kernel {
  return new Proxy(liveKernel(), {
    get(kernel, name) {
      if (name === "has") return (asked: string) => asked !== feature && kernel.has(asked);
      const value = Reflect.get(kernel, name, kernel);
      return typeof value === "function" ? value.bind(kernel) : value;
    },
  });
}

describe.skipIf(!canTraceC)("user functions without uprobe_multi", () => {
  const program = userProgram("userfns");

  test.each([
    ["uprobe", "of one process", true, 6],
    ["uretprobe", "of one process", true, 6],
    ["uprobe", "of every process", false, 9],
  ])("%s %s", async (type, _, ofOne, each) => {
    using traced = await waiting(program.path, 6);
    using other = await waiting(program.path, 3);
    const pid = ofOne ? traced.pid : undefined;
    const source = `${type}:${program.path}:user_* { @ = count(); }`;
    const { plan, diagnostics } = compile(source, without("uprobe_multi"), { pid });
    expect(diagnostics).toEqual([]);
    expect(new Set(plan!.probes.map(({ via }) => via))).toEqual(new Set(["uprobe"]));
    using session = new Session(plan!, { pid });
    await session.start({ onEvent: () => {}, onPrintMap: () => {} });
    await other.go();
    await traced.go();
    session.stop();
    await session.ended;
    const [map] = session.scriptMaps();
    const total = session.readMap(map).words?.[0];
    // alpha, beta twice, hidden and in_thread; in_child runs in another process.
    expect(Number(total)).toBe(each * (ofOne ? 5 : 6));
  });
});
