/**
 * Raw tracepoints, also where they stand in for tracepoints of the same name whose records nobody reads: by name, or by BTF
 * where the program was loaded as tp_btf. Both attach and close in 0.1 ms.
 */
import { attachRawTracepoint, attachTracing, kernelAtLeast } from "libbpf-ts";
import { attachOf, each } from "./attached.ts";

/** Cookies of raw tracepoints, 6.10. Programs that need one to tell their probes apart are compiled apart before that. */
const cookies = () => kernelAtLeast("6.10");

export const rawTracepoint = each(false, (probe, { program }, cookie) => {
  const { event } = attachOf(probe, "rawtracepoint", "tracepoint");
  const options = { cookie: cookies() && cookie !== 0n ? cookie : undefined };
  return program.type === "tracing"
    ? attachTracing(program, "trace_raw_tp", { ...options, target: `raw tracepoint ${event}` })
    : attachRawTracepoint(program, event, options);
});
