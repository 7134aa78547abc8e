/** iter:NAME[:PIN]: the kernel's BPF iterators. */
import { didYouMean, someOf } from "../check/nearest.ts";
import type { Kernel } from "../kernel.ts";
import type { Probe } from "../typed.ts";
import { type ProbeRequest, probe, wrongShape } from "./request.ts";
import { hasWildcard } from "./wildcard.ts";

const OF_A_MAP = new Set(["bpf_map_elem", "bpf_sk_storage_map", "sockmap"]);

const usable = (kernel: Kernel): string[] => kernel.iterators().filter((name) => !OF_A_MAP.has(name));

export function expandIter(request: ProbeRequest): Probe[] {
  const { parts, kernel } = request;
  const [target, pin] = parts;
  if (parts.length < 1 || parts.length > 2 || !target)
    return wrongShape(request, "iter:NAME or iter:NAME:PIN");
  if (parts.some(hasWildcard)) {
    request.report.error("probe-syntax", request.span, "iter takes no wildcards", {
      hint: "name one kind of object: tracedeck list 'iter:*' shows them",
    });
    return [];
  }
  if (OF_A_MAP.has(target)) {
    request.report.error(
      "not-supported",
      request.span,
      `iter:${target} walks the entries of one map of another program, which a script cannot name`,
      { hint: "its own maps: for ($kv : @map) { … }" },
    );
    return [];
  }
  const prototype = kernel.functionPrototype(`bpf_iter_${target}`);
  if (!prototype) {
    request.missing(
      "unknown-iterator",
      `this kernel has no iterator ${target}`,
      didYouMean(target, kernel.iterators()) ?? `iterators are ${someOf(usable(kernel), 20)}`,
    );
    return [];
  }
  return [
    probe(request, `iter:${parts.join(":")}`, {
      kind: "iter",
      target,
      btfId: prototype.btfId,
      ...(pin ? { pin } : {}),
    }),
  ];
}
