/** What one machine (Linux 6.18, x86-64) says of itself: the kernel that unit tests compile against. Pure data. */

/** [name, type, byte offset, bit offset?, bit width?]; types read left to right: base, `*`, `[n]`. */
export type RecordedField = readonly [name: string, type: string, offset: number, ...bits: number[]];

export interface RecordedStruct {
  union: boolean;
  size: number;
  align: number;
  fields: readonly RecordedField[];
}

export const STRUCTS: Readonly<Record<string, RecordedStruct>> = {
  task_struct: {
    union: false,
    size: 3264,
    align: 8,
    fields: [
      ["__state", "uint32", 24],
      ["flags", "uint32", 44],
      ["prio", "int32", 108],
      ["mm", "struct mm_struct*", 1136],
      ["exit_code", "int32", 1164],
      ["sched_reset_on_fork", "uint32", 1188, 0, 1],
      ["in_execve", "uint32", 1192, 3, 1],
      ["pid", "int32", 1264],
      ["tgid", "int32", 1268],
      ["real_parent", "struct task_struct*", 1280],
      ["parent", "struct task_struct*", 1288],
      ["group_leader", "struct task_struct*", 1328],
      ["utime", "uint64", 1488],
      ["stime", "uint64", 1496],
      ["nvcsw", "uint64", 1536],
      ["start_time", "uint64", 1552],
      ["cred", "struct cred*", 1736],
      ["comm", "char[16]", 1752],
      ["files", "struct files_struct*", 1824],
      ["nsproxy", "struct nsproxy*", 1840],
    ],
  },
  mm_struct: {
    union: false,
    size: 1472,
    align: 8,
    fields: [
      ["pgd", "struct pgd_t*", 120],
      ["mm_users", "struct atomic_t", 132],
      ["total_vm", "uint64", 360],
      ["start_stack", "uint64", 472],
      ["arg_start", "uint64", 480],
      ["arg_end", "uint64", 488],
      ["owner", "struct task_struct*", 1296],
    ],
  },
  vm_area_struct: {
    union: false,
    size: 192,
    align: 8,
    fields: [
      ["vm_start", "uint64", 0],
      ["vm_end", "uint64", 8],
      ["vm_mm", "struct mm_struct*", 16],
      ["vm_flags", "uint64", 32],
    ],
  },
  sock: {
    union: false,
    size: 784,
    align: 8,
    fields: [
      ["__sk_common", "struct sock_common", 0],
      ["sk_rcvbuf", "int32", 244],
      ["sk_protocol", "uint16", 532],
      ["sk_type", "uint16", 534],
      ["sk_sndbuf", "int32", 568],
    ],
  },
  sock_common: {
    union: false,
    size: 136,
    align: 8,
    fields: [
      ["skc_addrpair", "uint64", 0],
      ["skc_daddr", "uint32", 0],
      ["skc_rcv_saddr", "uint32", 4],
      ["skc_hash", "uint32", 8],
      ["skc_u16hashes", "uint16[2]", 8],
      ["skc_portpair", "uint32", 12],
      ["skc_dport", "uint16", 12],
      ["skc_num", "uint16", 14],
      ["skc_family", "uint16", 16],
      ["skc_state", "uint8", 18],
      ["skc_reuse", "uint8", 19, 0, 4],
      ["skc_reuseport", "uint8", 19, 4, 1],
      ["skc_ipv6only", "uint8", 19, 5, 1],
      ["skc_net_refcnt", "uint8", 19, 6, 1],
      ["skc_bound_dev_if", "int32", 20],
      ["skc_bind_node", "struct hlist_node", 24],
      ["skc_portaddr_node", "struct hlist_node", 24],
      ["skc_prot", "struct proto*", 40],
      ["skc_net", "struct possible_net_t", 48],
      ["skc_v6_daddr", "struct in6_addr", 56],
      ["skc_v6_rcv_saddr", "struct in6_addr", 72],
      ["skc_cookie", "struct atomic64_t", 88],
      ["skc_flags", "uint64", 96],
      ["skc_listener", "struct sock*", 96],
      ["skc_tw_dr", "struct inet_timewait_death_row*", 96],
      ["skc_dontcopy_begin", "int32[0]", 104],
      ["skc_node", "struct hlist_node", 104],
      ["skc_nulls_node", "struct hlist_nulls_node", 104],
      ["skc_tx_queue_mapping", "uint16", 120],
      ["skc_rx_queue_mapping", "uint16", 122],
      ["skc_incoming_cpu", "int32", 124],
      ["skc_rcv_wnd", "uint32", 124],
      ["skc_tw_rcv_nxt", "uint32", 124],
      ["skc_refcnt", "struct refcount_struct", 128],
      ["skc_dontcopy_end", "int32[0]", 132],
      ["skc_rxhash", "uint32", 132],
      ["skc_window_clamp", "uint32", 132],
      ["skc_tw_snd_nxt", "uint32", 132],
    ],
  },
  sk_buff: {
    union: false,
    size: 224,
    align: 8,
    fields: [
      ["len", "uint32", 112],
      ["data_len", "uint32", 116],
      ["pkt_type", "uint8", 128, 0, 3],
      ["protocol", "uint16", 176],
      ["head", "uint8*", 192],
      ["data", "uint8*", 200],
    ],
  },
  file: {
    union: false,
    size: 184,
    align: 8,
    fields: [
      ["f_mode", "uint32", 4],
      ["f_inode", "struct inode*", 32],
      ["f_flags", "uint32", 40],
      ["f_path", "struct path", 64],
      ["f_pos", "int64", 112],
    ],
  },
  path: {
    union: false,
    size: 16,
    align: 8,
    fields: [
      ["mnt", "struct vfsmount*", 0],
      ["dentry", "struct dentry*", 8],
    ],
  },
  dentry: {
    union: false,
    size: 192,
    align: 8,
    fields: [
      ["d_parent", "struct dentry*", 24],
      ["d_name", "struct qstr", 32],
      ["d_inode", "struct inode*", 48],
    ],
  },
  qstr: {
    union: false,
    size: 16,
    align: 8,
    fields: [
      ["hash", "uint32", 0],
      ["len", "uint32", 4],
      ["hash_len", "uint64", 0],
      ["name", "uint8*", 8],
    ],
  },
  inode: {
    union: false,
    size: 616,
    align: 8,
    fields: [
      ["i_mode", "uint16", 0],
      ["i_uid", "struct kuid_t", 4],
      ["i_ino", "uint64", 64],
      ["i_size", "int64", 80],
    ],
  },
  request: {
    union: false,
    size: 248,
    align: 8,
    fields: [
      ["cmd_flags", "uint32", 24],
      ["__data_len", "uint32", 44],
      ["__sector", "uint64", 48],
      ["bio", "struct bio*", 56],
      ["part", "struct block_device*", 88],
    ],
  },
  linux_binprm: {
    union: false,
    size: 408,
    align: 8,
    fields: [
      ["argc", "int32", 88],
      ["envc", "int32", 92],
      ["filename", "char*", 96],
      ["interp", "char*", 104],
    ],
  },
  list_head: {
    union: false,
    size: 16,
    align: 8,
    fields: [
      ["next", "struct list_head*", 0],
      ["prev", "struct list_head*", 8],
    ],
  },
  in6_addr: { union: false, size: 16, align: 4, fields: [["in6_u", "union in6_addr__in6_u", 0]] },
  in6_addr__in6_u: {
    union: true,
    size: 16,
    align: 4,
    fields: [
      ["u6_addr8", "uint8[16]", 0],
      ["u6_addr16", "uint16[8]", 0],
      ["u6_addr32", "uint32[4]", 0],
    ],
  },
  possible_net_t: { union: false, size: 8, align: 8, fields: [["net", "struct net*", 0]] },
  cred: {
    union: false,
    size: 184,
    align: 8,
    fields: [
      ["uid", "struct kuid_t", 8],
      ["gid", "struct kgid_t", 12],
      ["euid", "struct kuid_t", 24],
    ],
  },
  nsproxy: {
    union: false,
    size: 72,
    align: 8,
    fields: [
      ["count", "struct refcount_struct", 0],
      ["pid_ns_for_children", "struct pid_namespace*", 32],
    ],
  },
  pt_regs: {
    union: false,
    size: 168,
    align: 8,
    fields: [
      ["r15", "uint64", 0],
      ["r14", "uint64", 8],
      ["r13", "uint64", 16],
      ["r12", "uint64", 24],
      ["bp", "uint64", 32],
      ["bx", "uint64", 40],
      ["r11", "uint64", 48],
      ["r10", "uint64", 56],
      ["r9", "uint64", 64],
      ["r8", "uint64", 72],
      ["ax", "uint64", 80],
      ["cx", "uint64", 88],
      ["dx", "uint64", 96],
      ["si", "uint64", 104],
      ["di", "uint64", 112],
      ["orig_ax", "uint64", 120],
      ["ip", "uint64", 128],
      ["cs", "uint16", 136],
      ["csx", "uint64", 136],
      ["fred_cs", "struct fred_cs", 136],
      ["flags", "uint64", 144],
      ["sp", "uint64", 152],
      ["ss", "uint16", 160],
      ["ssx", "uint64", 160],
      ["fred_ss", "struct fred_ss", 160],
    ],
  },
  kuid_t: { union: false, size: 4, align: 4, fields: [["val", "uint32", 0]] },
  kgid_t: { union: false, size: 4, align: 4, fields: [["val", "uint32", 0]] },
  sockaddr: {
    union: false,
    size: 16,
    align: 2,
    fields: [
      ["sa_family", "uint16", 0],
      ["sa_data_min", "char[14]", 2],
      ["__empty_sa_data", "struct sockaddr____empty_sa_data", 2],
      ["sa_data", "char[0]", 2],
    ],
  },
  sockaddr____empty_sa_data: { union: false, size: 0, align: 1, fields: [] },
  iovec: {
    union: false,
    size: 16,
    align: 8,
    fields: [
      ["iov_base", "void*", 0],
      ["iov_len", "uint64", 8],
    ],
  },
  user_arg_ptr: {
    union: false,
    size: 16,
    align: 8,
    fields: [
      ["is_compat", "bool", 0],
      ["ptr", "union user_arg_ptr__ptr", 8],
    ],
  },
  user_arg_ptr__ptr: {
    union: true,
    size: 8,
    align: 8,
    fields: [
      ["native", "char**", 0],
      ["compat", "uint32*", 0],
    ],
  },
};

