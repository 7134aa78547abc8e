/** Probes that the kernel refuses for the machine's settings: the setting is named. */
import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { CLI, commandPath, finish, isRoot } from "../../support/cli.ts";
import { alone } from "../../support/machine.ts";

const PARANOID = "/proc/sys/kernel/perf_event_paranoid";
const setpriv = commandPath("setpriv");

describe.skipIf(!isRoot || !setpriv)("kernel.perf_event_paranoid", () => {
  test("above 2, as Debian has it, leaves perf events to CAP_SYS_ADMIN", async ({ skip }) => {
    const { stderr, status } = await alone("paranoid", async () => {
      const before = readFileSync(PARANOID, "latin1");
      writeFileSync(PARANOID, "3");
      try {
        return await finish([
          ...[setpriv!, "--bounding-set", "-sys_admin", "--inh-caps", "-sys_admin"],
          ...[...CLI, "run", "-e", "tracepoint:sched:sched_switch { exit(); }"],
        ]);
      } finally {
        writeFileSync(PARANOID, before);
      }
    });
    skip(status === 0, "this kernel has no levels above 2");
    expect(stderr).toContain("cannot attach tracepoint:sched:sched_switch");
    expect(stderr).toMatch(/HINT: kernel\.perf_event_paranoid is 3, .*sysctl kernel\.perf_event_paranoid=2/);
    expect(status).not.toBe(0);
  });
});
