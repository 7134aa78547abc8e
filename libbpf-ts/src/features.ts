// What this kernel can do, found out by trying. A row has a name, the version that first had it, and a probe; the version is
// for messages only, as distributions port features back. An answer is kept when it is conclusive; a probe that was refused
// for want of rights says so and is asked again.

import { existsSync, readFileSync } from "node:fs";
import * as asm from "./asm.ts";
import { BtfObject, loadVmlinux } from "./btf/kernel.ts";
import { BtfWriter, encodeFuncInfo } from "./btf/writer.ts";
import { Errno, kernelAtLeast, lockdownMode, SysError, UnsupportedError } from "./errno.ts";
import { probePmu } from "./link/dynamicEvents.ts";
import { attachKprobeMulti, kprobesAvailable } from "./link/kprobe.ts";
import { LINK_CREATE_SIZE } from "./link/link.ts";
import { encodePerfEventAttr } from "./link/perfEvent.ts";
import { attachRawTracepoint } from "./link/rawTracepoint.ts";
import { attachTracing } from "./link/tracing.ts";
import { BpfMap, type MapSpec } from "./map.ts";
import { BpfProgram, enableStats, type ProgramSpec, VerifierError } from "./program.ts";
import { attr, bpf, close, cstring, perfEventOpen } from "./sys.ts";
import { tracefsPath } from "./tracefs.ts";
import { AttachType, Cmd, MapFlag, PerfType, type ProgTypeName } from "./uapi.ts";

/** What a probe found. Neither supported nor conclusive means: could not be tried. */
export interface FeatureResult {
  supported: boolean;
  conclusive: boolean;
  /** Why not, in a sentence. */
  reason?: string;
}

export interface FeatureRow {
  name: string;
  /** First kernel version that has it. */
  since: string;
  /** What it is good for, in a line. */
  title: string;
  probe(): FeatureResult;
}

const yes: FeatureResult = { supported: true, conclusive: true };

function no(reason?: string): FeatureResult {
  return { supported: false, conclusive: true, reason };
}

/** Runs a probe that succeeds or throws, and reads the error. */
function attempt(action: () => unknown): FeatureResult {
  try {
    (action() as Disposable | undefined)?.[Symbol.dispose]?.();
    return yes;
  } catch (error) {
    return fromError(error);
  }
}

function fromError(error: unknown): FeatureResult {
  if (error instanceof UnsupportedError) return no(error.message);
  if (error instanceof VerifierError) return no(error.log.trimEnd().split("\n")[0]);
  if (error instanceof SysError) {
    // EPERM tells root something about the kernel, and others about themselves.
    const rights = error.errno === Errno.EPERM || error.errno === Errno.EACCES;
    const passing = error.errno === Errno.EMFILE || error.errno === Errno.ENOMEM;
    return {
      supported: false,
      conclusive: !passing && !(rights && process.geteuid?.() !== 0),
      reason: error.message,
    };
  }
  throw error;
}

const returnZero = [asm.movImm(0, 0), asm.exit()];

function loadProgram(
  type: ProgTypeName,
  instructions: readonly asm.Insn[],
  more: Partial<ProgramSpec> = {},
): BpfProgram {
  return BpfProgram.load({ type, instructions: asm.encode(instructions), name: "probe", ...more });
}

function loads(type: ProgTypeName, instructions: readonly asm.Insn[]): FeatureResult {
  return attempt(() => loadProgram(type, instructions));
}

function createsMap(spec: MapSpec): FeatureResult {
  return attempt(() => BpfMap.create({ name: "probe", ...spec }));
}

/** Where the verifier's log has one of these, it does not know the helper; any other complaint is about its arguments. */
const unknownHelper = /invalid func|unknown func|cannot use helper|program of this type cannot/;

/** The same for functions of the kernel: before 5.13 such a call is no instruction, and not every processor has it. */
const unknownKfunc =
  /calling kernel function.* is not (allowed|supported)|not supported without|reserved fields|unknown opcode|JIT does not support calling/;

/** Whether programs of a type may call a helper. */
export function helperSupported(helper: string | number, type: ProgTypeName = "kprobe"): FeatureResult {
  try {
    loadProgram(type, [asm.call(helper), ...returnZero])[Symbol.dispose]();
    return yes;
  } catch (error) {
    if (!(error instanceof VerifierError)) return fromError(error);
    if (!unknownHelper.test(error.log)) return yes;
    const name = typeof helper === "string" ? helper : (asm.helperNames[helper] ?? String(helper));
    return no(`this kernel has no bpf_${name.replace(/^bpf_/, "")} for ${type} programs`);
  }
}

