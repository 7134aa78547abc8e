/** Builtins: values of the moment that take no arguments, or may do without. */

import type { CheckValue } from "../check/functions/call.ts";
import * as process from "../check/functions/process.ts";
import { type IntType, int, type Type, UINT64 } from "../types.ts";
import type { FunctionRow } from "./rows.ts";
import type { BuiltinOp } from "./vocabulary.ts";

/** A builtin that code generation has under the same name. */
const direct =
  (name: BuiltinOp, type: Type): CheckValue =>
  (call) => ({ op: "builtin", name, type, span: call.span });

const U32 = int(4, false);
const none = [0, 0] as const;

/** An address in the kernel, as a number. */
const simple = (name: BuiltinOp, type: IntType, signature: string, help: string): FunctionRow => ({
  name,
  signatures: [signature],
  help,
  arguments: none,
  bare: true,
  value: direct(name, type),
});

export const BUILTINS: readonly FunctionRow[] = [
  {
    name: "pid",
    signatures: ["uint32 pid", "uint32 pid(curr_ns|init)"],
    help: "The process id of the current thread (the kernel's tgid), as seen from the tracer's pid namespace.",
    arguments: [0, 1],
    bare: true,
    value: process.namespaced,
  },
  {
    name: "tid",
    signatures: ["uint32 tid", "uint32 tid(curr_ns|init)"],
    help: "The id of the current thread, as seen from the tracer's pid namespace.",
    arguments: [0, 1],
    bare: true,
    value: process.namespaced,
  },
  simple(
    "uid",
    UINT64 as IntType,
    "uint64 uid",
    "The user id of the current thread, as the initial namespace sees it.",
  ),
  simple(
    "gid",
    UINT64 as IntType,
    "uint64 gid",
    "The group id of the current thread, as the initial namespace sees it.",
  ),
  {
    name: "username",
    signatures: ["username username"],
    help: "The user's name; looked up when it is printed.",
    arguments: none,
    bare: true,
    value: process.username,
  },
  {
    name: "comm",
    signatures: ["string comm", "string comm(uint32 pid)"],
    help: "The name of the current thread, or of the process with an id in the initial pid namespace: at most 15 characters. Where there is no such process, N/A and a warning.",
    arguments: [0, 1],
    bare: true,
    value: process.comm,
  },
  {
    name: "nsecs",
    signatures: ["uint64 nsecs", "uint64 nsecs(boot|monotonic|tai|sw_tai)"],
    help: "Nanoseconds by a clock of the kernel: since boot, sleep included, unless another clock is named.",
    arguments: [0, 1],
    bare: true,
    value: process.nsecs,
  },
  simple("elapsed", UINT64 as IntType, "uint64 elapsed", "Nanoseconds since the script started."),
  simple("cpu", U32, "uint32 cpu", "The number of the CPU that runs the probe."),
  simple("numaid", U32, "uint32 numaid", "The NUMA node of the CPU that runs the probe."),
  {
    name: "ncpus",
    signatures: ["uint64 ncpus"],
    help: "How many CPUs the kernel can have.",
    arguments: none,
    bare: true,
    when: "compile-time",
    value: process.ncpus,
  },
  {
    name: "curtask",
    signatures: ["struct task_struct *curtask"],
    help: "The current thread's task_struct in the kernel.",
    arguments: none,
    bare: true,
    value: process.curtask,
  },
  simple("rand", U32, "uint32 rand", "A pseudo-random number of 32 bits."),
  simple(
    "cgroup",
    { ...UINT64, identity: "cgroup" },
    "uint64 cgroup",
    "The id of the current process's cgroup (version 2).",
  ),
  simple("jiffies", UINT64 as IntType, "uint64 jiffies", "The kernel's tick counter."),
  {
    name: "usermode",
    signatures: ["uint8 usermode"],
    help: "1 when the processor was in user mode, else 0.",
    arguments: none,
    bare: true,
    value: process.usermode,
  },
  {
    name: "cpid",
    signatures: ["uint32 cpid"],
    help: "The process id of the child started with -c.",
    arguments: none,
    bare: true,
    value: process.cpid,
  },
  {
    name: "has_cpid",
    signatures: ["bool has_cpid"],
    help: "Whether there is a child started with -c.",
    arguments: none,
    bare: true,
    when: "compile-time",
    value: process.hasCpid,
  },
  {
    name: "probe",
    signatures: ["string probe"],
    help: "The full name of the probe that fired.",
    arguments: none,
    bare: true,
    value: process.probe,
  },
  {
    name: "probetype",
    signatures: ["string probetype"],
    help: "The type of the probe that fired: kprobe, tracepoint, special for begin and end.",
    arguments: none,
    bare: true,
    when: "compile-time",
    value: process.probetype,
  },
  {
    name: "func",
    signatures: ["ksym func", "usym func"],
    help: "The name of the function being traced.",
    arguments: none,
    bare: true,
    value: process.func,
  },
  {
    name: "config",
    signatures: ["record config"],
    help: "The script's settings, such as config.max_strlen.",
    arguments: none,
    bare: true,
    when: "compile-time",
    value: process.config,
  },
];
