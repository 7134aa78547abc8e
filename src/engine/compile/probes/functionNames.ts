/** Names of kernel functions → functions that can be traced, and why others can't. */
import { nearest, someOf } from "../check/nearest.ts";
import type { Kernel } from "../kernel.ts";
import { NO_MATCH, type ProbeRequest, parseInteger } from "./request.ts";
import { hasWildcard, wildcard } from "./wildcard.ts";

export interface Target {
  name: string;
  module: string;
  offset: number;
  address?: bigint;
  /** There are several functions of this name: all are meant. */
  several?: true;
}

/** Name → modules, one entry for each function of the name, the kernel proper first. */
type Known = ReadonlyMap<string, readonly string[]>;

const knownOf = new WeakMap<Kernel, Known>();

/** All functions that can be traced; empty when the kernel does not say. */
function traceable(kernel: Kernel): Known {
  let known = knownOf.get(kernel);
  if (!known) {
    const names = new Map<string, string[]>();
    for (const [module, functions] of kernel.functions()) {
      for (const name of functions) {
        const homes = names.get(name);
        if (homes) homes.push(module);
        else names.set(name, [module]);
      }
    }
    known = names;
    knownOf.set(kernel, known);
  }
  return known;
}

/**
 * Functions that can take a system down when traced, though the kernel permits it: those that tracing itself goes through,
 * and the idle loop. A wildcard leaves them out; by name they can be had.
 */
const PERILOUS =
  /^(rcu_|__rcu_read_(un)?lock$|preempt_count_(add|sub)$|migrate_(dis|en)able$|(arch_cpu|default)_idle$|bpf_dispatcher_xdp_func$)/;

export function resolveFunctions(request: ProbeRequest): Target[] {
  const { parts, type, report, span, options } = request;
  const last = parts.at(-1)!;
  const plus = last.indexOf("+");
  const name = plus > 0 ? last.slice(0, plus) : last;
  const offset = plus > 0 ? parseInteger(last.slice(plus + 1)) : 0n;
  if (offset === undefined) {
    report.error("probe-syntax", span, `${last.slice(plus + 1) || "(empty)"} is no offset`, {
      hint: `for example ${type}:${name}+4`,
    });
    return [];
  }
  if (offset > 0n && type !== "kprobe") {
    report.error("probe-syntax", span, `${type} takes no offset`, { hint: "kprobe does" });
    return [];
  }
  const address = parseInteger(name);
  if (address === undefined) {
    const module = parts.length > 1 ? parts[0] : undefined;
    return hasWildcard(name) || (module && hasWildcard(module))
      ? matching(request, name, module, Number(offset))
      : named(request, name, module, offset);
  }
  if (type !== "kprobe" && type !== "kretprobe") {
    report.error("probe-syntax", span, `${type} takes a function's name, no address`, {
      hint: "kprobe does",
    });
    return [];
  }
  if (!options.unsafe) {
    report.error("unsafe", span, "a probe at a bare kernel address may crash the kernel", {
      hint: "run with --unsafe if you are sure of the address",
    });
    return [];
  }
  return [{ name, module: "vmlinux", offset: Number(offset), address }];
}

const isKprobe = (type: string): boolean => type === "kprobe" || type === "kretprobe";

function matching(request: ProbeRequest, name: string, module: string | undefined, offset: number): Target[] {
  const { kernel, type } = request;
  const known = traceable(kernel);
  const matches = wildcard(name);
  const inModule = wildcard(module ?? "*");
  const named = module !== undefined || !isKprobe(type);
  const found: Target[] = [];
  for (const [candidate, all] of known) {
    if (!matches(candidate)) continue;
    if (PERILOUS.test(candidate) || kernel.blacklisted?.(candidate)) continue;
    const homes = all.filter(inModule);
    // Without a module in its name, a probe stands for all functions of the name that the kernel looks up.
    for (const home of named ? new Set(homes) : homes.slice(0, 1))
      found.push(target(candidate, home, homes, offset));
  }
  if (found.length > 0) return found;
  const modules = new Set([...known.values()].flat());
  const knownModule = [...modules].some(inModule);
  request.missing(
    known.size ? NO_MATCH : "no-function-list",
    !known.size
      ? "this kernel does not list the functions that can be traced, so wildcards match none"
      : knownModule
        ? `no kernel function that can be traced matches ${module === undefined ? name : `${module}:${name}`}`
        : noModule(module ?? "*"),
    known.size ? (knownModule ? likeWildcard(request, name) : undefined) : "name the functions one by one",
  );
  return [];
}