/** Whether programs of a type may call a function of the kernel (5.13), by its id in the kernel's own BTF. */
export function kfuncSupported(btfId: number, type: ProgTypeName): FeatureResult {
  const attachBtfId =
    type === "tracing" ? loadVmlinux().findByName("btf_trace_sys_enter", "typedef") : undefined;
  try {
    loadProgram(type, [asm.callKfunc(btfId), ...returnZero], {
      ...(attachBtfId === undefined ? {} : { attachBtfId, expectedAttachType: "trace_raw_tp" }),
    })[Symbol.dispose]();
    return yes;
  } catch (error) {
    if (!(error instanceof VerifierError)) return fromError(error);
    if (!unknownKfunc.test(error.log)) return yes;
    return no(error.log.match(unknownKfunc)![0]);
  }
}

function helperRow(
  name: string,
  helper: string,
  since: string,
  title: string,
  type?: ProgTypeName,
): FeatureRow {
  return { name, since, title, probe: () => helperSupported(helper, type) };
}

function batchWorks(spec: MapSpec): FeatureResult {
  return attempt(() => {
    using map = BpfMap.create({ name: "probe", ...spec });
    const cursor = new Uint8Array(8);
    const values = new Uint8Array(map.valueStride);
    attr
      .begin()
      .ptr(8, cursor)
      .ptr(16, new Uint8Array(map.keySize))
      .ptr(24, values)
      .u32(32, 1)
      .u32(36, map.fd);
    const result = bpf(Cmd.mapLookupBatch, 56);
    if (result < 0 && result !== -Errno.ENOENT && result !== -Errno.ENOSPC) {
      throw new SysError("bpf(BPF_MAP_LOOKUP_BATCH)", -result);
    }
  });
}

/** With no event, EBADF means that the attach type was understood. */
function probePerfLink(): FeatureResult {
  return attempt(() => {
    using program = loadProgram("tracepoint", returnZero);
    attr.begin().u32(0, program.fd).u32(4, -1).u32(8, AttachType.perf_event);
    const result = bpf(Cmd.linkCreate, LINK_CREATE_SIZE);
    if (result === -Errno.EINVAL)
      throw new UnsupportedError("perf_link", "perf events are no links in this kernel", "5.15");
    if (result !== -Errno.EBADF) throw new SysError("bpf(BPF_LINK_CREATE, perf event)", -result);
  });
}

function probeKprobes(): FeatureResult {
  if (kprobesAvailable()) return yes;
  // Kernels before 4.17 have them in tracefs only.
  const readable = attempt(tracefsPath);
  return readable.supported ? no("built without CONFIG_KPROBES or CONFIG_KPROBE_EVENTS") : readable;
}

function probeKprobeMulti(): FeatureResult {
  const result = attempt(() => {
    using program = loadProgram("kprobe", returnZero, { expectedAttachType: "trace_kprobe_multi" });
    try {
      attachKprobeMulti(program, { symbols: ["no_such_function_anywhere"] })[Symbol.dispose]();
    } catch (error) {
      // A kernel that looks for the symbol has the feature.
      if (!(error instanceof SysError && (error.errno === Errno.ESRCH || error.errno === Errno.ENOENT)))
        throw error;
    }
  });
  const none = !result.supported && result.conclusive && probeKprobes();
  return none && !none.supported && none.conclusive ? no("this kernel has no kprobes at all") : result;
}

/** "/" is no regular file: EBADF says that the kernel came as far as opening it. */
function probeUprobeMulti(): FeatureResult {
  return attempt(() => {
    using program = loadProgram("kprobe", returnZero, { expectedAttachType: "trace_uprobe_multi" });
    attr.begin().u32(0, program.fd).u32(8, AttachType.trace_uprobe_multi);
    attr.ptr(16, cstring("/")).ptr(24, new BigUint64Array(1)).u32(48, 1);
    const result = bpf(Cmd.linkCreate, LINK_CREATE_SIZE);
    if (result >= 0) close(result);
    else if (result === -Errno.EINVAL || result === -Errno.EOPNOTSUPP) {
      throw new UnsupportedError("uprobe_multi", "this kernel cannot attach many uprobes at once", "6.6");
    } else if (result !== -Errno.EBADF) throw new SysError("bpf(BPF_LINK_CREATE, uprobe_multi)", -result);
  });
}

