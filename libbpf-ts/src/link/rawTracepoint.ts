// Raw tracepoints: the tracepoint's own arguments, with no record built for the program. Attaching and closing take 0.1 ms.

import { Errno, SysError, UnsupportedError } from "../errno.ts";
import { attr, bpf, bpfCallName, cstring } from "../sys.ts";
import { Cmd } from "../uapi.ts";
import { FdLink, type HasFd, type Link } from "./link.ts";

/** Attaches a `raw_tracepoint` program by the tracepoint's name ("sys_enter"); with a cookie since 6.10. */
export function attachRawTracepoint(program: HasFd, name: string, options: { cookie?: bigint } = {}): Link {
  const target = `raw tracepoint ${name}`;
  attr
    .begin()
    .ptr(0, cstring(name))
    .u32(8, program.fd)
    .u64(16, options.cookie ?? 0n);
  const fd = bpf(Cmd.rawTracepointOpen, options.cookie ? 24 : 16);
  if (fd >= 0) return new FdLink(target, [fd], true);
  if (options.cookie && (fd === -Errno.E2BIG || fd === -Errno.EINVAL)) {
    throw new UnsupportedError(`attach cookie for ${target}`, "this kernel has none", "6.10");
  }
  const hint = fd === -Errno.ENOENT ? `this kernel has no tracepoint named ${name}` : undefined;
  throw new SysError(bpfCallName(Cmd.rawTracepointOpen, name), -fd, hint);
}
