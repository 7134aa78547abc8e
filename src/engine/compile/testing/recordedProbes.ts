/** The functions and tracepoints of one machine (Linux 6.18, x86-64): what unit tests compile against. Pure data. */

export interface RecordedPrototype {
  args: readonly (readonly [name: string, type: string])[];
  ret: string;
  btfId: number;
}

/** Functions of the kernel that programs may call, and the types of programs that may. */
export const KFUNCS: Readonly<Record<string, RecordedPrototype & { programs: readonly string[] }>> = {
  bpf_task_from_pid: {
    args: [["pid", "int32"]],
    ret: "struct task_struct*",
    btfId: 65918,
    programs: ["tracing", "tracepoint", "perf_event"],
  },
  bpf_task_release: {
    args: [["p", "struct task_struct*"]],
    ret: "void",
    btfId: 65928,
    programs: ["tracing", "tracepoint", "perf_event"],
  },
  bpf_strcmp: {
    args: [
      ["s1__ign", "char*"],
      ["s2__ign", "char*"],
    ],
    ret: "int32",
    btfId: 65904,
    programs: ["tracing", "tracepoint", "perf_event", "kprobe", "raw_tracepoint"],
  },
  bpf_send_signal_task: {
    args: [
      ["task", "struct task_struct*"],
      ["sig", "int32"],
      ["type", "int32"],
      ["value", "uint64"],
    ],
    ret: "int32",
    btfId: 65890,
    programs: ["tracing", "tracepoint", "perf_event", "kprobe"],
  },
};

export const RAW_TRACEPOINTS: Readonly<Record<string, RecordedPrototype>> = {
  sys_enter: {
    args: [
      ["regs", "struct pt_regs*"],
      ["id", "int64"],
    ],
    ret: "void",
    btfId: 11324,
  },
  sys_exit: {
    args: [
      ["regs", "struct pt_regs*"],
      ["ret", "int64"],
    ],
    ret: "void",
    btfId: 11328,
  },
  sched_switch: {
    args: [
      ["preempt", "bool"],
      ["prev", "struct task_struct*"],
      ["next", "struct task_struct*"],
      ["prev_state", "uint32"],
    ],
    ret: "void",
    btfId: 10306,
  },
  sched_process_exec: {
    args: [
      ["p", "struct task_struct*"],
      ["old_pid", "int32"],
      ["bprm", "struct linux_binprm*"],
    ],
    ret: "void",
    btfId: 10330,
  },
  sched_wakeup: { args: [["p", "struct task_struct*"]], ret: "void", btfId: 10302 },
  kfree_skb: {
    args: [
      ["skb", "struct sk_buff*"],
      ["location", "void*"],
      ["reason", "enum skb_drop_reason"],
      ["rx_sk", "struct sock*"],
    ],
    ret: "void",
    btfId: 38136,
  },
  block_rq_issue: { args: [["arg0", "struct request*"]], ret: "void", btfId: 28921 },
  signal_generate: {
    args: [
      ["sig", "int32"],
      ["info", "struct kernel_siginfo*"],
      ["task", "struct task_struct*"],
      ["group", "int32"],
      ["result", "int32"],
    ],
    ret: "void",
    btfId: 9874,
  },
  sched_process_exit: {
    args: [
      ["p", "struct task_struct*"],
      ["group_dead", "bool"],
    ],
    ret: "void",
    btfId: 10316,
  },
};

