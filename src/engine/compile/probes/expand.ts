/** Probe specs of an action → attach points: names completed, parameters put in, wildcards matched, limits kept. */
import type { ProbeSpec } from "../ast.ts";
import { didYouMean } from "../check/nearest.ts";
import { Diagnostics, type Span } from "../diagnostic.ts";
import type { CompileOptions } from "../index.ts";
import type { Kernel } from "../kernel.ts";
import { splitProbe } from "../parse/probe-spec.ts";
import { offeredRow, PROBE_TYPES, type ProbeTypeRow, probeType } from "../tables/probeTypes.ts";
import type { Config, Probe } from "../typed.ts";
import { NO_MATCH, type ProbeRequest } from "./request.ts";
import { hasWildcard, wildcard } from "./wildcard.ts";

export interface ExpandedSpec {
  row: ProbeTypeRow;
  probes: Probe[];
}

/** `alone`: the action has no other spec, and would be nothing without this one. */
export function expandProbe(
  spec: ProbeSpec,
  kernel: Kernel,
  options: CompileOptions,
  config: Config,
  report: Diagnostics,
  alone: boolean,
): ExpandedSpec[] {
  const { label, provider, parts, error, unclosed, empty } = splitProbe(spec.text, options.positional ?? []);
  if (error) {
    report.error("probe-syntax", spec.span, error);
    return [];
  }
  // The parser has said so.
  if (unclosed) return [];
  const known = report.list.length;
  const isUser = options.pid !== undefined || parts[0]?.includes("/");
  const rows = rowsFor(provider, isUser ? "user" : "kernel", spec.span, report);
  const missing = (code: string, message: string, hint?: string): void => {
    if (config.missingProbes === "ignore") return;
    // A wildcard may find nothing where others find something.
    const level = config.missingProbes === "warn" || (code === NO_MATCH && !alone) ? "warning" : "error";
    const goOn = level === "error" && !alone;
    report[level](code, spec.span, message, {
      ...(hint ? { hint } : {}),
      ...(goOn ? { notes: [{ message: "config = { missing_probes=warn } goes on without it" }] } : {}),
    });
  };
  const expandAs = (row: ProbeTypeRow, own: Pick<ProbeRequest, "report" | "missing">): ExpandedSpec[] => {
    const probes = row.expand({ type: row.name, parts, span: spec.span, kernel, options, config, ...own });
    return byOffer(row, label === undefined ? probes : probes.map((probe) => ({ ...probe, label })));
  };
  // Of several types, those count that have such a probe.
  const silent = { report: new Diagnostics(), missing: () => {} };
  const specs = rows.flatMap((row) => expandAs(row, rows.length > 1 ? silent : { report, missing }));
  if (rows.length > 1 && specs.every(({ probes }) => probes.length === 0))
    missing(
      NO_MATCH,
      `no ${rows.map(({ name }) => name).join(", ")} probe matches ${spec.text}`,
      `list them: tracedeck list '${spec.text}'`,
    );
  if (empty.length > 0)
    for (const problem of report.list.slice(known))
      (problem.notes ??= []).push({
        message: `no parameter was given for ${empty.join(", ")}, which is empty`,
      });
  return specs;
}

function byOffer(row: ProbeTypeRow, probes: readonly Probe[]): ExpandedSpec[] {
  const specs = new Map<ProbeTypeRow, Probe[]>([[row, []]]);
  for (const probe of probes) {
    const offered = offeredRow(row, probe.attach);
    const known = specs.get(offered);
    if (known) known.push(probe);
    else specs.set(offered, [probe]);
  }
  return [...specs].map(([offered, own]) => ({ row: offered, probes: own }));
}

/** What older scripts may still name. */
const REMOVED: Readonly<Record<string, string>> = {
  asyncwatchpoint:
    "it went with watchpoint:FUNCTION+argN; a watchpoint takes an address: watchpoint:ADDRESS:LENGTH:MODE",
};
const REMOVED_ALIASES: Readonly<Record<string, string>> = { aw: "asyncwatchpoint" };

/** One type, or all that a wildcard in its place matches. */
function rowsFor(
  provider: string,
  where: "kernel" | "user",
  span: Span,
  report: Diagnostics,
): ProbeTypeRow[] {
  const row = probeType(provider);
  if (row) return [row];
  if (hasWildcard(provider)) {
    const found = PROBE_TYPES.filter((candidate) => wildcard(provider)(candidate.name));
    const usual = found.filter(({ wild }) => wild === where);
    if (found.length) return usual.length > 0 ? usual : found;
  }
  const names = PROBE_TYPES.flatMap((candidate) => [candidate.name, ...candidate.aliases]);
  report.error("unknown-provider", span, `there is no probe type ${provider || "(empty)"}`, {
    hint:
      REMOVED[REMOVED_ALIASES[provider] ?? provider] ??
      didYouMean(
        provider,
        names.filter((name) => name.length > 2),
      ) ??
      `probe types are ${PROBE_TYPES.map((candidate) => candidate.name).join(", ")}`,
  });
  return [];
}
