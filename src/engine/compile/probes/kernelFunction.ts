/** kprobe, kretprobe, fentry and fexit: kernel functions by name, wildcard, offset or address. */
import { didYouMean } from "../check/nearest.ts";
import type { Kernel } from "../kernel.ts";
import type { Attach, Probe } from "../typed.ts";
import { type ProbeRequest, parseInteger, probe, wrongShape } from "./request.ts";
import { hasWildcard, wildcard } from "./wildcard.ts";

const functionsOf = new WeakMap<Kernel, Map<string, string>>();

/** Name → module, of all functions that can be traced; empty when the kernel does not say. */
function traceable(kernel: Kernel): Map<string, string> {
  let known = functionsOf.get(kernel);
  if (!known) {
    known = new Map();
    for (const { name, module } of kernel.functions()) if (!known.has(name)) known.set(name, module);
    functionsOf.set(kernel, known);
  }
  return known;
}

interface Target {
  name: string;
  module: string;
  offset: number;
  address?: bigint;
}

export function expandKernelFunction(request: ProbeRequest): Probe[] {
  const { type, parts } = request;
  const isFentry = type === "fentry" || type === "fexit";
  if (parts.length < 1 || parts.length > 3 || parts.some((part) => !part))
    return wrongShape(request, `${type}:FUNCTION or ${type}:MODULE:FUNCTION`);
  if (isFentry && parts[0] === "bpf" && parts.length > 1) {
    request.report.error("not-supported", request.span, `${type} on BPF programs is not supported yet`);
    return [];
  }
  if (!supported(request)) return [];
  const targets = resolve(request);
  return targets.flatMap((target) => {
    const attach = isFentry ? fentryAttach(request, target) : kprobeAttach(request, target);
    if (!attach) return [];
    const where = target.offset ? `+${target.offset}` : "";
    const named = parts.length > 1 ? `${target.module}:` : "";
    return [
      probe(request, `${type}:${isFentry ? `${target.module}:` : named}${target.name}${where}`, attach),
    ];
  });
}

/** The row of libbpf-ts `features` that says whether probes of a type can attach. */
const feature = (type: string): string => (type === "kprobe" || type === "kretprobe" ? "kprobes" : type);

/** A kernel without the feature gets a sentence that says what it has instead. */
function supported(request: ProbeRequest): boolean {
  const { type, kernel } = request;
  const isFentry = type === "fentry" || type === "fexit";
  const other = isFentry ? "kprobe" : "fentry";
  const instead = kernel.has(feature(other))
    ? `${isFentry ? (type === "fexit" ? "kretprobe" : "kprobe") : type === "kretprobe" ? "fexit" : "fentry"} works here, and so do tracepoint and rawtracepoint`
    : "tracepoint and rawtracepoint work here: tracedeck list 'tracepoint:*'";
  if (isFentry && !kernel.hasBtf) {
    request.missing("no-feature", `${type} needs BTF, which this kernel does not have`, instead);
    return false;
  }
  if (kernel.has(feature(type))) return true;
  request.missing(
    "no-feature",
    isFentry
      ? `this kernel does not let ${type} programs attach (missing BPF trampolines, or forbidden by policy)`
      : `this kernel has no ${type}: it was built without CONFIG_KPROBES`,
    instead,
  );
  return false;
}

function resolve(request: ProbeRequest): Target[] {
  const { kernel, parts, type, report, span } = request;
  const last = parts.at(-1)!;
  const module = parts.length > 1 ? parts[0] : undefined;
  const plus = last.lastIndexOf("+");
  const name = plus > 0 ? last.slice(0, plus) : last;
  const offset = plus > 0 ? parseInteger(last.slice(plus + 1)) : 0n;
  if (offset === undefined) {
    report.error("probe-syntax", span, `${last.slice(plus + 1)} is no offset`, {
      hint: `for example ${type}:${name}+4`,
    });
    return [];
  }
  if (offset > 0n && type !== "kprobe") {
    report.error("probe-syntax", span, `${type} takes no offset`, { hint: "kprobe does" });
    return [];
  }
  const address = parseInteger(name);
  if (address !== undefined) {
    if (!request.options.unsafe) {
      report.error("unsafe", span, "a probe at a bare kernel address may crash the kernel", {
        hint: "run with --unsafe if you are sure of the address",
      });
      return [];
    }
    return [{ name, module: "vmlinux", offset: Number(offset), address }];
  }
  const known = traceable(kernel);
  const inModule = wildcard(module ?? "*");
  if (hasWildcard(name)) {
    const matches = wildcard(name);
    const found: Target[] = [];
    for (const [candidate, home] of known)
      if (matches(candidate) && inModule(home))
        found.push({ name: candidate, module: home, offset: Number(offset) });
    if (found.length === 0)
      request.missing(
        known.size ? "no-match" : "no-function-list",
        known.size
          ? `no kernel function that can be traced matches ${name}`
          : "this kernel does not list the functions that can be traced, so wildcards match none",
        known.size ? undefined : "name the functions one by one",
      );
    return found;
  }
  for (const candidate of [name, `${kernel.arch === "x64" ? "__x64_" : "__arm64_"}${name}`]) {
    const home = known.get(candidate);
    if (home !== undefined && inModule(home))
      return [{ name: candidate, module: home, offset: Number(offset) }];
    if (kernel.symbolAddress(candidate) !== undefined && (home === undefined || inModule(home)))
      return [{ name: candidate, module: module ?? home ?? "vmlinux", offset: Number(offset) }];
    if (!name.startsWith("sys_")) break;
  }
  request.missing(
    "unknown-function",
    `there is no kernel function ${name}${module ? ` in module ${module}` : ""} that can be traced`,
    didYouMean(name, known.keys()) ?? "it may be inlined, or named otherwise in this kernel",
  );
  return [];
}

function kprobeAttach(request: ProbeRequest, target: Target): Attach {
  return {
    kind: "kprobe",
    function: target.name,
    ...(target.module !== "vmlinux" ? { module: target.module } : {}),
    offset: target.offset,
    ...(target.address === undefined ? {} : { address: target.address }),
    return: request.type === "kretprobe",
  };
}

function fentryAttach(request: ProbeRequest, target: Target): Attach | undefined {
  const prototype = request.kernel.functionPrototype(target.name, target.module);
  if (!prototype) {
    if (!hasWildcard(request.parts.at(-1)!))
      request.missing(
        "no-prototype",
        `BTF has no prototype of ${target.name}, which ${request.type} needs`,
        "kprobe needs none",
      );
    return undefined;
  }
  return {
    kind: "fentry",
    function: target.name,
    module: prototype.module,
    btfId: prototype.btfId,
    exit: request.type === "fexit",
  };
}