function probeTracing(attachType: "trace_fentry" | "trace_fexit"): FeatureResult {
  return attempt(() => {
    const target = loadVmlinux().findByName("vfs_read", "func");
    if (target === undefined) throw new UnsupportedError("fentry", "the kernel's BTF has no functions");
    using program = loadProgram("tracing", returnZero, {
      expectedAttachType: attachType,
      attachBtfId: target,
    });
    return attachTracing(program, attachType);
  });
}

function probeTpBtf(): FeatureResult {
  return attempt(() => {
    const target = loadVmlinux().findByName("btf_trace_sched_process_exit", "typedef");
    if (target === undefined) throw new UnsupportedError("tp_btf", "the kernel's BTF has no tracepoints");
    using program = loadProgram("tracing", returnZero, {
      expectedAttachType: "trace_raw_tp",
      attachBtfId: target,
    });
    return attachTracing(program, "trace_raw_tp");
  });
}

function probeIter(): FeatureResult {
  return attempt(() => {
    const target = loadVmlinux().findByName("bpf_iter_task", "func");
    if (target === undefined) throw new UnsupportedError("task iterator", "this kernel has none", "5.8");
    return loadProgram("tracing", returnZero, { expectedAttachType: "trace_iter", attachBtfId: target });
  });
}

function probeFuncInfo(): FeatureResult {
  return attempt(() => {
    const btf = new BtfWriter();
    const main = btf.func("main", btf.funcProto(btf.int("int", 4, { signed: true }), []));
    using object = BtfObject.load(btf.build());
    return loadProgram("kprobe", returnZero, {
      btfFd: object.fd,
      funcInfo: encodeFuncInfo([{ insnOff: 0, typeId: main }]),
    });
  });
}

/** A kernel that looks for the tracepoint has understood the cookie. */
function probeRawTracepointCookie(): FeatureResult {
  return attempt(() => {
    using program = loadProgram("raw_tracepoint", returnZero);
    try {
      attachRawTracepoint(program, "no_such_tracepoint", { cookie: 1n })[Symbol.dispose]();
    } catch (error) {
      if (!(error instanceof SysError && error.errno === Errno.ENOENT)) throw error;
    }
  });
}

function probeHardware(): FeatureResult {
  const spec = { type: PerfType.hardware, config: 0n, period: 1_000_000n, disabled: true };
  const fd = perfEventOpen(encodePerfEventAttr(spec), -1, 0);
  if (fd < 0) return fromError(new SysError("perf_event_open(hardware cpu-cycles)", -fd));
  close(fd);
  return yes;
}

function probeGlobals(): FeatureResult {
  return attempt(() => {
    using map = BpfMap.create({ type: "array", keySize: 4, valueSize: 8, maxEntries: 1, name: "probe" });
    return loadProgram("kprobe", [asm.ldMapValue(1, map.fd), ...returnZero]);
  });
}

/** Backwards jump that ends: needs the verifier's loops. */
const boundedLoop = [asm.movImm(0, 0), asm.aluImm("add", 0, 1), asm.jmpImm("lt", 0, 4, -2), ...returnZero];
const onStack = (...instructions: asm.Insn[]) => [
  asm.st(8, 10, -8, 0),
  asm.movImm(1, 1),
  ...instructions,
  ...returnZero,
];

