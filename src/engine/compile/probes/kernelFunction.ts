/** kprobe, kretprobe, fentry and fexit: a spec → the functions it means → attach points, in the way this kernel has. */
import type { Prototype } from "../kernel.ts";
import type { Attach, Probe } from "../typed.ts";
import { sizeOf } from "../types.ts";
import { expandBpfFunction } from "./bpfFunction.ts";
import { resolveFunctions, type Target } from "./functionNames.ts";
import { type ProbeRequest, probe, wrongShape } from "./request.ts";
import { hasWildcard } from "./wildcard.ts";

/** How a probe is attached; the one may stand in for the other. */
type Way = "kprobe" | "fentry";

const FEATURES: Readonly<Record<string, string>> = {
  kprobe: "kprobes",
  kretprobe: "kprobes",
  fentry: "fentry",
  fexit: "fexit",
};
const COUNTERPART: Readonly<Record<string, string>> = {
  kprobe: "fentry",
  kretprobe: "fexit",
  fentry: "kprobe",
  fexit: "kretprobe",
};
const isReturn = (type: string): boolean => type === "kretprobe" || type === "fexit";
const ownWay = (type: string): Way => (type === "kprobe" || type === "kretprobe" ? "kprobe" : "fentry");

export function expandKernelFunction(asked: ProbeRequest): Probe[] {
  const { type } = asked;
  const parts = asked.parts.length === 2 && asked.parts[0] === "" ? asked.parts.slice(1) : asked.parts;
  const request = { ...asked, parts };
  if (ownWay(type) === "fentry" && parts[0] === "bpf" && parts.length > 1) {
    if (usable(request, type)) return expandBpfFunction(request);
    request.missing("no-feature", lack(request, type));
    return [];
  }
  if (ownWay(type) === "fentry" && parts[0] === "bpf")
    return wrongShape(request, `${type}:bpf:NAME, which functions of BPF programs are, or ${type}:FUNCTION`);
  if (parts.length < 1 || parts.length > 2 || parts.some((part) => !part))
    return wrongShape(request, `${type}:FUNCTION or ${type}:MODULE:FUNCTION`);
  const way = chooseWay(request);
  if (!way) return [];
  return resolveFunctions(request).flatMap((target) => {
    const attach = way === "kprobe" ? kprobeAttach(request, target) : fentryAttach(request, target);
    if (!attach) return [];
    const where = target.offset ? `+${target.offset}` : "";
    const module = ownWay(type) === "fentry" || parts.length > 1 ? `${target.module}:` : "";
    return [probe(request, `${type}:${module}${target.name}${where}`, attach)];
  });
}

const usable = ({ kernel }: ProbeRequest, type: string): boolean =>
  kernel.has(FEATURES[type]) && (ownWay(type) === "kprobe" || kernel.hasBtf);

/** The probe's own way, or the other where the script permits it. Reports the lack of both, and every stand-in. */
function chooseWay(request: ProbeRequest): Way | undefined {
  const { type, config, report, span } = request;
  if (usable(request, type)) return ownWay(type);
  const other = COUNTERPART[type];
  if (config.kernelFunctionFallback && usable(request, other)) {
    report.warning("stand-in", span, `${lack(request, type)}: ${other} stands in for ${type} here`);
    return ownWay(other);
  }
  refuse(request);
  return undefined;
}

/** What the kernel lacks, in a sentence. */
function lack({ kernel }: ProbeRequest, type: string): string {
  const why = kernel.whyNot?.(FEATURES[type]);
  const because = why ? ` (${why})` : "";
  if (ownWay(type) === "kprobe") return `this kernel has no kprobes${because}`;
  if (!kernel.hasBtf) return `${type} needs BTF, which this kernel does not have`;
  return `this kernel lets no ${type} program attach${because}`;
}

/** A kernel without the feature gets a sentence that says what it has instead. */
function refuse(request: ProbeRequest): void {
  const { type, parts, kernel } = request;
  const other = COUNTERPART[type];
  const hints: string[] = [];
  if (usable(request, other)) {
    hints.push(
      `${other} works here: write ${other}:${parts.join(":")}, or let it stand in with config = { kernel_function_fallback=true }`,
    );
  } else {
    hints.push(`nor does ${other} work here: ${lack(request, other)}`);
    const name = parts.at(-1) ?? "";
    hints.push(
      kernel.rawTracepoints().includes(name)
        ? `rawtracepoint:${name} does`
        : "tracepoint and rawtracepoint do: tracedeck list 'tracepoint:*'",
    );
  }
  request.missing("no-feature", lack(request, type), hints.join("; "));
}

function kprobeAttach(request: ProbeRequest, target: Target): Attach {
  const { type } = request;
  return {
    kind: "kprobe",
    function: target.name,
    ...(target.module !== "vmlinux" ? { module: target.module } : {}),
    offset: target.offset,
    ...(target.address === undefined ? {} : { address: target.address }),
    ...(target.several ? { several: true } : {}),
    return: isReturn(type),
    ...(ownWay(type) === "fentry" ? { typed: true } : {}),
  };
}

function fentryAttach(request: ProbeRequest, target: Target): Attach | undefined {
  const { type, parts, kernel, config, report, span } = request;
  const wild = hasWildcard(parts.at(-1)!);
  if (target.address !== undefined || target.offset !== 0) {
    request.missing("no-feature", `${lack(request, type)}, and fentry is at the beginning of functions only`);
    return undefined;
  }
  const prototype = kernel.functionPrototype(target.name, target.module);
  const problem = prototype
    ? tooMuch(prototype, request)
    : `BTF has no prototype of ${target.name}, which fentry needs`;
  if (!problem) {
    if (target.several && !wild)
      report.warning(
        "several-functions",
        span,
        `this kernel has several functions ${target.name}, and ${type} reaches one of them`,
        usable(request, "kprobe")
          ? { hint: `${isReturn(type) ? "kretprobe" : "kprobe"} takes them all` }
          : {},
      );
    return {
      kind: "fentry",
      function: target.name,
      module: prototype!.module,
      btfId: prototype!.btfId,
      exit: isReturn(type),
      ...(ownWay(type) === "kprobe" ? { untyped: true } : {}),
    };
  }
  if (wild) return undefined;
  const other = COUNTERPART[type];
  if (ownWay(type) === "fentry" && config.kernelFunctionFallback && usable(request, other)) {
    report.warning("stand-in", span, `${problem}: ${other} stands in for ${type} here`);
    return kprobeAttach(request, target);
  }
  request.missing(
    "no-prototype",
    problem,
    usable(request, other) && ownWay(type) === "fentry" ? `${other} works here` : undefined,
  );
  return undefined;
}

/** More arguments than a BPF trampoline hands over, or a result that it can't. */
function tooMuch({ arguments: args, returns }: Prototype, { kernel }: ProbeRequest): string | undefined {
  const [major, minor] = kernel.version;
  const most = kernel.arch === "arm64" ? 8 : major > 6 || (major === 6 && minor >= 6) ? 12 : 6;
  const slots = args.reduce((sum, { type }) => sum + Math.max(1, Math.ceil(sizeOf(type) / 8)), 0);
  if (slots > most) return `it has more than the ${most} arguments that fentry can pass on in this kernel`;
  if (returns.kind === "struct") return "it returns a struct, which fentry cannot pass on";
  return undefined;
}
