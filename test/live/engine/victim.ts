/** A process with attached tracepoints, to be killed by a test. It says its programs' ids, then waits. */
import { liveKernel } from "../../../src/engine/kernel/live.ts";
import { Session } from "../../../src/engine/session/session.ts";
import { checkEnabled, countReference, countUp, done, enabledReference, handmadePlan } from "./handmade.ts";
import { programsOf } from "./programs.ts";

const command = process.argv[2] || undefined;
const probe = (name: string) => {
  const event = `sys_enter_${name}`;
  const { id } = liveKernel().tracepointFormat("syscalls", event)!;
  const attach = { kind: "tracepoint", category: "syscalls", event, id } as const;
  return { via: "tracepoint", name: `tracepoint:syscalls:${event}`, attach } as const;
};
const plan = handmadePlan({
  pieces: [
    {
      type: "tracepoint",
      instructions: [...checkEnabled, ...countUp, ...done],
      references: [enabledReference, countReference],
      probes: ["mount", "umount", "swapon", "reboot", "acct"].map(probe),
    },
  ],
});
const session = new Session(plan, { command });
await session.start({ onEvent: () => {}, onPrintMap: () => {} });
const programs = programsOf(process.pid);
process.stdout.write(`${JSON.stringify({ programs, child: session.targetPid })}\n`);
await session.ended;
