/**
 * Iterators: attached like the rest; the session reads each once, which runs the program over every element. Those over
 * tasks can be kept to one process. One with a pin is not read: it stays in the BPF filesystem for others, also when the
 * script has ended.
 */
import { isAbsolute, join } from "node:path";
import { attachIter, BPF_FILESYSTEM, kernelAtLeast, pinObject } from "libbpf-ts";
import type { ProbePlan } from "../compile/plan.ts";
import { attachOf, each } from "./attached.ts";

/** Where a probe's iterator is pinned. */
export function pinOf(probe: ProbePlan): string | undefined {
  const { pin } = attachOf(probe, "iter");
  return pin === undefined || isAbsolute(pin) ? pin : join(BPF_FILESYSTEM, pin);
}

export const iter = each(false, (probe, { program, pid }) => {
  const { target } = attachOf(probe, "iter");
  const link = attachIter(program, {
    name: target,
    // Before 6.1 the program itself leaves others out.
    pid: target.startsWith("task") && kernelAtLeast("6.1") ? pid : undefined,
    allCgroups: target === "cgroup",
  });
  const pin = pinOf(probe);
  try {
    if (pin !== undefined) pinObject(link.fd, pin);
  } catch (error) {
    link.detach();
    throw error;
  }
  return link;
});
