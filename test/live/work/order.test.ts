/** Actions on one point run in the script's order, whichever way the kernel keeps what is attached there. */
import { describe, expect, test } from "vitest";
import { isRoot } from "../../support/cli.ts";
import { runScript } from "../../support/script.ts";

describe.skipIf(!isRoot)("actions on one point run in the script's order", () => {
  test.each([
    ["software:faults:1", "/bin/true"],
    ["software:minor-faults:1", "/bin/true"],
    ["software:context-switches:1", "/bin/sleep 0.05"],
    ["tracepoint:syscalls:sys_enter_execve", "/bin/true"],
    ["tracepoint:sched:sched_process_exec", "/bin/true"],
    ["rawtracepoint:sched_process_exec", "/bin/true"],
    ["uprobe:libc:exit", "/bin/true"],
    ["uprobe:libc:exi[t]", "/bin/true"],
  ])("%s of %s", async (spec, command) => {
    const action = (text: string) => `${spec} /pid == cpid/ { printf("${text}"); }`;
    const { stdout, stderr } = await runScript(`${action("1")} ${action("2")} ${action("3")}`, [
      "-c",
      command,
    ]);
    expect(stderr).toBe("");
    // The script may have been turned on when the first of them had been passed already.
    expect(stdout.trim()).toMatch(/^(2?3)?(123)+$/);
  });
});
