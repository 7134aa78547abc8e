/**
 * The words that a checked program and code generation share: every `builtin` and every `call` that can stand in a
 * TypedExpression, with its arguments and result. The checker emits no other names; code generation handles all of these.
 */

/** `{ op: "builtin" }` by name. */
export const BUILTIN_OPS = {
  pid: "u32: tgid, in the tracer's pid namespace",
  tid: "u32: thread id, in the tracer's pid namespace",
  "pid.init": "u32: tgid in the initial pid namespace",
  "tid.init": "u32",
  uid: "u64",
  gid: "u64",
  nsecs: "u64: CLOCK_BOOTTIME nanoseconds",
  "nsecs.monotonic": "u64: CLOCK_MONOTONIC",
  "nsecs.tai": "u64: CLOCK_TAI (6.1)",
  elapsed: "u64: nanoseconds since the start of tracing",
  cpu: "u32",
  numaid: "u32",
  comm: "string of 16",
  curtask: "pointer: address of the current task_struct",
  rand: "u32",
  probe: "probe: index of the probe that fired",
  func: "ksym or usym of the traced function, by the expression's type",
  username: "username: the uid",
  cgroup: "u64: cgroup v2 id",
  jiffies: "u64",
  cpid: "u32: pid of -c's child",
  usermode: "u8",
} as const;

/** `{ op: "call" }` by name. */
export const CALL_OPS = {
  str: "[pointer, length?: u64] → string from pointer.space; length counts the NUL and is at most type.size. A string of max_strlen that was cut has no NUL",
  buf: "[pointer or array, length?: u64] → buffer; without length: all of type.size",
  kstack: "[] → stack; depth and mode are in the type",
  ustack: "[] → stack",
  dw_ustack: "[] → stack",
  ksym: "[address] → ksym",
  usym: "[address] → usym",
  ntop: "[address] → inet; int or array of 4 bytes (network order), or of 16; data.family: 2 or 10",
  "ntop.family": "[family, address] → inet; the family is known at run time only",
  macaddr: "[pointer or array of 6 bytes] → macaddr",
  strncmp: "[string, string] → s64; data.length: bytes compared; 0 when equal",
  strlen: "[string] → u64",
  strftime: "[nanoseconds] → timestamp; data.format, data.clock (0 boot, 1 monotonic, 2 tai)",
  cgroup_path: "[cgroup id] → cgroupPath; data.filter",
  bswap: "[int] → unsigned int of the same width",
  has_key: "map, [key] → bool",
  delete: "map, [key] or [] for a scalar map → bool: it was there",
  len: "map, [] → s64: entries",
  "len.stack": "[stack] → s64: frames",
  str_concat: "[string, string] → string",
  "str.array": "[array of int8] → string",
  signal: "[signal number] → s64; data.thread: only this thread",
  override: "[value] → void: bpf_override_return",
  write_user: "[destination, source, length] → bool",
  path: "[pointer to struct path] → string: bpf_d_path",
  socket_cookie: "[pointer to struct sock] → u64",
  task: "[u32 pid in the initial namespace] → pointer to its task_struct, or 0; data: the offsets on the way (TaskLinks)",
  kfunc: "[arguments] → what the kernel's function gives; data.function: its name, data.id: its BTF id",
  skboutput:
    "[pointer to struct sk_buff, length] → s64 status; data.path, data.offset, data.lengthAt (of its member len)",
  percpu_kaddr: "[cpu?] → u64 address; data.address of the symbol",
} as const;

export type BuiltinOp = keyof typeof BUILTIN_OPS;
export type CallOp = keyof typeof CALL_OPS;
