/**
 * Every probe there is, by pattern: `tracepoint:sched:*`, `*open*`, `uprobe:/bin/bash:read*`. A row per probe type says
 * how its probes are enumerated; kinds that would read every binary or are as many as kernel functions come only when
 * they are named.
 */

import type { Kernel, UserBinary } from "../compile/kernel.ts";
import { functionsOf, isLanguage, type NameLanguage } from "../compile/probes/userSymbols.ts";
import { hasWildcard, wildcard } from "../compile/probes/wildcard.ts";
import { HARDWARE_EVENTS, SOFTWARE_EVENTS } from "../compile/tables/events.ts";
import { PROBE_TYPES } from "../compile/tables/probeTypes.ts";
import { demangled } from "../symbols/demangle/index.ts";
import { typedFunctions } from "./arguments.ts";

interface Query {
  kernel: Kernel;
  /** What follows the type, by its colons: [function] or [target, function]. */
  target: string | undefined;
  name: string;
  pid: number | undefined;
}

interface Listing {
  type: string;
  /** Left out of patterns that name no type. */
  onlyNamed?: true;
  probes(query: Query): Iterable<string>;
}

function* tracepoints({ kernel, target = "*", name }: Query): Iterable<string> {
  const wantsCategory = wildcard(target);
  const wantsEvent = wildcard(name);
  for (const category of kernel.tracepointCategories()) {
    if (!wantsCategory(category)) continue;
    for (const event of kernel.tracepoints(category)) {
      if (wantsEvent(event)) yield `tracepoint:${category}:${event}`;
    }
  }
}

/** Kernel functions that a probe type can take: none where the kernel can't attach it. */
function* kernelFunctions(
  { kernel, target, name }: Query,
  feature: string,
): Iterable<[module: string, name: string]> {
  if (!kernel.has(feature)) return;
  const wantsModule = wildcard(target ?? "*");
  const wantsName = wildcard(name);
  for (const { name: found, module } of kernel.functions()) {
    if (wantsName(found) && wantsModule(module)) yield [module, found];
  }
}

const kprobes = (type: string) =>
  function* (query: Query): Iterable<string> {
    for (const [module, name] of kernelFunctions(query, "kprobes")) {
      yield query.target === undefined ? `${type}:${name}` : `${type}:${module}:${name}`;
    }
  };

/** Functions whose types are known. */
const trampolines = (type: string, feature: string) =>
  function* (query: Query): Iterable<string> {
    const typed = new Map<string, Set<string>>();
    for (const [module, name] of kernelFunctions(query, feature)) {
      if (!typed.has(module)) typed.set(module, typedFunctions(module));
      if (typed.get(module)!.has(name)) yield `${type}:${module}:${name}`;
    }
  };

/** By the names that their authors wrote: uprobe:/bin/x:cpp:"ns::f(int)". */
function* writtenNames(
  type: string,
  binaries: readonly UserBinary[],
  language: NameLanguage,
  pattern: string,
): Iterable<string> {
  const unquoted = pattern.replace(/^"(.*)"$/s, "$1") || "*";
  for (const binary of binaries) {
    for (const { name } of functionsOf(binary, unquoted, language)) {
      const written = demangled(name)?.text;
      yield `${type}:${binary.path}:${language}:${written === undefined ? name : `"${written}"`}`;
    }
  }
}

const userFunctions = (type: string) =>
  function* ({ kernel, target, name, pid }: Query): Iterable<string> {
    if (target === undefined && pid === undefined) return;
    const [language, written] = name.split(/:(.*)/s);
    if (written !== undefined && isLanguage(language)) {
      yield* writtenNames(type, kernel.binaries(target ?? "*", pid), language, written);
      return;
    }
    const wants = wildcard(name);
    for (const binary of kernel.binaries(target ?? "*", pid)) {
      for (const symbol of binary.symbols()) {
        if (wants(symbol.name)) yield `${type}:${binary.path}:${symbol.name}`;
      }
    }
  };

function* usdtProbes({ kernel, target, name, pid }: Query): Iterable<string> {
  if (target === undefined && pid === undefined) return;
  const wants = wildcard(name.includes(":") ? name : `*:${name}`);
  for (const binary of kernel.binaries(target ?? "*", pid)) {
    for (const probe of binary.usdt()) {
      const full = `${probe.provider}:${probe.name}`;
      if (wants(full)) yield `usdt:${binary.path}:${full}`;
    }
  }
}

/** A fixed set of names. */
const names = (type: string, all: readonly string[], suffix = ":") =>
  function* ({ name }: Query): Iterable<string> {
    const wants = wildcard(name.replace(/:$/, ""));
    for (const one of all) if (wants(one)) yield `${type}:${one}${suffix}`;
  };

