/** Hundreds and thousands of attach points: attached soon, gone soon, and gone whole when one of them fails. */
import { kernelAtLeast } from "libbpf-ts";
import { describe, expect, it } from "vitest";
import { compileScript } from "../../../src/commands/compileScript.ts";
import { parseRunOptions } from "../../../src/commands/runOptions.ts";
import { Session } from "../../../src/engine/session/session.ts";
import { CLI, commandPath, finish, isRoot, startTracedeck } from "../../support/cli.ts";
import { waitedForCpu } from "../../support/machine.ts";
import { slowness } from "../../support/slowness.ts";
import { held, leftAfter, programsOf } from "./programs.ts";

const ATTACHED = { TRACEDECK_NOTIFY_ATTACHED: "attached", BPFTRACE_MAX_PROBES: "10000" };
const setpriv = commandPath("setpriv");

/** Attaches, counts for a moment, ends. Times are without what others of the machine took from them. */
async function trace(script: string) {
  const run = startTracedeck(["run", "-v", "-e", script], ATTACHED);
  await run.shows("attached\n");
  const programs = programsOf(run.pid);
  const attached = waitedForCpu(run.pid);
  let waited = attached;
  const watch = setInterval(() => {
    try {
      waited = waitedForCpu(run.pid);
    } catch {
      clearInterval(watch);
    }
  }, 10);
  const begun = performance.now() - waitedForCpu();
  run.signal("SIGINT");
  const { stdout, stderr, status } = await run.finished;
  clearInterval(watch);
  return {
    stdout,
    status,
    programs,
    milliseconds: Number(/attached in (\d+) ms/.exec(stderr)?.[1]) - attached,
    probes: Number(/Attached (\d+) probes/.exec(stderr)?.[1]),
    endedIn: performance.now() - waitedForCpu() - begun - (waited - attached),
  };
}

describe.skipIf(!isRoot)("scale", () => {
  it("attaches every system call's tracepoints within 2 s, and has them gone within 2 s", async () => {
    const done = await trace(
      "tracepoint:syscalls:sys_enter_*, tracepoint:syscalls:sys_exit_* { @[probe] = count(); }",
    );
    expect(done.status).toBe(0);
    expect(done.probes).toBeGreaterThan(600);
    // An emulated processor that others keep from running takes longer than its slowness says.
    const soon = slowness > 1 ? 60_000 : 2000;
    expect(done.milliseconds).toBeLessThan(soon);
    expect(done.endedIn).toBeLessThan(soon);
    expect(done.programs).toHaveLength(2);
    expect(await leftAfter(done.programs, 10_000 * slowness)).toEqual([]);
  });

  // Raw tracepoints have cookies since 6.10; before, every tracepoint is a perf event.
  it.skipIf(!kernelAtLeast("6.10"))(
    "attaches every tracepoint of the kernel, with few programs, and does not keep the prompt",
    async () => {
      const done = await trace("tracepoint:*:* { @[probe] = count(); }");
      expect(done.status).toBe(0);
      expect(done.probes).toBeGreaterThan(1000);
      expect(done.programs.length).toBeLessThan(10);
      expect(done.stdout).toMatch(/^@\[tracepoint:sched:sched_switch\]: \d+$/m);
      expect(done.stdout).toMatch(/^@\[tracepoint:syscalls:sys_enter_read\]: \d+$/m);
      expect(done.endedIn).toBeLessThan(5000 * slowness);
    },
  );

  it("lets go of all that is attached when a probe in the middle fails, and names it", async () => {
    const script = "tracepoint:timer:* { @[probe, kstack] = count(); }";
    const options = parseRunOptions(["-e", script]);
    const { plan } = compileScript({ name: "stdin", text: script }, options, []);
    const middle = plan!.probes[plan!.probes.length >> 1];
    if (middle.attach.kind !== "tracepoint") throw new Error("not a tracepoint");
    // No tracepoint has this id: the kernel refuses it.
    middle.attach.id = 0xfffff;
    const before = held();
    using session = new Session(plan!);
    let programs: number[] = [];
    const attaching = session.start({
      onEvent: () => {},
      onPrintMap: () => {},
      onState: (state) => {
        if (state === "failed") programs = programsOf(process.pid);
      },
    });
    await expect(attaching).rejects.toThrow(`cannot attach ${middle.name}: perf_event_open`);
    if (kernelAtLeast("5.15")) expect(programs).toHaveLength(1);
    expect(held()).toBe(before);
    expect(await leftAfter(programs, 10_000 * slowness)).toEqual([]);
  });

  it.skipIf(!setpriv)(
    "lets go of everything when the descriptors run out, and says at which probe",
    async () => {
      const all =
        "tracepoint:sched:*, tracepoint:block:*, tracepoint:timer:* { @[probe, kstack] = count(); }";
      const files = 64;
      // Without CAP_SYS_RESOURCE the limit can't be raised.
      const command = [
        ...["/bin/sh", "-c", `ulimit -n ${files}; exec "$@"`, "sh"],
        ...[setpriv!, "--bounding-set", "-sys_resource", "--inh-caps", "-sys_resource"],
        ...[...CLI, "run", "-e", all],
      ];
      const { stdout, stderr, status } = await finish(command, { env: { BPFTRACE_MAX_PROBES: "10000" } });
      expect(status).toBe(255);
      expect(stdout).toBe("");
      // Before 5.15, when one program serves one tracepoint, it is programs that are too many.
      if (kernelAtLeast("5.15")) expect(stderr).toMatch(/ERROR: cannot attach tracepoint:\w+:\w+: /);
      expect(stderr).toContain("too many open files");
      expect(stderr).toMatch(/ulimit -n/);
    },
  );
});