export const FUNCTIONS: Readonly<Record<string, RecordedPrototype>> = {
  vfs_read: {
    args: [
      ["file", "struct file*"],
      ["buf", "char*"],
      ["count", "uint64"],
      ["pos", "int64*"],
    ],
    ret: "int64",
    btfId: 119961,
  },
  vfs_write: {
    args: [
      ["file", "struct file*"],
      ["buf", "char*"],
      ["count", "uint64"],
      ["pos", "int64*"],
    ],
    ret: "int64",
    btfId: 119990,
  },
  vfs_open: {
    args: [
      ["path", "struct path*"],
      ["file", "struct file*"],
    ],
    ret: "int32",
    btfId: 119945,
  },
  tcp_sendmsg: {
    args: [
      ["sk", "struct sock*"],
      ["msg", "struct msghdr*"],
      ["size", "uint64"],
    ],
    ret: "int32",
    btfId: 114545,
  },
  tcp_connect: { args: [["sk", "struct sock*"]], ret: "int32", btfId: 114234 },
  hrtimer_nanosleep: {
    args: [
      ["rqtp", "int64"],
      ["mode", "enum hrtimer_mode"],
      ["clockid", "int32"],
    ],
    ret: "int64",
    btfId: 84325,
  },
  do_nanosleep: {
    args: [
      ["t", "struct hrtimer_sleeper*"],
      ["mode", "enum hrtimer_mode"],
    ],
    ret: "int32",
    btfId: 76027,
  },
  fget: { args: [["fd", "uint32"]], ret: "struct file*", btfId: 79643 },
  do_sys_openat2: {
    args: [
      ["dfd", "int32"],
      ["filename", "char*"],
      ["how", "struct open_how*"],
    ],
    ret: "int32",
    btfId: 76236,
  },
  tcp_reset: {
    args: [
      ["sk", "struct sock*"],
      ["skb", "struct sk_buff*"],
    ],
    ret: "void",
    btfId: 114512,
  },
};

/** Without the common_ fields. "loc": a `__data_loc` field. */
export const TRACEPOINTS: Readonly<
  Record<
    string,
    { id: number; fields: readonly (readonly [name: string, type: string, offset: number, loc?: string])[] }
  >
