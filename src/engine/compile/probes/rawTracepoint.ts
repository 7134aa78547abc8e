/** rawtracepoint[:MODULE]:EVENT, with typed arguments where the kernel has BTF. */
import { didYouMean } from "../check/nearest.ts";
import type { Probe } from "../typed.ts";
import { NO_MATCH, type ProbeRequest, probe, wrongShape } from "./request.ts";
import { hasWildcard, wildcard } from "./wildcard.ts";

export function expandRawTracepoint(request: ProbeRequest): Probe[] {
  const { kernel, parts } = request;
  if (parts.length < 1 || parts.length > 2 || !parts.at(-1))
    return wrongShape(request, "rawtracepoint:EVENT or rawtracepoint:MODULE:EVENT");
  const pattern = parts.at(-1)!;
  const module = parts.length === 2 && parts[0] ? parts[0] : "*";
  const inModule = wildcard(module);
  const found = kernel
    .rawTracepoints()
    .filter(wildcard(pattern))
    .flatMap((event) => {
      const prototype = kernel.rawTracepoint(event);
      const home = kernel.rawTracepointModule(event);
      if (!inModule(home)) return [];
      return [
        probe(request, `rawtracepoint:${home}:${event}`, {
          kind: "rawtracepoint",
          event,
          ...(prototype ? { btfId: prototype.btfId, module: prototype.module } : {}),
        }),
      ];
    });
  if (found.length === 0) {
    const home = kernel.rawTracepoints().includes(pattern) ? kernel.rawTracepointModule(pattern) : undefined;
    request.missing(
      hasWildcard(pattern) ? NO_MATCH : "unknown-tracepoint",
      hasWildcard(pattern)
        ? `no raw tracepoint of this kernel matches ${parts.join(":")}`
        : `there is no raw tracepoint ${pattern} in ${module === "*" ? "this kernel" : module}`,
      home === undefined
        ? (didYouMean(pattern, kernel.rawTracepoints()) ?? "list them: tracedeck list 'rawtracepoint:*'")
        : `did you mean rawtracepoint:${home}:${pattern}?`,
    );
  }
  return found;
}
