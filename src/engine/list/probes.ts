/**
 * Every probe there is, by pattern: `tracepoint:sched:*`, `*open*`, `uprobe:/bin/bash:read*`. A row per probe type says
 * how its probes are enumerated; kinds that would read every binary or are as many as kernel functions come only when
 * they are named.
 */

import type { Kernel, UserBinary } from "../compile/kernel.ts";
import { shownPath } from "../compile/probes/shownPath.ts";
import { functionsOf, isLanguage, type NameLanguage } from "../compile/probes/userSymbols.ts";
import { hasWildcard, wildcard } from "../compile/probes/wildcard.ts";
import { HARDWARE_EVENTS, SOFTWARE_EVENTS } from "../compile/tables/events.ts";
import { probeType } from "../compile/tables/probeTypes.ts";
import { demangled } from "../symbols/demangle/index.ts";
import { typedFunctions } from "./functions.ts";

interface Query {
  kernel: Kernel;
  /** What follows the type, by its colons: [function] or [target, function]. */
  target: string | undefined;
  name: string;
  pid: number | undefined;
}

/** A probe by its colons: ["tracepoint", "sched", "sched_switch"]. Apart, for few ask for the whole and sorting compares parts. */
export type Probe = readonly string[];

interface Listing {
  type: string;
  /** Left out of patterns that name no type: always, or unless a process or a file says where to look. */
  onlyNamed?: "always" | "without-target";
  /** NAME may come behind a TARGET; the others have all of the rest as their name. */
  targeted?: true;
  /** In an order that means something, or sorted already; the others are sorted by name. */
  ordered?: true;
  probes(query: Query): Iterable<Probe>;
}

function* tracepoints({ kernel, target = "*", name }: Query): Iterable<Probe> {
  const wantsCategory = wildcard(target);
  const wantsEvent = wildcard(name);
  for (const category of kernel.tracepointCategories()) {
    if (!wantsCategory(category)) continue;
    for (const event of kernel.tracepoints(category)) {
      if (wantsEvent(event)) yield ["tracepoint", category, event];
    }
  }
}

function* rawTracepoints({ kernel, target = "*", name }: Query): Iterable<Probe> {
  const wantsModule = wildcard(target);
  const wantsEvent = wildcard(name);
  for (const event of kernel.rawTracepoints()) {
    if (!wantsEvent(event)) continue;
    const module = kernel.rawTracepointModule(event);
    if (wantsModule(module)) yield ["rawtracepoint", module, event];
  }
}

/** In order, each once. Sorts in place: what is made of parts that are in order costs little. */
const sorted = (names: string[]): string[] => names.sort().filter((name, i) => name !== names[i - 1]);

const inOrder = new WeakMap<readonly string[], string[]>();

/** The same for all of a module's functions, which more than one type of probes has. */
function allSorted(names: readonly string[]): string[] {
  let all = inOrder.get(names);
  if (!all) {
    all = sorted([...names]);
    inOrder.set(names, all);
  }
  return all;
}

/** Kernel functions that a probe type can take, by their modules, in order: none where the kernel can't attach it. */
function* kernelFunctions(
  { kernel, target, name }: Query,
  feature: string,
): Iterable<[module: string, names: string[]]> {
  if (!kernel.has(feature)) return;
  const wantsModule = wildcard(target ?? "*");
  const wantsName = wildcard(name);
  const modules = [...kernel.functions()].sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [module, names] of modules) {
    if (wantsModule(module))
      yield [module, name === "*" ? allSorted(names) : sorted(names.filter(wantsName))];
  }
}

const kprobes = (type: string) =>
  function* (query: Query): Iterable<Probe> {
    const found = kernelFunctions(query, "kprobes");
    if (query.target === undefined) {
      for (const name of sorted([...found].flatMap(([, names]) => names))) yield [type, name];
      return;
    }
    for (const [module, names] of found) for (const name of names) yield [type, module, name];
  };