> = {
  "syscalls:sys_enter_openat": {
    id: 782,
    fields: [
      ["__syscall_nr", "int32", 8],
      ["dfd", "int64", 16],
      ["filename", "char*", 24],
      ["flags", "int64", 32],
      ["mode", "uint64", 40],
    ],
  },
  "syscalls:sys_exit_openat": {
    id: 781,
    fields: [
      ["__syscall_nr", "int32", 8],
      ["ret", "int64", 16],
    ],
  },
  "syscalls:sys_enter_open": {
    id: 784,
    fields: [
      ["__syscall_nr", "int32", 8],
      ["filename", "char*", 16],
      ["flags", "int64", 24],
      ["mode", "uint64", 32],
    ],
  },
  "syscalls:sys_enter_read": {
    id: 842,
    fields: [
      ["__syscall_nr", "int32", 8],
      ["fd", "uint64", 16],
      ["buf", "char*", 24],
      ["count", "uint64", 32],
    ],
  },
  "syscalls:sys_exit_read": {
    id: 841,
    fields: [
      ["__syscall_nr", "int32", 8],
      ["ret", "int64", 16],
    ],
  },
  "syscalls:sys_enter_write": {
    id: 840,
    fields: [
      ["__syscall_nr", "int32", 8],
      ["fd", "uint64", 16],
      ["buf", "char*", 24],
      ["count", "uint64", 32],
    ],
  },
  "syscalls:sys_exit_write": {
    id: 839,
    fields: [
      ["__syscall_nr", "int32", 8],
      ["ret", "int64", 16],
    ],
  },
  "syscalls:sys_enter_execve": {
    id: 862,
    fields: [
      ["__syscall_nr", "int32", 8],
      ["filename", "char*", 16],
      ["argv", "char**", 24],
      ["envp", "char**", 32],
    ],
  },
  "syscalls:sys_enter_clock_nanosleep": {
    id: 474,
    fields: [
      ["__syscall_nr", "int32", 8],
      ["which_clock", "int64", 16],
      ["flags", "int64", 24],
      ["rqtp", "struct __kernel_timespec*", 32],
      ["rmtp", "struct __kernel_timespec*", 40],
    ],
  },
  "syscalls:sys_exit_clock_nanosleep": {
    id: 473,
    fields: [
      ["__syscall_nr", "int32", 8],
      ["ret", "int64", 16],
    ],
  },
  "syscalls:sys_enter_getppid": { id: 305, fields: [["__syscall_nr", "int32", 8]] },
  "syscalls:sys_enter_kill": {
    id: 251,
    fields: [
      ["__syscall_nr", "int32", 8],
      ["pid", "int64", 16],
      ["sig", "int64", 24],
    ],
  },
  "raw_syscalls:sys_enter": {
    id: 443,
    fields: [
      ["id", "int64", 8],
      ["args", "uint64[6]", 16],
    ],
  },
  "raw_syscalls:sys_exit": {
    id: 442,
    fields: [
      ["id", "int64", 8],
      ["ret", "int64", 16],
    ],
  },
  "sched:sched_switch": {
    id: 372,
    fields: [
      ["prev_comm", "char[16]", 8],
      ["prev_pid", "int32", 24],
      ["prev_prio", "int32", 28],
      ["prev_state", "int64", 32],
      ["next_comm", "char[16]", 40],
      ["next_pid", "int32", 56],
      ["next_prio", "int32", 60],
    ],
  },
  "sched:sched_wakeup": {
    id: 374,
    fields: [
      ["comm", "char[16]", 8],
      ["pid", "int32", 24],
      ["prio", "int32", 28],
      ["target_cpu", "int32", 32],
    ],
  },
  "sched:sched_process_exec": {
    id: 365,
    fields: [
      ["filename", "char[]", 8, "loc"],
      ["pid", "int32", 12],
      ["old_pid", "int32", 16],
    ],
  },
  "sched:sched_process_fork": {
    id: 366,
    fields: [
      ["parent_comm", "char[]", 8, "loc"],
      ["parent_pid", "int32", 12],
      ["child_comm", "char[]", 16, "loc"],
      ["child_pid", "int32", 20],
    ],
  },
  "sched:sched_process_exit": {
    id: 369,
    fields: [
      ["comm", "char[16]", 8],
      ["pid", "int32", 24],
      ["prio", "int32", 28],
      ["group_dead", "bool", 32],
    ],
  },
  "block:block_rq_issue": {
    id: 2104,
    fields: [
      ["dev", "uint32", 8],
      ["sector", "uint64", 16],
      ["nr_sector", "uint32", 24],
      ["bytes", "uint32", 28],
      ["ioprio", "uint16", 32],
      ["rwbs", "char[10]", 34],
      ["comm", "char[16]", 44],
      ["cmd", "char[]", 60, "loc"],
    ],
  },
  "block:block_rq_complete": {
    id: 2107,
    fields: [
      ["dev", "uint32", 8],
      ["sector", "uint64", 16],
      ["nr_sector", "uint32", 24],
      ["error", "int32", 28],
      ["ioprio", "uint16", 32],
      ["rwbs", "char[10]", 34],
      ["cmd", "char[]", 44, "loc"],
    ],
  },
  "kmem:kmalloc": {
    id: 658,
    fields: [
      ["call_site", "uint64", 8],
      ["ptr", "void*", 16],
      ["bytes_req", "uint64", 24],
      ["bytes_alloc", "uint64", 32],
      ["gfp_flags", "uint64", 40],
      ["node", "int32", 48],
    ],
  },
  "tcp:tcp_retransmit_skb": {
    id: 2281,
    fields: [
      ["skbaddr", "void*", 8],
      ["skaddr", "void*", 16],
      ["state", "int32", 24],
      ["sport", "uint16", 28],
      ["dport", "uint16", 30],
      ["family", "uint16", 32],
      ["saddr", "uint8[4]", 34],
      ["daddr", "uint8[4]", 38],
      ["saddr_v6", "uint8[16]", 42],
      ["daddr_v6", "uint8[16]", 58],
      ["err", "int32", 76],
    ],
  },
  "sock:inet_sock_set_state": {
    id: 2287,
    fields: [
      ["skaddr", "void*", 8],
      ["oldstate", "int32", 16],
      ["newstate", "int32", 20],
      ["sport", "uint16", 24],
      ["dport", "uint16", 26],
      ["family", "uint16", 28],
      ["protocol", "uint16", 30],
      ["saddr", "uint8[4]", 32],
      ["daddr", "uint8[4]", 36],
      ["saddr_v6", "uint8[16]", 40],
      ["daddr_v6", "uint8[16]", 56],
    ],
  },
  "signal:signal_generate": {
    id: 261,
    fields: [
      ["sig", "int32", 8],
      ["errno", "int32", 12],
      ["code", "int32", 16],
      ["comm", "char[16]", 20],
      ["pid", "int32", 36],
      ["group", "int32", 40],
      ["result", "int32", 44],
    ],
  },
  "irq:softirq_entry": { id: 223, fields: [["vec", "uint32", 8]] },
  "irq:softirq_exit": { id: 222, fields: [["vec", "uint32", 8]] },
  "exceptions:page_fault_user": {
    id: 190,
    fields: [
      ["address", "uint64", 8],
      ["ip", "uint64", 16],
      ["error_code", "uint64", 24],
    ],
  },
};
