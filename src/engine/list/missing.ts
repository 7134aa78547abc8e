/** Why a pattern lists nothing, and what it may have meant. */
import { probeFeature } from "libbpf-ts";
import { didYouMean, nearest } from "../compile/check/nearest.ts";
import type { Kernel } from "../compile/kernel.ts";
import { hasWildcard } from "../compile/probes/wildcard.ts";
import { PROBE_TYPES } from "../compile/tables/probeTypes.ts";
import { canonicalType, isListed, missingFeature, probeNames } from "./probes.ts";
import { isTypePattern, typeNames } from "./structs.ts";

export interface Missing {
  message: string;
  hint?: string;
}

function missingType(pattern: string): Missing {
  const { kind, name, names } = typeNames(pattern);
  if (hasWildcard(name)) return { message: `no ${kind} of this kernel matches ${name}` };
  const found = nearest(name, names).map((each) => `${kind} ${each}`);
  return {
    message: `this kernel has no ${kind} ${name}`,
    hint: found.length ? `did you mean ${found.join(" or ")}?` : undefined,
  };
}

/** Whole probes whose last part, or all of it, is nearly what was asked for. */
function near(pattern: string, probes: readonly string[]): string | undefined {
  const last = (probe: string) => probe.replace(/:$/, "").slice(probe.replace(/:$/, "").lastIndexOf(":") + 1);
  const whole = nearest(pattern, probes);
  const byName = new Map<string, string[]>();
  for (const probe of probes) {
    const name = last(probe);
    const known = byName.get(name);
    if (known) known.push(probe);
    else byName.set(name, [probe]);
  }
  const exact = byName.get(last(pattern)) ?? [];
  const others = nearest(last(pattern), byName.keys()).flatMap((name) => byName.get(name)!);
  const found = [...new Set([...exact, ...whole, ...others])].slice(0, 3);
  return found.length ? `did you mean ${found.join(" or ")}?` : undefined;
}

const USER = new Set(["uprobe", "uretprobe", "usdt"]);

/** What `parts` of a user probe's pattern name is not there. */
function missingTarget(kernel: Kernel, parts: string[], pid: number | undefined): Missing | undefined {
  const [target] = parts;
  if (parts.length < 2)
    return pid === undefined
      ? { message: "user functions and USDT probes are listed of a binary, or with -p of a process" }
      : undefined;
  if (target === "" || target === "*") return undefined;
  const [binary] = kernel.binaries(target, pid);
  if (hasWildcard(target)) return binary ? undefined : { message: `no program or library matches ${target}` };
  if (!binary)
    return kernel.whyNoBinary?.(target, pid) ?? { message: `there is no program or library ${target}` };
  try {
    binary.symbols();
    return undefined;
  } catch (error) {
    return { message: error instanceof Error ? error.message : String(error) };
  }
}

/** For a pattern that `listProbes` or `listTypes` has nothing for. */
export function explainMissing(kernel: Kernel, pattern: string, pid?: number): Missing {
  if (isTypePattern(pattern)) return missingType(pattern);
  const [first, ...parts] = pattern.split(":");
  const type = canonicalType(first);
  const row = PROBE_TYPES.find(({ name }) => name === type);
  if (parts.length > 0 && !row && !hasWildcard(first)) {
    const types = PROBE_TYPES.map(({ name }) => name);
    return {
      message: `there is no probe type ${first}`,
      hint: didYouMean(first, types) ?? `probe types are ${types.join(", ")}`,
    };
  }
  if (row && !isListed(type)) {
    return {
      message: `${type} probes are not listed: they are written as ${row.syntax.join(" or ")}`,
      hint: row.help,
    };
  }
  const feature = missingFeature(kernel, pattern);
  if (feature !== undefined) {
    const reason = probeFeature(feature).reason;
    return { message: `${type} probes are not to be had here: ${reason ?? `the kernel has no ${feature}`}` };
  }
  const message = `no probe matches ${pattern}`;
  if (row && USER.has(type)) {
    const missing = missingTarget(kernel, parts, pid);
    if (missing) return missing;
    if (hasWildcard(parts.slice(1).join(":"))) return { message };
    const target = parts.length > 1 ? `${parts[0]}:` : "";
    return { message, hint: near(pattern, probeNames(kernel, `${type}:${target}*`, pid)) };
  }
  if (hasWildcard(pattern)) return { message };
  return { message, hint: near(pattern, probeNames(kernel, row ? `${type}:*` : "*", pid)) };
}
