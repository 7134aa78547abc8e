/** The options of `tracedeck run`: bpftrace's, so that it can stand in for it in scripts. */
import { parseShare } from "../share.ts";
import { HELP, type OptionRow, parseOptions, UsageError, usageText } from "./options.ts";

const { accessSync, constants } = process.getBuiltinModule("node:fs");

export const DEBUGINFO: OptionRow = {
  name: "debuginfo",
  value: "DIR[:DIR]",
  help: "look for separate debug files in these directories too",
  many: true,
};

/** bpftrace's "+" before a directory asks for checksums to be compared; they are, wherever there is no build id. */
export const debugDirectories = (lists: unknown): string[] =>
  ((lists as string[] | undefined) ?? [])
    .flatMap((list) => list.split(":"))
    .map((directory) => directory.replace(/^\+/, ""))
    .filter(Boolean);

export const TRACEABLE_FUNCTIONS: OptionRow = {
  name: "traceable-functions",
  value: "FILE",
  help: "take the kernel functions that can be traced from a file like available_filter_functions",
};

/** The file of --traceable-functions; throws UsageError. */
export function parseTraceable(path: unknown): string | undefined {
  if (path === undefined) return undefined;
  try {
    accessSync(String(path), constants.R_OK);
    return String(path);
  } catch {
    throw new UsageError(
      `--traceable-functions: ${String(path)} can't be read`,
      "it has a function a line, as /sys/kernel/tracing/available_filter_functions",
    );
  }
}

export const RUN_OPTIONS: readonly OptionRow[] = [
  { name: "e", value: "PROGRAM", help: "run this program" },
  { name: "list", short: "l", help: "list the probes that match a pattern, or those of a program or file" },
  { name: "verbose", short: "v", help: "say more; with -l, also show probe arguments" },
  { name: "pid", short: "p", value: "PID", help: "trace this process only, until it ends" },
  { name: "cmd", short: "c", value: "COMMAND", help: "run a command and trace until it ends" },
  {
    name: "dwarf-pid",
    value: "PID",
    help: "have dw_ustack() unwind this process from its first stack on; may be given again",
    many: true,
  },
  { name: "output", short: "o", value: "FILE", help: "write the output to a file" },
  { name: "f", value: "FORMAT", help: "output as 'text' or 'json'" },
  { name: "B", value: "MODE", help: "buffer the output: 'line', 'full' or 'none'" },
  { name: "quiet", short: "q", help: "print no messages of our own" },
  { name: "warnings", short: "k", help: "warn when reading memory or maps fails in a probe" },
  { name: "no-warnings", help: "print no warnings" },
  {
    name: "max-overhead",
    value: "SHARE",
    help: "stop the script when it takes more than this share of all CPUs' time: '5%'",
  },
  { name: "test", help: "run the script's test: probes, and say which pass" },
  { name: "bench", help: "measure the script's bench: probes" },
  { name: "mode", value: "MODE", help: "'test' or 'bench': the same" },
  { name: "unsafe", help: "allow system() and other functions that change the machine" },
  { name: "dry-run", help: "load and attach everything, then leave" },
  {
    name: "debug",
    short: "d",
    value: "STAGE",
    help: "print a stage: 'ast', 'types', 'ir', 'bpf', 'verifier', 'all'",
  },
  { name: "I", value: "DIR", help: "search this directory for included files", many: true },
  { name: "include", value: "FILE", help: "include a file before the program", many: true },
  DEBUGINFO,
  { name: "usdt-file-activation", help: "accepted: the kernel counts USDT semaphores itself" },
  TRACEABLE_FUNCTIONS,
  {
    name: "probe-filter",
    value: "REGEX",
    help: "attach only probes whose name matches; begin and end always",
  },
  {
    name: "no-feature",
    value: "FEATURES",
    help: "do without these, separated by commas: 'kprobe_multi', 'kprobe_session', 'uprobe_multi'",
    many: true,
  },
  { name: "btf", short: "b", help: "accepted: types come from BTF anyway" },
  { name: "info", help: "what this kernel and user can do" },
  { name: "version", short: "V", help: "print the version" },
  HELP,
];

