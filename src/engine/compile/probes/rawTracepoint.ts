/** rawtracepoint[:MODULE]:EVENT, with typed arguments where the kernel has BTF. */
import { didYouMean } from "../check/nearest.ts";
import type { Probe } from "../typed.ts";
import { type ProbeRequest, probe, wrongShape } from "./request.ts";
import { hasWildcard, wildcard } from "./wildcard.ts";

export function expandRawTracepoint(request: ProbeRequest): Probe[] {
  const { kernel, parts } = request;
  if (parts.length < 1 || parts.length > 2 || !parts.at(-1))
    return wrongShape(request, "rawtracepoint:EVENT or rawtracepoint:MODULE:EVENT");
  const pattern = parts.at(-1)!;
  const module = parts.length === 2 ? parts[0] : undefined;
  const inModule = wildcard(module ?? "*");
  const found = kernel
    .rawTracepoints()
    .filter(wildcard(pattern))
    .flatMap((event) => {
      const prototype = kernel.rawTracepoint(event);
      if (module && !inModule(prototype?.module ?? "vmlinux")) return [];
      const name = `rawtracepoint:${module ? `${prototype?.module ?? "vmlinux"}:` : ""}${event}`;
      return [
        probe(request, name, {
          kind: "rawtracepoint",
          event,
          ...(prototype ? { btfId: prototype.btfId, module: prototype.module } : {}),
        }),
      ];
    });
  if (found.length === 0)
    request.missing(
      hasWildcard(pattern) ? "no-match" : "unknown-tracepoint",
      hasWildcard(pattern)
        ? `no raw tracepoint of this kernel matches ${pattern}`
        : `there is no raw tracepoint ${pattern} in this kernel`,
      didYouMean(pattern, kernel.rawTracepoints()),
    );
  return found;
}
