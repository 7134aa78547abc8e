import { readdirSync, readFileSync } from "node:fs";
import { attachTracepoint, BpfProgram, handOver, kernelAtLeast, linkInfo, listLinks } from "libbpf-ts";
import * as asm from "libbpf-ts/asm";
import { expect, it } from "vitest";
import { waitedForCpu } from "../../support/machine.ts";
import { slowness } from "../../support/slowness.ts";

const wait = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Children of this process, zombies included. */
function children(): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
        return Number(stat.slice(stat.lastIndexOf(")") + 4).split(" ")[0]) === process.pid;
      } catch {
        return false;
      }
    })
    .map(Number);
}

it("closes fifty tracepoints at once, and leaves neither links nor processes", async () => {
  using program = BpfProgram.load({
    type: "tracepoint",
    instructions: asm.encode([asm.movImm(0, 0), asm.exit()]),
  });
  const events = readdirSync("/sys/kernel/tracing/events/syscalls")
    .filter((name) => name.startsWith("sys_enter_"))
    .slice(0, 50);
  const links = events.map((name) => attachTracepoint(program, { category: "syscalls", name }));
  // Before 5.15 they are perf events alone, which have no ids.
  const ids = links.flatMap((link) => linkInfo(link.fd)?.id ?? []);
  if (kernelAtLeast("5.15")) expect(ids).toHaveLength(50);
  const before = new Set(children());
  const begun = performance.now();
  const waited = waitedForCpu();
  handOver(
    links.flatMap((link) => link.fds),
    () => {
      for (const link of links) link.detach();
    },
  );
  // Closing them here would take four seconds.
  expect(performance.now() - begun - (waitedForCpu() - waited)).toBeLessThan(300 * slowness);
  // The kernel takes its time behind the child's back, and then the child is waited for.
  const deadline = performance.now() + 30_000 * slowness;
  const left = () => [
    ...listLinks().filter((id) => ids.includes(id)),
    ...children().filter((pid) => !before.has(pid)),
  ];
  while (left().length > 0 && performance.now() < deadline) await wait(100);
  expect(left()).toEqual([]);
});