/** Options of bpftrace that have no place here, each with the reason. */
const REFUSED: Record<string, string> = {
  aot: "tracedeck compiles in milliseconds and has no ahead-of-time form",
  "emit-elf": "programs go to the kernel directly; `-d bpf` prints their instructions",
  "emit-llvm": "no LLVM is involved; `-d ir` prints the intermediate form",
  "verify-llvm-ir": "no LLVM is involved",
  fmt: "scripts are not reformatted yet",
};

export const RUN_USAGE = (): string =>
  usageText(
    [
      "tracedeck run [OPTIONS] FILE [PARAMETER...]",
      "tracedeck run [OPTIONS] -e 'PROGRAM' [PARAMETER...]",
      "tracedeck run [OPTIONS] - < FILE",
    ],
    "Runs a script in the bpftrace language and prints what it prints.",
    RUN_OPTIONS,
    [
      "Parameters are $1, $2, … in the script; options of the script itself (getopt) go after '--':",
      "  tracedeck run script.bt 42 -- --name=value",
      "",
      "Environment: BPFTRACE_* settings as in bpftrace; TRACEDECK_NOTIFY_ATTACHED=TEXT prints TEXT on a line",
      "of its own once everything is attached.",
    ].join("\n"),
  );

const STAGES = ["ast", "types", "ir", "bpf", "verifier"] as const;
export type Stage = (typeof STAGES)[number];
const STAGE_ALIASES: Record<string, Stage> = {
  typed: "types",
  codegen: "ir",
  "codegen-opt": "ir",
  dis: "bpf",
};

const BUFFERING = ["line", "full", "none"] as const;

export interface RunOptions {
  program: string | undefined;
  positionals: string[];
  /** Parameters after `--` that are not options. */
  moreParameters: string[];
  named: Record<string, string | true>;
  list: boolean;
  verbose: boolean;
  pid: number | undefined;
  command: string | undefined;
  dwarfPids: number[];
  output: string | undefined;
  format: "text" | "json";
  buffering: (typeof BUFFERING)[number];
  quiet: boolean;
  runtimeWarnings: boolean;
  noWarnings: boolean;
  /** Percent of all CPUs' time. */
  maxOverhead: number | undefined;
  unsafe: boolean;
  dryRun: boolean;
  stages: Stage[];
  includeDirectories: string[];
  includeFiles: string[];
  debugDirectories: string[];
  traceableFunctions: string | undefined;
  withoutFeatures: string[];
  probeFilter: RegExp | undefined;
  /** What is run instead of tracing. */
  mode: "test" | "bench" | undefined;
  show: "help" | "version" | "info" | undefined;
}

/** What the options say of the kernel. */
export const kernelOptionsOf = (options: RunOptions) => ({
  debugDirectories: options.debugDirectories,
  traceableFunctions: options.traceableFunctions,
  without: options.withoutFeatures,
});

const LARGEST_PID = 0x40_0000;

/** The number of -p; throws UsageError. */
export function parsePid(text: string | undefined, option = "-p"): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d+$/.test(text)) throw new UsageError(`invalid process id '${text}'`, `${option} takes a number`);
  if (Number(text) > LARGEST_PID) throw new UsageError(`process id out of range: ${text}`);
  return Number(text);
}

function parseOverhead(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const share = parseShare(value);
  if (share !== undefined) return share;
  throw new UsageError(
    `invalid share '${value}'`,
    "--max-overhead takes percent of all CPUs' time, above 0 and up to 100: --max-overhead 5%",
  );
}

function oneOf<T extends string>(option: string, value: string, allowed: readonly T[]): T {
  if ((allowed as readonly string[]).includes(value)) return value as T;
  const list = allowed.map((name) => `'${name}'`).join(", ");
  throw new UsageError(`invalid value '${value}' for ${option}`, `valid values: ${list}`);
}