export const TYPEDEFS: Readonly<Record<string, string>> = {
  size_t: "uint64",
  ssize_t: "int64",
  u8: "uint8",
  u16: "uint16",
  u32: "uint32",
  u64: "uint64",
  s8: "int8",
  s16: "int16",
  s32: "int32",
  s64: "int64",
  __u8: "uint8",
  __u16: "uint16",
  __u32: "uint32",
  __u64: "uint64",
  __s32: "int32",
  uint8_t: "uint8",
  uint16_t: "uint16",
  uint32_t: "uint32",
  uint64_t: "uint64",
  int8_t: "int8",
  int16_t: "int16",
  int32_t: "int32",
  int64_t: "int64",
  pid_t: "int32",
  uid_t: "uint32",
  gid_t: "uint32",
  dev_t: "uint32",
  sector_t: "uint64",
  umode_t: "uint16",
  loff_t: "int64",
  gfp_t: "uint32",
  fmode_t: "uint32",
  __be32: "uint32",
  __be16: "uint16",
};

export const ENUMS: Readonly<
  Record<string, { size: 1 | 2 | 4 | 8; values: readonly (readonly [string, number])[] }>
> = {
  skb_drop_reason: {
    size: 4,
    values: [
      ["SKB_NOT_DROPPED_YET", 0],
      ["SKB_CONSUMED", 1],
      ["SKB_DROP_REASON_NOT_SPECIFIED", 2],
      ["SKB_DROP_REASON_NO_SOCKET", 3],
      ["SKB_DROP_REASON_SOCKET_CLOSE", 4],
      ["SKB_DROP_REASON_SOCKET_FILTER", 5],
      ["SKB_DROP_REASON_SOCKET_RCVBUFF", 6],
      ["SKB_DROP_REASON_UNIX_DISCONNECT", 7],
    ],
  },
  pid_type: {
    size: 4,
    values: [
      ["PIDTYPE_PID", 0],
      ["PIDTYPE_TGID", 1],
      ["PIDTYPE_PGID", 2],
      ["PIDTYPE_SID", 3],
      ["PIDTYPE_MAX", 4],
    ],
  },
  hrtimer_restart: {
    size: 4,
    values: [
      ["HRTIMER_NORESTART", 0],
      ["HRTIMER_RESTART", 1],
    ],
  },
  tcp_state_anon: {
    size: 4,
    values: [
      ["TCP_ESTABLISHED", 1],
      ["TCP_SYN_SENT", 2],
      ["TCP_SYN_RECV", 3],
      ["TCP_FIN_WAIT1", 4],
      ["TCP_FIN_WAIT2", 5],
      ["TCP_TIME_WAIT", 6],
      ["TCP_CLOSE", 7],
      ["TCP_CLOSE_WAIT", 8],
      ["TCP_LAST_ACK", 9],
      ["TCP_LISTEN", 10],
      ["TCP_CLOSING", 11],
      ["TCP_NEW_SYN_RECV", 12],
      ["TCP_BOUND_INACTIVE", 13],
      ["TCP_MAX_STATES", 14],
    ],
  },
};

export interface RecordedPrototype {
  args: readonly (readonly [name: string, type: string])[];
  ret: string;
  btfId: number;
}

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