/** Functions whose types are known. */
const trampolines = (type: string, feature: string) =>
  function* (query: Query): Iterable<Probe> {
    for (const [module, names] of kernelFunctions(query, feature)) {
      const typed = typedFunctions(module);
      for (const name of names) if (typed(name)) yield [type, module, name];
    }
  };

/** What a target names; with -p also what the process has mapped, of which no target or "*" means all. */
function binaries({ kernel, target, pid }: Query): readonly UserBinary[] {
  if (target !== undefined && target !== "*" && target !== "") return kernel.binaries(target, pid);
  return pid === undefined && target === undefined ? [] : kernel.mappedBinaries(pid);
}

/** What a binary has; nothing, where it can't be read. */
function contents<T>(read: () => readonly T[]): readonly T[] {
  try {
    return read();
  } catch {
    return [];
  }
}

const shown = ({ target }: Query, { path }: UserBinary): string => shownPath(target ?? "", path);

/** By the names that their authors wrote: uprobe:/bin/x:cpp:"ns::f(int)". */
function* writtenNames(type: string, query: Query, language: NameLanguage, pattern: string): Iterable<Probe> {
  const unquoted = pattern.replace(/^"(.*)"$/s, "$1") || "*";
  for (const binary of binaries(query)) {
    for (const { name } of contents(() => functionsOf(binary, unquoted, language))) {
      const written = demangled(name)?.text;
      yield [type, shown(query, binary), language, written === undefined ? name : `"${written}"`];
    }
  }
}

const userFunctions = (type: string) =>
  function* (query: Query): Iterable<Probe> {
    const [language, written] = query.name.split(/:(.*)/s);
    if (written !== undefined && isLanguage(language)) {
      yield* writtenNames(type, query, language, written);
      return;
    }
    const wants = wildcard(query.name);
    for (const binary of binaries(query)) {
      for (const symbol of contents(() => binary.symbols())) {
        if (wants(symbol.name)) yield [type, shown(query, binary), symbol.name];
      }
    }
  };

function* usdtProbes(query: Query): Iterable<Probe> {
  const wants = wildcard(query.name.includes(":") ? query.name.replace(/^:/, "*:") : `*:${query.name}`);
  for (const binary of binaries(query)) {
    const points = contents(() => binary.usdt()).map(({ provider, name }) => `${provider}:${name}`);
    for (const point of new Set(points))
      if (wants(point)) yield ["usdt", shown(query, binary), ...point.split(":")];
  }
}

/** A fixed set of names. */
const names = (type: string, all: readonly string[], ...suffix: string[]) =>
  function* ({ name }: Query): Iterable<Probe> {
    const wants = wildcard(name.replace(/:$/, ""));
    for (const one of all) if (wants(one)) yield [type, ...one.split(":"), ...suffix];
  };

const events = (rows: readonly { name: string; aliases: readonly string[] }[]): string[] =>
  rows.flatMap(({ name, aliases }) => [name, ...aliases]);

const UNITS = ["hz", "us", "ms", "s"];

/** One that is alone of its type. */
const single = (type: string) =>
  function* ({ name }: Query): Iterable<Probe> {
    if (name === "*") yield [type];
  };