/** Every feature that programs of this package may depend on. */
export const features: readonly FeatureRow[] = [
  { name: "bpf", since: "4.7", title: "load tracing programs", probe: () => loads("tracepoint", returnZero) },
  {
    name: "raw_tracepoint",
    since: "4.17",
    title: "raw tracepoints",
    probe: () => loads("raw_tracepoint", returnZero),
  },
  {
    name: "perf_event",
    since: "4.9",
    title: "programs on perf events",
    probe: () => loads("perf_event", returnZero),
  },
  {
    name: "tracefs",
    since: "4.1",
    title: "lists and describes tracepoints",
    probe: () => attempt(tracefsPath),
  },
  {
    name: "btf",
    since: "5.4",
    title: "kernel types",
    probe: () => attempt(loadVmlinux),
  },
  {
    name: "module_btf",
    since: "5.11",
    title: "types of kernel modules",
    probe: () => (kernelAtLeast("5.11") && existsSync("/sys/kernel/btf/vmlinux") ? yes : no()),
  },
  { name: "func_info", since: "5.0", title: "functions and lines in programs", probe: probeFuncInfo },
  {
    name: "kprobes",
    since: "4.1",
    title: "kernel functions (kprobe, kretprobe)",
    probe: probeKprobes,
  },
  { name: "kprobe_multi", since: "5.18", title: "many kernel functions at once", probe: probeKprobeMulti },
  {
    name: "fentry",
    since: "5.5",
    title: "kernel functions with typed arguments",
    probe: () => probeTracing("trace_fentry"),
  },
  {
    name: "fexit",
    since: "5.5",
    title: "the same at their return",
    probe: () => probeTracing("trace_fexit"),
  },
  { name: "tp_btf", since: "5.5", title: "tracepoints with typed arguments", probe: probeTpBtf },
  { name: "iter", since: "5.8", title: "iterators over tasks, files, maps", probe: probeIter },
  {
    name: "uprobes",
    since: "4.17",
    title: "user space functions",
    probe: () => (probePmu("uprobe") ? yes : no("built without CONFIG_UPROBE_EVENTS")),
  },
  {
    name: "usdt_semaphores",
    since: "4.20",
    title: "USDT probes with semaphores",
    probe: () => (probePmu("uprobe")?.refCtrShift === undefined ? no() : yes),
  },
  { name: "uprobe_multi", since: "6.6", title: "many user space functions at once", probe: probeUprobeMulti },
  { name: "hardware_events", since: "4.9", title: "hardware counters", probe: probeHardware },
  { name: "perf_link", since: "5.15", title: "links with cookies on perf events", probe: probePerfLink },
  helperRow("attach_cookie", "get_attach_cookie", "5.15", "one program for many probes"),
  {
    name: "raw_tracepoint_cookie",
    since: "6.10",
    title: "the same on raw tracepoints",
    probe: probeRawTracepointCookie,
  },
  {
    name: "ringbuf",
    since: "5.8",
    title: "one ring buffer for all CPUs",
    probe: () => createsMap({ type: "ringbuf", maxEntries: 4096 }),
  },
  {
    name: "percpu_hash",
    since: "4.6",
    title: "per-CPU hash maps",
    probe: () => createsMap({ type: "percpu_hash", keySize: 4, valueSize: 8, maxEntries: 1 }),
  },
  {
    name: "lru_hash",
    since: "4.10",
    title: "hash maps that forget the oldest",
    probe: () => createsMap({ type: "lru_hash", keySize: 4, valueSize: 8, maxEntries: 1 }),
  },
  {
    name: "stack_trace",
    since: "4.6",
    title: "stack traces",
    probe: () => createsMap({ type: "stack_trace", keySize: 4, valueSize: 80, maxEntries: 1 }),
  },
  {
    name: "mmapable_array",
    since: "5.5",
    title: "arrays read without system calls",
    probe: () =>
      createsMap({ type: "array", keySize: 4, valueSize: 8, maxEntries: 1, flags: MapFlag.mmapable }),
  },
  { name: "globals", since: "5.2", title: "array values addressed directly", probe: probeGlobals },
  {
    name: "batch",
    since: "5.6",
    title: "whole maps in one call",
    probe: () => batchWorks({ type: "hash", keySize: 4, valueSize: 8, maxEntries: 1 }),
  },
  {
    name: "percpu_array_batch",
    since: "5.13",
    title: "the same for per-CPU arrays",
    probe: () => batchWorks({ type: "percpu_array", keySize: 4, valueSize: 8, maxEntries: 1 }),
  },
  { name: "stats", since: "5.8", title: "run time and count of programs", probe: () => attempt(enableStats) },
  { name: "bounded_loops", since: "5.3", title: "loops", probe: () => loads("kprobe", boundedLoop) },
  {
    name: "jmp32",
    since: "5.1",
    title: "32-bit comparisons",
    probe: () => loads("kprobe", [asm.movImm(0, 0), asm.jmp32Imm("eq", 0, 0, 0), asm.exit()]),
  },
  {
    name: "atomic_fetch",
    since: "5.12",
    title: "atomic operations that return the old value",
    probe: () => loads("kprobe", onStack(asm.atomic("fetch_add", 8, 10, -8, 1))),
  },
  {
    name: "signed_loads",
    since: "6.6",
    title: "sign-extending loads and signed division",
    probe: () => loads("kprobe", onStack(asm.ldxs(4, 1, 10, -8), asm.aluImm("sdiv", 1, 3))),
  },
  helperRow("probe_read_kernel", "probe_read_kernel", "5.5", "reading kernel and user memory apart"),
  helperRow("probe_read_kernel_str", "probe_read_kernel_str", "5.5", "the same for strings"),
  helperRow("ktime_get_boot_ns", "ktime_get_boot_ns", "5.8", "a clock that counts suspended time"),
  helperRow("ktime_get_tai_ns", "ktime_get_tai_ns", "6.1", "a clock without leap seconds"),
  helperRow("get_func_ip", "get_func_ip", "5.15", "address of the traced function"),
  helperRow("for_each_map_elem", "for_each_map_elem", "5.13", "walking maps in programs"),
  helperRow("bpf_loop", "loop", "5.17", "loops of any length"),
  helperRow("strncmp", "strncmp", "5.17", "string comparison"),
  helperRow("snprintf", "snprintf", "5.13", "formatting in programs"),
  helperRow("get_stack", "get_stack", "4.18", "stacks into a buffer"),
  helperRow("get_current_cgroup_id", "get_current_cgroup_id", "4.18", "cgroup of the current task"),
  helperRow("get_current_task_btf", "get_current_task_btf", "5.11", "the current task with its type"),
  helperRow("get_ns_current_pid_tgid", "get_ns_current_pid_tgid", "5.7", "pids as a container sees them"),
  helperRow("send_signal", "send_signal", "5.3", "sending signals"),
  helperRow("override_return", "override_return", "4.16", "error injection"),
  helperRow("probe_write_user", "probe_write_user", "4.8", "writing to user memory"),
  helperRow("map_lookup_percpu_elem", "map_lookup_percpu_elem", "5.19", "another CPU's values"),
  helperRow("ringbuf_output", "ringbuf_output", "5.8", "writing to ring buffers"),
  helperRow(
    "memcg_accounting",
    "ktime_get_coarse_ns",
    "5.11",
    "BPF memory is not counted against RLIMIT_MEMLOCK",
    "socket_filter",
  ),
];

