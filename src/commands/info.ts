/** `tracedeck info`: what this kernel and user can do, and how to get what is missing. */
import { features, kernelAtLeast, possibleCpus, probeFeature, systemFacts } from "libbpf-ts";
import { obstacles } from "../engine/obstacles.ts";
import { userName } from "../engine/userName.ts";
import { VERSION } from "../version.ts";
import { HELP, parseOptions, usageText } from "./options.ts";
import { guarded, print } from "./report.ts";

const { arch, release, version } = process.getBuiltinModule("node:os");

/** The way to a feature that is missing, where a newer kernel is not the answer. */
const FIXES: Record<string, string> = {
  tracefs: "mount -t tracefs tracefs /sys/kernel/tracing",
  btf: "a kernel with CONFIG_DEBUG_INFO_BTF; without it, scripts declare the structs they read",
  kprobes: "a kernel with CONFIG_KPROBES; tracepoints work without",
  kprobe_multi:
    "a kernel with CONFIG_KPROBES and CONFIG_FPROBE; without the latter probes are attached one by one",
  fentry: "a kernel and policy that allow BPF trampolines; use kprobe or tracepoints",
  fexit: "a kernel and policy that allow BPF trampolines; use kretprobe or tracepoints",
  hardware_events: "a machine with a PMU; in virtual machines use profile:hz:99 or software:cpu-clock",
  override_return: "a kernel with CONFIG_BPF_KPROBE_OVERRIDE",
  uprobes: "a kernel with CONFIG_UPROBE_EVENTS",
};

interface FeatureLine {
  name: string;
  title: string;
  supported: boolean;
  unknown: boolean;
  reason?: string;
  /** Why there is no answer. */
  untold?: string;
  fix?: string;
}

function featureLines(): FeatureLine[] {
  return features.map(({ name, title, since }) => {
    const { supported, conclusive, reason } = probeFeature(name);
    const old = !kernelAtLeast(since);
    return {
      name,
      title,
      supported,
      unknown: !supported && !conclusive,
      reason: conclusive ? reason : undefined,
      fix:
        supported || !conclusive ? undefined : (FIXES[name] ?? (old ? `Linux ${since} or newer` : undefined)),
      untold: conclusive ? undefined : reason,
    };
  });
}

/** What could not be found out has few causes, mostly the user's rights: each is told once. */
function unknownText(lines: FeatureLine[]): string {
  const reasons = new Set(
    lines.flatMap(({ unknown, untold }) => (unknown && untold ? [causeOf(untold)] : [])),
  );
  if (reasons.size === 0) return "";
  return `\nNot known (?)\n${[...reasons].map((reason) => `  ${reason}\n`).join("")}`;
}

/** A failure without the call that met it. */
const causeOf = (reason: string): string => reason.replace(/^[a-z_]+\([^)]*\): /, "");

function featureText({ name, title, supported, unknown, reason, fix }: FeatureLine): string {
  const mark = supported ? "yes" : unknown ? "?" : "no";
  const head = `  ${mark.padEnd(4)}${name.padEnd(24)}${title}\n`;
  if (supported) return head;
  return `${head}${reason ? `        ${reason}\n` : ""}${fix ? `        fix: ${fix}\n` : ""}`;
}

const shown = (value: unknown): string => (value === undefined ? "unknown" : String(value));

function systemText(): string {
  const facts = systemFacts();
  const rows: [string, string][] = [
    ["tracedeck", VERSION],
    ["Node", process.version],
    ["kernel", `Linux ${release()} ${version()}`],
    ["architecture", arch()],
    ["CPUs", String(possibleCpus())],
    ["user", `${userName()} (${process.geteuid?.()})`],
    ["lockdown", facts.lockdown],
    ["BPF compiler (JIT)", facts.jitEnabled === undefined ? "unknown" : facts.jitEnabled ? "on" : "off"],
    ["kernel.unprivileged_bpf_disabled", shown(facts.unprivilegedBpfDisabled)],
    ["kernel.perf_event_paranoid", shown(facts.perfEventParanoid)],
    ["kernel.kptr_restrict", shown(facts.kptrRestrict)],
  ];
  const width = Math.max(...rows.map(([name]) => name.length)) + 2;
  return `System\n${rows.map(([name, value]) => `  ${name.padEnd(width)}${value}\n`).join("")}`;
}

function obstacleText(): string {
  const found = obstacles();
  if (found.length === 0) return "Tracing\n  possible: nothing stands in the way\n";
  return `Tracing is not possible\n${found.map(({ what, fix }) => `  ${what}\n    fix: ${fix}\n`).join("")}`;
}

export function main(args: string[]): Promise<number> {
  return guarded(async () => {
    const { values } = parseOptions(args, [HELP]);
    if (values.help) {
      print(
        usageText(["tracedeck info"], "What this kernel and user can do, and how to get what is missing.", [
          HELP,
        ]),
      );
      return 0;
    }
    const lines = featureLines();
    print(
      `${systemText()}\n${obstacleText()}\nFeatures\n${lines.map(featureText).join("")}${unknownText(lines)}`,
    );
    return 0;
  });
}
