/** Builtins without arguments, one row each. Helpers without effects are merged by the optimiser, so rows just call them. */
import { constant, type Value } from "../ir/types.ts";
import { sizeOf, type Type } from "../types.ts";
import { arch, namedRegister } from "./arguments.ts";
import type { Cx } from "./context.ts";
import { probeIndex } from "./entry.ts";
import { addressOf, offsetBy, type Place, zeroBytes } from "./memory.ts";
import { NotSupported } from "./unsupported.ts";

const upper = (cx: Cx, value: Value): Value => cx.b.alu("rsh", value, constant(32));
const lower = (cx: Cx, value: Value): Value => cx.b.extend(value, 4, false);

/** pid and tgid as a pid namespace sees them: u32 pid, u32 tgid. */
function namespacePid(cx: Cx, offset: number): Value | undefined {
  const namespace = cx.target.kernel.pidNamespace;
  if (!namespace || !cx.target.can("nsPid")) return undefined;
  const slot = cx.b.slot(8, "pid");
  cx.b.store(slot, 0, 8, constant(0));
  cx.b.call(
    "get_ns_current_pid_tgid",
    constant(namespace.device),
    constant(namespace.inode),
    slot,
    constant(8),
  );
  return cx.b.load(slot, offset, 4);
}

function globalWord(cx: Cx, name: "cpid" | "startTime" | "taiOffset"): Value {
  const { map, [name]: offset } = cx.layout.globals;
  return cx.b.load({ kind: "map-value", map, offset }, 0, name === "cpid" ? 4 : 8);
}

/** Process id of the command given with -c. */
export const childPid = (cx: Cx): Value => globalWord(cx, "cpid");

const pidTgid = (cx: Cx): Value => cx.b.call("get_current_pid_tgid");
const uidGid = (cx: Cx): Value => cx.b.call("get_current_uid_gid");
const bootTime = (cx: Cx): Value =>
  cx.b.call(cx.target.can("bootTime") ? "ktime_get_boot_ns" : "ktime_get_ns");

export function userPid(cx: Cx): Value {
  return namespacePid(cx, 4) ?? upper(cx, pidTgid(cx));
}

const ROWS: Record<string, (cx: Cx, type: Type) => Value> = {
  pid: userPid,
  tid: (cx) => namespacePid(cx, 0) ?? lower(cx, pidTgid(cx)),
  "pid.init": (cx) => upper(cx, pidTgid(cx)),
  "tid.init": (cx) => lower(cx, pidTgid(cx)),
  uid: (cx) => lower(cx, uidGid(cx)),
  gid: (cx) => upper(cx, uidGid(cx)),
  username: (cx) => lower(cx, uidGid(cx)),
  nsecs: bootTime,
  "nsecs.monotonic": (cx) => cx.b.call("ktime_get_ns"),
  "nsecs.tai": (cx) =>
    cx.target.can("taiTime")
      ? cx.b.call("ktime_get_tai_ns")
      : cx.b.alu("add", bootTime(cx), globalWord(cx, "taiOffset")),
  elapsed: (cx) => cx.b.alu("sub", bootTime(cx), globalWord(cx, "startTime")),
  cpu: (cx) => cx.b.call("get_smp_processor_id"),
  numaid: (cx) => cx.b.call("get_numa_node_id"),
  curtask: (cx) => cx.b.call("get_current_task"),
  rand: (cx) => lower(cx, cx.b.call("get_prandom_u32")),
  cgroup: (cx) => cx.b.call("get_current_cgroup_id"),
  jiffies: (cx) => cx.b.call("jiffies64"),
  probe: probeIndex,
  cpid: childPid,
  usermode: (cx) => cx.b.compare("eq", cx.b.alu("and", namedRegister(cx, "cs"), constant(3)), constant(3)),
  func: (cx) => functionAddress(cx),
};

export function builtin(cx: Cx, name: string, type: Type): Value {
  const row = ROWS[name];
  if (!row) throw new NotSupported(`${name} cannot be compiled yet`, cx.b.span);
  return row(cx, type);
}

/** Entry of the traced function, which the kernel knows when it returns (since 5.15, in user space 6.6). */
function functionAddress(cx: Cx): Value {
  const { attach } = cx.program.probes[0];
  if (attach.kind === "uprobe" && attach.return && cx.target.can("userFuncIp"))
    return cx.b.call("get_func_ip", cx.context);
  if (attach.kind === "uprobe" || attach.kind === "usdt")
    return namedRegister(cx, arch(cx).instructionPointer);
  // Inside of a function the kernel tells no entry (6.0), or the probed instruction's address.
  const isWithin = cx.program.probes.some(
    (p) => p.attach.kind === "kprobe" && (p.attach.offset > 0 || p.attach.address !== undefined),
  );
  if (isWithin) return namedRegister(cx, arch(cx).instructionPointer);
  if (cx.target.can("getFuncIp")) return cx.b.call("get_func_ip", cx.context);
  // Such kernels have no cookies either: the program has one probe. Its instruction pointer is behind a breakpoint.
  const address = "function" in attach ? cx.target.kernel.symbolAddress(attach.function) : undefined;
  if (address !== undefined) return constant(address);
  return namedRegister(cx, arch(cx).instructionPointer);
}

export function writeBuiltin(cx: Cx, name: string, type: Type, to: Place): void {
  if (name === "comm") {
    const size = sizeOf(type);
    if (cx.padded && !cx.target.can("paddedComm")) zeroBytes(cx, to, Math.min(size, 16));
    cx.b.call("get_current_comm", addressOf(cx, to), constant(Math.min(size, 16)));
    zeroBytes(cx, offsetBy(to, 16), Math.max(0, size - 16));
    return;
  }
  if (name === "func" && type.kind === "usym") {
    cx.b.store(to.base, to.offset, 8, functionAddress(cx));
    cx.b.store(to.base, to.offset + 8, 4, userPid(cx));
    cx.b.store(to.base, to.offset + 12, 4, cx.b.add(probeIndex(cx), 1));
    return;
  }
  throw new NotSupported(`${name} cannot be compiled yet`, cx.b.span);
}
