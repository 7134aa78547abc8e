/** Static tracepoints through perf events. Detaching one takes about 80 ms. */
import { attachTracepoint, kernelAtLeast } from "libbpf-ts";
import { attachOf, each } from "./attached.ts";

export const tracepoint = each(true, (probe, { program }, cookie) => {
  const { category, event, id } = attachOf(probe, "tracepoint");
  return attachTracepoint(program, { category, name: event, id }, { cookie: withPerfLinks(cookie) });
});

/** Cookies came with Linux 5.15; before, no program serves several probes. A cookie of 0 is what programs read without one. */
export function withPerfLinks(cookie: bigint): bigint | undefined {
  return cookie === 0n || !kernelAtLeast("5.15") ? undefined : cookie;
}
