/**
 * Iterators: attached like the rest; the session reads each once, which runs the program over every element. Those over
 * tasks can be kept to one process.
 */
import { attachIter } from "libbpf-ts";
import { attachOf, each } from "./attached.ts";

export const iter = each(false, (probe, { program, pid }) => {
  const { target } = attachOf(probe, "iter");
  return attachIter(program, { name: target, pid: target.startsWith("task") ? pid : undefined });
});
