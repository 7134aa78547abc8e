/** Names of the probes of this kernel, and of a binary's when the pattern names one, that match a pattern. */
import type { Kernel } from "./compile/kernel.ts";
import { wildcard } from "./compile/probes/wildcard.ts";
import { HARDWARE_EVENTS, SOFTWARE_EVENTS } from "./compile/tables/events.ts";
import { probeType } from "./compile/tables/probeTypes.ts";

interface Provider {
  name: string;
  /** What follows "name:"; `rest` is the pattern's own, for what must be asked for by name. */
  names(kernel: Kernel, rest: string): Iterable<string>;
}

function* functionNames(kernel: Kernel): Iterable<string> {
  for (const { name } of kernel.functions()) yield name;
}

function* tracepointNames(kernel: Kernel): Iterable<string> {
  for (const category of kernel.tracepointCategories()) {
    for (const event of kernel.tracepoints(category)) yield `${category}:${event}`;
  }
}

/** Functions of the files that the part before the last colon names. */
function* userNames(kernel: Kernel, rest: string): Iterable<string> {
  const path = rest.slice(0, Math.max(0, rest.lastIndexOf(":")));
  if (path === "") return;
  for (const binary of kernel.binaries(path)) {
    for (const { name } of binary.symbols()) yield `${path}:${name}`;
  }
}

function* usdtNames(kernel: Kernel, rest: string): Iterable<string> {
  const path = rest.split(":")[0];
  if (path === "") return;
  for (const binary of kernel.binaries(path)) {
    for (const { provider, name } of binary.usdt()) yield `${path}:${provider}:${name}`;
  }
}

const kernelFunctions = (feature: string) => (kernel: Kernel) =>
  kernel.has(feature) ? functionNames(kernel) : [];

const PROVIDERS: readonly Provider[] = [
  { name: "hardware", names: () => HARDWARE_EVENTS.map((event) => `${event.name}:`) },
  { name: "software", names: () => SOFTWARE_EVENTS.map((event) => `${event.name}:`) },
  { name: "fentry", names: kernelFunctions("fentry") },
  { name: "fexit", names: kernelFunctions("fentry") },
  { name: "kprobe", names: kernelFunctions("kprobe") },
  { name: "kretprobe", names: kernelFunctions("kprobe") },
  { name: "rawtracepoint", names: (kernel) => kernel.rawTracepoints() },
  { name: "tracepoint", names: tracepointNames },
  { name: "uprobe", names: userNames },
  { name: "uretprobe", names: userNames },
  { name: "usdt", names: usdtNames },
];

/** Sorted within each provider. "" and "*" list everything that the kernel has. */
export function listProbes(kernel: Kernel, pattern: string): string[] {
  const colon = pattern.indexOf(":");
  const written = colon < 0 ? "*" : pattern.slice(0, colon);
  const rest = colon < 0 ? `*${pattern}*` : pattern.slice(colon + 1);
  const provider = wildcard(probeType(written)?.name ?? written);
  const matches = wildcard(rest);
  return PROVIDERS.filter(({ name }) => provider(name)).flatMap(({ name, names }) => {
    const found: string[] = [];
    for (const candidate of names(kernel, rest)) {
      if (matches(candidate) || matches(candidate.replace(/:$/, ""))) found.push(`${name}:${candidate}`);
    }
    return found.sort();
  });
}
