/** What the kernel at hand can do for generated code: one row per ability, with the version that brought it. */
import type { Kernel } from "../kernel.ts";

const SINCE = {
  /** bpf_get_attach_cookie for kprobe, tracepoint and perf_event programs. */
  cookie: [5, 15],
  /** The same for fentry, fexit and tp_btf, and for raw tracepoints. */
  cookieTracing: [5, 19],
  cookieRawTracepoint: [6, 10],
  forEachMap: [5, 13],
  loop: [5, 17],
  lookupPercpu: [5, 19],
  bootTime: [5, 8],
  taiTime: [6, 1],
  jiffies: [5, 5],
  ringbuf: [5, 8],
  nsPid: [5, 7],
  ancestorCgroup: [5, 7],
  /** Fetching atomics. */
  fetchAdd: [5, 12],
  /** Sign-extending loads and moves, signed division, byte swap. */
  v4: [6, 6],
  /** NO_PREALLOC hash maps in every program type, through the BPF allocator. */
  noPrealloc: [6, 1],
  /** Hash keys of more than 512 bytes. */
  longKeys: [5, 11],
  /** get_current_comm fills up with zeros. */
  paddedComm: [6, 12],
  getFuncIp: [5, 15],
  /** Iterators over the tasks, files or memory of one process. */
  iterOfProcess: [6, 1],
  /** bpf_d_path in iterators. */
  iterPath: [5, 12],
  /** bpf_seq_printf's %X and %c. */
  seqUpperHex: [5, 13],
  seqCharacter: [5, 15],
  /** Map helpers return 64 bits. */
  longMapStatus: [6, 4],
  /** get_func_ip in uprobes, those of a return too. */
  userFuncIp: [6, 6],
  /** Stacks at a function's entry have its caller, whose frame pointer is not saved yet (some older kernels, too). */
  callerAtEntry: [6, 12],
  /** Helpers may read what the program has not written of its stack. */
  readUnwritten: [6, 3],
  /** The pid of a uprobe_multi link is a process: before (commit 46ba0e49b642) it was its first thread alone. */
  multiOfProcess: [6, 10],
  /** kprobe_multi links to functions of modules, which hold the modules meanwhile. */
  multiModules: [6, 3],
} as const satisfies Record<string, readonly [number, number]>;

export type Ability = keyof typeof SINCE;

export interface Target {
  can(ability: Ability): boolean;
  kernel: Kernel;
  /** User probes are attached to one process. */
  ofProcess: boolean;
}

export function targetFor(kernel: Kernel, ofProcess = false): Target {
  const [major, minor] = kernel.version;
  return {
    kernel,
    ofProcess,
    can(ability) {
      const [since, sinceMinor] = SINCE[ability];
      return major > since || (major === since && minor >= sinceMinor);
    },
  };
}
