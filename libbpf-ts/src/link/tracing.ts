// Programs of type `tracing`: fentry, fexit and tp_btf. What they attach to is part of the program (`attachBtfId`), so
// attaching needs no target.

import { attr, bpfOrThrow } from "../sys.ts";
import { AttachType, type AttachTypeName, Cmd } from "../uapi.ts";
import { createLink, FdLink, type HasFd, type Link } from "./link.ts";

/**
 * Attaches a `tracing` program to what it was loaded for. `attachType` must be that of the load; a cookie needs 5.19,
 * for tp_btf 6.10.
 */
export function attachTracing(
  program: HasFd,
  attachType: Extract<AttachTypeName, "trace_fentry" | "trace_fexit" | "modify_return" | "trace_raw_tp">,
  options: { cookie?: bigint; target?: string } = {},
): Link {
  const target = options.target ?? attachType.replace("trace_", "");
  if (options.cookie) {
    attr.begin().u32(0, program.fd).u32(8, AttachType[attachType]).u64(24, options.cookie);
    return createLink(target);
  }
  // Without a cookie the older call does, since 5.5.
  attr.begin().u32(8, program.fd);
  return new FdLink(target, [bpfOrThrow(Cmd.rawTracepointOpen, 16, target)], true);
}