/** Functions that begin as a wildcard does, up to where it is a compiler's suffix. */
function likeWildcard({ kernel, type }: ProbeRequest, name: string): string {
  const [stem] = name.split(/[.*?[]/, 1);
  const harmless = [...traceable(kernel).keys()].filter((one) => !PERILOUS.test(one));
  const near = stem ? nearest(stem, harmless) : [];
  return near.length
    ? `did you mean ${near.map((one) => `${type}:${one}`).join(" or ")}?`
    : `list them: tracedeck list '${type}:*'`;
}

function target(name: string, module: string, homes: readonly string[], offset: number): Target {
  const several = homes.filter((home) => home === module).length > 1;
  return { name, module, offset, ...(several ? { several } : {}) };
}

const noModule = (module: string): string =>
  `no module ${module} is loaded that has functions which can be traced`;

function named(request: ProbeRequest, name: string, module: string | undefined, offset: bigint): Target[] {
  const { kernel, type, report, span } = request;
  const known = traceable(kernel);
  const prefixed = `${kernel.arch === "x64" ? "__x64_" : "__arm64_"}${name}`;
  for (const candidate of name.startsWith("sys_") ? [name, prefixed] : [name]) {
    const homes = (known.get(candidate) ?? []).filter((home) => module === undefined || home === module);
    if (homes.length === 0) continue;
    const modules = [...new Set(homes)];
    if (isKprobe(type) && kernel.blacklisted?.(candidate)) return blacklisted(request, candidate);
    if (!isKprobe(type) && modules.length > 1) {
      report.error(
        "ambiguous-function",
        span,
        `there are functions ${candidate} in ${modules.join(" and ")}`,
        {
          hint: `say which is meant: ${modules.map((home) => `${type}:${home}:${candidate}`).join(" or ")}`,
        },
      );
      return [];
    }
    const found = target(candidate, modules[0], homes, Number(offset));
    if (offset > 0n && isOutside(request, found)) return [];
    return [found];
  }
  return notTraceable(request, name, module, Number(offset));
}

/** The kernel itself would accept an offset that leads into the next function. */
function isOutside(
  { kernel, report, span }: ProbeRequest,
  { name, module, offset, several }: Target,
): boolean {
  if (several) return false;
  const address = kernel.symbolAddress(name, module);
  const at = address === undefined ? undefined : kernel.functionAt?.(address + BigInt(offset));
  if (!at || at.offset === offset) return false;
  report.error("offset-outside", span, `${name} is not that long: +${offset} is in ${at.name}`);
  return true;
}

function blacklisted(request: ProbeRequest, name: string): Target[] {
  const { kernel, type } = request;
  const other = type === "kprobe" ? "fentry" : "fexit";
  request.missing(
    "blacklisted",
    `the kernel permits no kprobe in ${name}: tracing itself depends on it`,
    kernel.has(other) && traceable(kernel).has(name) && kernel.functionPrototype(name)
      ? `${other} may work; the list is in /sys/kernel/debug/kprobes/blacklist`
      : "probe a function that calls it; the list is in /sys/kernel/debug/kprobes/blacklist",
  );
  return [];
}

function notTraceable(
  request: ProbeRequest,
  name: string,
  module: string | undefined,
  offset: number,
): Target[] {
  const { kernel, type, options } = request;
  const known = traceable(kernel);
  const exists = kernel.symbolAddress(name, module) !== undefined;
  if (exists && isKprobe(type) && kernel.blacklisted?.(name)) return blacklisted(request, name);
  if (exists && (known.size === 0 || (options.unsafe && isKprobe(type))))
    return [{ name, module: module ?? "vmlinux", offset }];
  const full = module ? `${module}:${name}` : name;
  const elsewhere = [...new Set(known.get(name) ?? [])];
  const parts = [...known.keys()].filter((candidate) => candidate.startsWith(`${name}.`));
  const near = nearest(name, known.keys());
  const modules = new Set([...known.values()].flat());
  const suggest = (names: readonly string[]) =>
    `did you mean ${names.map((one) => `${type}:${one}`).join(" or ")}?`;
  const [message, hint] = ((): [string, string] => {
    if (module && known.size > 0 && !modules.has(module))
      return [
        noModule(module),
        elsewhere.length ? suggest(elsewhere.map((home) => `${home}:${name}`)) : "modprobe it first",
      ];
    if (elsewhere.length)
      return [`there is no function ${full}`, suggest(elsewhere.map((home) => `${home}:${name}`))];
    if (parts.length)
      return [
        `this kernel's compiler left no function ${name}, only parts and variants of it: ${someOf(parts)}`,
        suggest(parts.slice(0, 3)),
      ];
    if (exists)
      return [
        `${full} cannot be traced: the kernel has it, but keeps tracing away from it (notrace), or it is no function`,
        near.length ? suggest(near) : `probe a function that calls it`,
      ];
    return [
      `there is no kernel function ${full} that can be traced`,
      near.length ? suggest(near) : "it may be inlined into its callers, or named otherwise in this kernel",
    ];
  })();
  request.missing("unknown-function", message, hint);
  return [];
}