const UNITS = ["hz", "us", "ms", "s"];
const ITERATORS = [
  "task",
  "task_file",
  "task_vma",
  "tcp",
  "udp",
  "unix",
  "bpf_map",
  "bpf_prog",
  "bpf_link",
  "cgroup",
];

const LISTINGS: readonly Listing[] = [
  { type: "fentry", probes: trampolines("fentry", "fentry") },
  { type: "fexit", onlyNamed: true, probes: trampolines("fexit", "fexit") },
  {
    type: "hardware",
    probes: names(
      "hardware",
      HARDWARE_EVENTS.map(({ name }) => name),
    ),
  },
  { type: "interval", probes: names("interval", UNITS) },
  {
    type: "iter",
    *probes({ kernel, name }) {
      const wants = wildcard(name);
      for (const target of ITERATORS) {
        if (wants(target) && kernel.functionPrototype(`bpf_iter_${target}`)) yield `iter:${target}`;
      }
    },
  },
  { type: "kprobe", probes: kprobes("kprobe") },
  { type: "kretprobe", onlyNamed: true, probes: kprobes("kretprobe") },
  { type: "profile", probes: names("profile", UNITS) },
  {
    type: "rawtracepoint",
    *probes({ kernel, name }) {
      const wants = wildcard(name);
      for (const event of kernel.rawTracepoints()) if (wants(event)) yield `rawtracepoint:${event}`;
    },
  },
  { type: "self", probes: names("self", ["signal:SIGUSR1"], "") },
  {
    type: "software",
    probes: names(
      "software",
      SOFTWARE_EVENTS.map(({ name }) => name),
    ),
  },
  { type: "tracepoint", probes: tracepoints },
  { type: "uprobe", onlyNamed: true, probes: userFunctions("uprobe") },
  { type: "uretprobe", onlyNamed: true, probes: userFunctions("uretprobe") },
  { type: "usdt", onlyNamed: true, probes: usdtProbes },
];

/** What the kernel must be able to do for a type's probes to be listed. */
const NEEDS: Record<string, string> = {
  kprobe: "kprobes",
  kretprobe: "kprobes",
  fentry: "fentry",
  fexit: "fexit",
};

/** Why a type has no probes here: the feature that is missing. */
export function missingFeature(kernel: Kernel, pattern: string): string | undefined {
  const feature = NEEDS[canonicalType(pattern.split(":")[0])];
  return feature !== undefined && !kernel.has(feature) ? feature : undefined;
}

/** Types that take TARGET:NAME; the others have all of the rest as their name. */
const TARGETED = new Set([
  "fentry",
  "fexit",
  "kprobe",
  "kretprobe",
  "rawtracepoint",
  "tracepoint",
  "uprobe",
  "uretprobe",
  "usdt",
]);

const canonicalType = (name: string): string =>
  PROBE_TYPES.find((row) => row.name === name || row.aliases.includes(name))?.name ?? name;

function queryOf(type: string, parts: string[], kernel: Kernel, pid: number | undefined): Query {
  const rest = parts.join(":") || "*";
  if (!TARGETED.has(type) || parts.length < 2) return { kernel, target: undefined, name: rest, pid };
  return { kernel, target: parts[0], name: parts.slice(1).join(":") || "*", pid };
}

function* matches(kernel: Kernel, pattern: string, pid: number | undefined): Iterable<string> {
  const [first, ...parts] = pattern.includes(":") ? pattern.split(":") : ["*", pattern || "*"];
  const type = canonicalType(first);
  const exact = LISTINGS.find((listing) => listing.type === type);
  if (!pattern.includes(":") && LISTINGS.some((listing) => listing.type === canonicalType(pattern))) {
    yield* matches(kernel, `${pattern}:*`, pid);
    return;
  }
  if (exact) {
    yield* exact.probes(queryOf(type, parts, kernel, pid));
    return;
  }
  if (!hasWildcard(first)) return;
  const wantsType = wildcard(first);
  for (const listing of LISTINGS) {
    const named =
      !listing.onlyNamed || (first !== "*" && listing.type.startsWith(first.replace(/\*.*$/s, "")));
    if (wantsType(listing.type) && named) yield* listing.probes(queryOf(listing.type, parts, kernel, pid));
  }
}

/** Probes that match, in the order of their types. A pattern without a colon is looked for in every probe's name. */
export const listProbes = (kernel: Kernel, pattern: string, pid?: number): string[] => [
  ...matches(kernel, pattern, pid),
];
