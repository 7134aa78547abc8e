/** Config variables: names, kinds, defaults, help. The config block, the environment and the docs read these rows. */
import type { Config } from "../typed.ts";

export interface ConfigRow {
  name: string;
  /** Where the value goes; absent for unstable features, which all go into `unstable`. */
  key?: keyof Config;
  kind: "integer" | "boolean" | "string" | "choice";
  choices?: readonly string[];
  min?: number;
  default: string | number | boolean | undefined;
  /** Another default on kernels before a version. */
  before?: { kernel: readonly [major: number, minor: number]; default: number };
  help: string;
}

export const LICENSES = [
  "GPL",
  "GPL v2",
  "GPL and additional rights",
  "Dual BSD/GPL",
  "Dual MIT/GPL",
  "Dual MPL/GPL",
] as const;

const UNSTABLE = ["error", "warn", "enable"] as const;

export const CONFIG: readonly ConfigRow[] = [
  {
    name: "cache_user_symbols",
    key: "cacheUserSymbols",
    kind: "choice",
    choices: ["PER_PID", "PER_PROGRAM", "NONE"],
    default: "PER_PID",
    help: "Whether symbols of user stacks are kept per process, per program, or not at all.",
  },
  {
    name: "cpp_demangle",
    key: "cppDemangle",
    kind: "boolean",
    default: true,
    help: "Show C++ symbols of user stacks in readable form.",
  },
  {
    name: "kernel_function_fallback",
    key: "kernelFunctionFallback",
    kind: "boolean",
    default: false,
    help: "Let fentry run as kprobe, and kprobe as fentry, where the kernel has only one of them; a warning says so.",
  },
  {
    name: "lazy_symbolication",
    key: "lazySymbolication",
    kind: "boolean",
    default: false,
    help: "Resolve user symbols when they are printed.",
  },
  {
    name: "license",
    key: "license",
    kind: "choice",
    choices: LICENSES,
    default: "GPL",
    help: "The license that the programs are loaded under; most helpers need a GPL-compatible one.",
  },
  {
    name: "log_size",
    key: "logSize",
    kind: "integer",
    min: 0,
    default: 1_000_000,
    help: "Bytes of verifier log kept.",
  },
  {
    name: "max_bpf_progs",
    key: "maxBpfProgs",
    kind: "integer",
    min: 1,
    default: 1024,
    help: "The most BPF programs that one script may load.",
  },
  {
    name: "max_cat_bytes",
    key: "maxCatBytes",
    kind: "integer",
    min: 1,
    default: 10240,
    help: "The most bytes that cat() reads.",
  },
  {
    name: "max_map_keys",
    key: "maxMapKeys",
    kind: "integer",
    min: 1,
    default: 4096,
    help: "How many keys a map can hold, unless it is declared with its own number.",
  },
  {
    name: "max_probes",
    key: "maxProbes",
    kind: "integer",
    min: 1,
    default: 1024,
    help: "The most probes that one script may attach.",
  },
  {
    name: "max_strlen",
    key: "maxStrlen",
    kind: "integer",
    min: 1,
    default: 1024,
    before: { kernel: [5, 11], default: 200 },
    help: "Bytes of strings and buffers whose size is not given where they are made; 200 before Linux 5.11, where the key of a map takes at most 512 bytes.",
  },
  {
    name: "missing_probes",
    key: "missingProbes",
    kind: "choice",
    choices: ["error", "warn", "ignore"],
    default: "error",
    help: "What to do about probes that do not exist.",
  },
  {
    name: "on_stack_limit",
    key: "onStackLimit",
    kind: "integer",
    min: 0,
    default: 32,
    help: "Bytes above which an object is kept off the BPF stack.",
  },
  {
    name: "perf_rb_pages",
    key: "perfRbPages",
    kind: "integer",
    min: 1,
    default: undefined,
    help: "Pages of the ring buffer that carries output; chosen by memory unless set.",
  },
  {
    name: "print_maps_on_exit",
    key: "printMapsOnExit",
    kind: "boolean",
    default: true,
    help: "Print every map that is not empty when the script ends.",
  },
  {
    name: "show_debug_info",
    key: "showDebugInfo",
    kind: "boolean",
    default: false,
    help: "Show files and lines in stacks where debug information is available.",
  },
  {
    name: "stack_mode",
    key: "stackMode",
    kind: "choice",
    choices: ["bpftrace", "perf", "raw", "build_id"],
    default: "bpftrace",
    help: "How stacks are printed unless the call says.",
  },
  {
    name: "str_trunc_trailer",
    key: "strTruncTrailer",
    kind: "string",
    default: "..",
    help: "What marks a string that was cut.",
  },
  {
    name: "syscall_attach",
    key: "syscallAttach",
    kind: "choice",
    choices: ["auto", "raw", "tracepoint"],
    default: "auto",
    help: "How syscall tracepoints attach: through the two raw tracepoints of all syscalls, or each by itself.",
  },
  {
    name: "unstable_tseries",
    kind: "choice",
    choices: UNSTABLE,
    default: "warn",
    help: "Whether tseries() may be used.",
  },
  ...(
    [
      ["dw_ustack", "warn", "Whether dw_ustack() may be used, and with a warning."],
      ["typeinfo", "enable", "Whether typeinfo() may be used."],
      ...["map_decl", "import", "macro", "addr"].map(
        (feature) =>
          [feature, "enable", "Accepted for scripts that set it; the feature is stable here."] as const,
      ),
    ] as const
  ).map(
    ([feature, initial, help]): ConfigRow => ({
      name: `unstable_${feature}`,
      kind: "choice",
      choices: UNSTABLE,
      default: initial,
      help,
    }),
  ),
];

/** Names that older scripts use for what can no longer be set. */
export const RETIRED_CONFIG: Readonly<Record<string, string>> = {
  max_type_res_iterations: "types are always resolved to the end",
  no_cpp_demangle: "set cpp_demangle=false",
  cat_bytes_max: "set max_cat_bytes",
  strlen: "set max_strlen",
  map_keys_max: "set max_map_keys",
  max_ast_nodes: "there is no limit on nodes",
  verify_llvm_ir: "there is no LLVM step by default",
  use_blazesym: "symbols are resolved without it",
  btf: "BTF is always read from the running kernel",
};
