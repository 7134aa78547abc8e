/** Iterators: attached like the rest; the session reads each once, which runs the program over every element. */
import { attachIter } from "libbpf-ts";
import { attachOf, each } from "./attached.ts";

export const iter = each(false, (probe, { program }) => {
  const { target } = attachOf(probe, "iter");
  return attachIter(program, { name: target });
});
