/** Static tracepoints through perf events. Detaching one takes about 80 ms. */
import { attachTracepoint } from "libbpf-ts";
import { attachOf, each } from "./attached.ts";

export const tracepoint = each(true, (probe, { program }, cookie) => {
  const { category, event, id } = attachOf(probe, "tracepoint");
  return attachTracepoint(program, { category, name: event, id }, { cookie: withPerfLinks(cookie) });
});

/** A cookie of 0 is what programs read without one, so that kernels before 5.15 can serve a script's first probe. */
export function withPerfLinks(cookie: bigint): bigint | undefined {
  return cookie === 0n ? undefined : cookie;
}