function parseStages(text: string | undefined): Stage[] {
  const names = (text ?? "").split(",").filter(Boolean);
  return names.flatMap((name) =>
    name === "all" ? [...STAGES] : [STAGE_ALIASES[name] ?? oneOf("-d", name, [...STAGES, "all"] as Stage[])],
  );
}

/** --mode, --test and --bench, of which there can be one. */
function parseMode(values: Record<string, unknown>): RunOptions["mode"] {
  const asked = [
    ...(values.mode === undefined ? [] : [oneOf("--mode", String(values.mode), ["test", "bench"] as const)]),
    ...(values.test ? (["test"] as const) : []),
    ...(values.bench ? (["bench"] as const) : []),
  ];
  if (asked.length > 1) throw new UsageError("--mode, --test and --bench exclude each other");
  return asked[0];
}

const FEATURES = ["kprobe_multi", "kprobe_session", "uprobe_multi"] as const;

function parseFilter(text: string | undefined): RegExp | undefined {
  try {
    return text === undefined ? undefined : new RegExp(text);
  } catch (error) {
    throw new UsageError(`invalid --probe-filter '${text}'`, (error as Error).message);
  }
}

/** `--name=value` and `--switch` after `--`; what else stands there are parameters. */
function splitRest(rest: readonly string[]): Pick<RunOptions, "named" | "moreParameters"> {
  const named: RunOptions["named"] = {};
  const moreParameters: string[] = [];
  for (const argument of rest) {
    const option = /^--([^=]+)(?:=(.*))?$/s.exec(argument);
    if (option) named[option[1]] = option[2] ?? true;
    else moreParameters.push(argument);
  }
  return { named, moreParameters };
}

/** Reads the arguments of `tracedeck run`. Throws UsageError. */
export function parseRunOptions(args: readonly string[]): RunOptions {
  const refused = args
    .slice(0, args.includes("--") ? args.indexOf("--") : args.length)
    .map((arg) => /^--([a-z-]+)/.exec(arg)?.[1])
    .find((name) => name !== undefined && name in REFUSED);
  if (refused) throw new UsageError(`--${refused} is not available`, REFUSED[refused]);
  const { values, positionals, rest } = parseOptions(args, RUN_OPTIONS);
  const text = (name: string) => values[name] as string | undefined;
  if (values.cmd !== undefined && values.pid !== undefined) throw new UsageError("cannot use both -c and -p");
  if (values.warnings && values["no-warnings"]) throw new UsageError("-k conflicts with --no-warnings");
  return {
    program: text("e"),
    positionals,
    ...splitRest(rest),
    list: values.list === true,
    verbose: values.verbose === true,
    pid: parsePid(text("pid")),
    command: text("cmd"),
    dwarfPids: ((values["dwarf-pid"] as string[] | undefined) ?? []).map(
      (pid) => parsePid(pid, "--dwarf-pid")!,
    ),
    output: text("output"),
    format: values.f === undefined ? "text" : oneOf("-f", text("f")!, ["text", "json"] as const),
    buffering: values.B === undefined ? "line" : oneOf("-B", text("B")!, BUFFERING),
    quiet: values.quiet === true,
    runtimeWarnings: values.warnings === true,
    noWarnings: values["no-warnings"] === true,
    maxOverhead: parseOverhead(text("max-overhead")),
    unsafe: values.unsafe === true,
    dryRun: values["dry-run"] === true,
    stages: parseStages(text("debug")),
    includeDirectories: (values.I as string[] | undefined) ?? [],
    includeFiles: (values.include as string[] | undefined) ?? [],
    debugDirectories: debugDirectories(values.debuginfo),
    traceableFunctions: parseTraceable(values["traceable-functions"]),
    withoutFeatures: ((values["no-feature"] as string[] | undefined) ?? [])
      .flatMap((list) => list.split(","))
      .filter(Boolean)
      .map((name) => oneOf("--no-feature", name, FEATURES)),
    probeFilter: parseFilter(text("probe-filter")),
    mode: parseMode(values),
    show: values.help ? "help" : values.version ? "version" : values.info ? "info" : undefined,
  };
}
