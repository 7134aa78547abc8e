// Static tracepoints, by a perf event of type tracepoint whose config is the id that tracefs gives. Opened on CPU 0, yet
// the program runs on every CPU: the kernel keeps it with the tracepoint, not with the event.

import { tracepointId } from "../tracefs.ts";
import { PerfType } from "../uapi.ts";
import { attachToPerfEvent, FdLink, type HasFd, type Link } from "./link.ts";
import { openPerfEvent } from "./perfEvent.ts";

export interface TracepointTarget {
  category: string;
  name: string;
  /** Spares reading it from tracefs. */
  id?: number;
}

/** Attaches a `tracepoint` program; closing takes about 80 ms. */
export function attachTracepoint(
  program: HasFd,
  tracepoint: TracepointTarget,
  options: { cookie?: bigint } = {},
): Link {
  const target = `tracepoint ${tracepoint.category}:${tracepoint.name}`;
  const id = tracepoint.id ?? tracepointId(tracepoint.category, tracepoint.name);
  // Without a period: some tracepoints (irq_vectors:irq_work_exit) are refused to events that sample.
  const event = openPerfEvent({ type: PerfType.tracepoint, config: BigInt(id) }, -1, 0, target);
  const { fd, isLink } = attachToPerfEvent(program, event, target, options.cookie);
  return new FdLink(target, [fd], isLink);
}