const rows = new Map(features.map((row) => [row.name, row]));
const answers = new Map<string, FeatureResult>();

/** What a feature's probe finds; throws RangeError for a name that is not in the table. */
export function probeFeature(name: string): FeatureResult {
  const known = answers.get(name);
  if (known) return known;
  const row = rows.get(name);
  if (!row) throw new RangeError(`there is no feature named ${name}`);
  const result = row.probe();
  if (result.conclusive) answers.set(name, result);
  return result;
}

/** Whether the kernel has a feature, as far as this user can tell. */
export function hasFeature(name: string): boolean {
  return probeFeature(name).supported;
}

/** Throws UnsupportedError, with the version that has it, unless the kernel has the feature. */
export function requireFeature(name: string): void {
  const result = probeFeature(name);
  if (result.supported) return;
  const row = rows.get(name);
  const old = row && !kernelAtLeast(row.since);
  throw new UnsupportedError(
    row?.title ?? name,
    result.reason ?? "this kernel does not have it",
    old ? row.since : undefined,
  );
}

export interface SystemFacts {
  lockdown: "none" | "integrity" | "confidentiality";
  /** What users other than root may do: 0 anything, 1 or 2 nothing. */
  unprivilegedBpfDisabled: number | undefined;
  perfEventParanoid: number | undefined;
  kptrRestrict: number | undefined;
  jitEnabled: boolean | undefined;
}

function sysctl(path: string): number | undefined {
  try {
    return Number(readFileSync(`/proc/sys/${path}`, "latin1"));
  } catch {
    return undefined;
  }
}

/** Settings of the system that decide what tracing may do. */
export function systemFacts(): SystemFacts {
  const jit = sysctl("net/core/bpf_jit_enable");
  return {
    lockdown: lockdownMode(),
    unprivilegedBpfDisabled: sysctl("kernel/unprivileged_bpf_disabled"),
    perfEventParanoid: sysctl("kernel/perf_event_paranoid"),
    kptrRestrict: sysctl("kernel/kptr_restrict"),
    jitEnabled: jit === undefined ? undefined : jit > 0,
  };
}
