/**
 * Syscall tracepoints through the raw tracepoints sys_enter and sys_exit: one link serves any number of them, and the
 * program looks at the number. 360 tracepoints attach and close in the time of one.
 */
import { attachRawTracepoint, attachTracing } from "libbpf-ts";
import type { Attached, Attacher } from "./attached.ts";
import { attachOf } from "./attached.ts";

export const rawSyscall: Attacher = ({ program, probes, indexes }) => {
  const attached: Attached[] = [];
  for (const exit of [false, true]) {
    const served = indexes.filter(
      (_, i) => (attachOf(probes[i], "tracepoint").syscall?.exit ?? false) === exit,
    );
    if (served.length === 0) continue;
    const event = exit ? "sys_exit" : "sys_enter";
    try {
      const link =
        program.type === "tracing"
          ? attachTracing(program, "trace_raw_tp", { target: `raw tracepoint ${event}` })
          : attachRawTracepoint(program, event);
      attached.push({ link, probes: served, slowToClose: false });
    } catch (error) {
      for (const { link } of attached) link.detach();
      throw error;
    }
  }
  return attached;
};