const LISTINGS: readonly Listing[] = [
  { type: "begin", onlyNamed: "always", probes: single("begin") },
  { type: "end", onlyNamed: "always", probes: single("end") },
  { type: "fentry", targeted: true, ordered: true, probes: trampolines("fentry", "fentry") },
  {
    type: "fexit",
    targeted: true,
    ordered: true,
    onlyNamed: "always",
    probes: trampolines("fexit", "fexit"),
  },
  { type: "hardware", ordered: true, probes: names("hardware", events(HARDWARE_EVENTS), "") },
  { type: "interval", ordered: true, probes: names("interval", UNITS, "") },
  {
    type: "iter",
    *probes({ kernel, name }) {
      const wants = wildcard(name);
      for (const target of kernel.iterators()) if (wants(target)) yield ["iter", target];
    },
  },
  { type: "kprobe", targeted: true, ordered: true, probes: kprobes("kprobe") },
  { type: "kretprobe", targeted: true, ordered: true, onlyNamed: "always", probes: kprobes("kretprobe") },
  { type: "profile", ordered: true, probes: names("profile", UNITS, "") },
  { type: "rawtracepoint", targeted: true, probes: rawTracepoints },
  { type: "self", ordered: true, probes: names("self", ["signal:SIGUSR1"]) },
  { type: "software", ordered: true, probes: names("software", events(SOFTWARE_EVENTS), "") },
  { type: "tracepoint", targeted: true, probes: tracepoints },
  { type: "uprobe", targeted: true, onlyNamed: "without-target", probes: userFunctions("uprobe") },
  { type: "uretprobe", targeted: true, onlyNamed: "always", probes: userFunctions("uretprobe") },
  { type: "usdt", targeted: true, onlyNamed: "without-target", probes: usdtProbes },
];

/** Whether probes of a type can be listed; the others are written, each as it is wanted. */
export const isListed = (type: string): boolean => LISTINGS.some((listing) => listing.type === type);

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

/** A type by any of its names; what is none comes back as it is. */
export const canonicalType = (name: string): string => probeType(name)?.name ?? name;

function queryOf({ targeted }: Listing, parts: string[], kernel: Kernel, pid: number | undefined): Query {
  const rest = parts.join(":") || "*";
  if (!targeted || parts.length < 2) return { kernel, target: undefined, name: rest, pid };
  return { kernel, target: parts[0], name: parts.slice(1).join(":") || "*", pid };
}

function probesOf(
  listing: Listing,
  parts: string[],
  kernel: Kernel,
  pid: number | undefined,
): Iterable<Probe> {
  const found = listing.probes(queryOf(listing, parts, kernel, pid));
  if (listing.ordered) return found;
  const byName = new Map(Array.from(found, (probe) => [probe.join(":"), probe]));
  return [...byName.keys()].sort().map((name) => byName.get(name)!);
}

/** Those of all types that a pattern means: `*`, `*open*`, `k*:vfs_*`. */
function* ofTypes(kernel: Kernel, [first, ...parts]: string[], pid: number | undefined): Iterable<Probe> {
  const wantsType = wildcard(first);
  const somewhere = pid !== undefined || (parts.length > 1 && parts[0].includes("/"));
  for (const listing of LISTINGS) {
    const { onlyNamed } = listing;
    const named = first !== "*" && listing.type.startsWith(first.replace(/\*.*$/s, ""));
    if (!wantsType(listing.type) || (onlyNamed === "always" && !named)) continue;
    if (onlyNamed === "without-target" && !named && !somewhere) continue;
    yield* probesOf(listing, parts, kernel, pid);
  }
}

/** Probes that match, in the order of their types. A pattern without a colon is looked for in every probe's name. */
export function listProbes(kernel: Kernel, pattern: string, pid?: number): Iterable<Probe> {
  if (!pattern.includes(":") && isListed(canonicalType(pattern)))
    return listProbes(kernel, `${pattern}:*`, pid);
  const all = pattern.includes(":") ? pattern.split(":") : ["*", pattern || "*"];
  const [first, ...parts] = all;
  const type = canonicalType(first);
  const exact = LISTINGS.find((listing) => listing.type === type);
  if (exact) return probesOf(exact, parts, kernel, pid);
  return hasWildcard(first) ? ofTypes(kernel, all, pid) : [];
}

/** `listProbes` as they are written. */
export const probeNames = (kernel: Kernel, pattern: string, pid?: number): string[] =>
  Array.from(listProbes(kernel, pattern, pid), (probe) => probe.join(":"));
