/** fentry and fexit: the program was loaded for one function, attaching is a formality. */
import { attachTracing, kernelAtLeast } from "libbpf-ts";
import { attachOf, each } from "./attached.ts";

export const fentry = each(true, (probe, { program }, cookie) => {
  const { function: symbol, exit } = attachOf(probe, "fentry");
  return attachTracing(program, exit ? "trace_fexit" : "trace_fentry", {
    cookie: cookie === 0n || !kernelAtLeast("5.19") ? undefined : cookie,
    target: `${exit ? "fexit" : "fentry"} ${symbol}`,
  });
});
