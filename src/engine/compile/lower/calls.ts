/** Functions that programs carry out themselves, one row each: those that give a register, and those that write bytes. */
import type { TaskLinks } from "../check/functions/task.ts";
import { constant, reg, type Value, ZERO } from "../ir/types.ts";
import type { TypedExpression } from "../typed.ts";
import { sizeOf, type Type } from "../types.ts";
import { userPid } from "./builtins.ts";
import type { Cx } from "./context.ts";
import { probeIndex } from "./entry.ts";
import { checkHelper } from "./errors.ts";
import { place, pointee, scalar, write } from "./expressions.ts";
import { callKfunc } from "./kfuncs.ts";
import { countEntries } from "./loops.ts";
import { deleteKey, hasKey } from "./maps.ts";
import {
  addressOf,
  copyBytes,
  loadScalar,
  offsetBy,
  type Place,
  readString,
  storeScalar,
  zeroBytes,
} from "./memory.ts";
import { skbOutput } from "./packets.ts";
import { isScalar } from "./shape.ts";
import { stackDepth, writeStack } from "./stacks.ts";
import { strlen, strncmp, writeBuffer, writeConcatenated, writeStr } from "./strings.ts";
import { taskByPid } from "./tasks.ts";
import { NotSupported } from "./unsupported.ts";
import { unwindFrames } from "./unwind.ts";

type Call = Extract<TypedExpression, { op: "call" }>;

const SCALAR: Record<string, (cx: Cx, e: Call) => Value> = {
  ksym: (cx, e) => scalar(cx, e.arguments[0]),
  strncmp: (cx, e) => strncmp(cx, e.arguments[0], e.arguments[1], Number(e.data!.length)),
  strlen: (cx, e) => strlen(cx, e.arguments[0]),
  bswap: (cx, e) => {
    const value = scalar(cx, e.arguments[0]);
    const bits = sizeOf(e.type) * 8;
    return bits === 8 ? value : cx.b.swap(value, bits as 16 | 32 | 64);
  },
  has_key: (cx, e) => hasKey(cx, e.map!, e.arguments[0]),
  delete: (cx, e) => deleteKey(cx, e.map!, e.arguments[0]),
  len: (cx, e) => countEntries(cx, e.map!),
  "len.stack": (cx, e) => {
    const [stack] = e.arguments;
    const unwound = stack.op === "call" && stack.name === "dw_ustack";
    return stackDepth(cx, stack, unwound ? unwindFrames : undefined);
  },
  signal: (cx, e) => {
    const helper = e.data?.thread ? "send_signal_thread" : "send_signal";
    const status = cx.b.call(helper, scalar(cx, e.arguments[0]));
    checkHelper(cx, helper, status);
    return status;
  },
  override: (cx, e) => cx.b.call("override_return", cx.context, scalar(cx, e.arguments[0])),
  write_user: (cx, e) => writeUser(cx, e),
  task: (cx, e) => taskByPid(cx, scalar(cx, e.arguments[0]), e.data as TaskLinks),
  kfunc: callKfunc,
  skboutput: skbOutput,
  percpu_kaddr: (cx, e) => perCpuAddress(cx, e),
  // The verifier must know the pointer: an argument of fentry or of an iterator, or what lies in its struct.
  socket_cookie: (cx, e) => {
    const { b } = cx;
    const cookie = b.fresh();
    const socket = scalar(cx, e.arguments[0]);
    b.assign(cookie, ZERO);
    b.when("ne", socket, ZERO, () => b.assign(cookie, b.call("get_socket_cookie", socket)));
    return reg(cookie);
  },
};

export function callScalar(cx: Cx, e: Call): Value {
  const row = SCALAR[e.name];
  if (!row) throw new NotSupported(`${e.name}() cannot be compiled yet`, e.span);
  return row(cx, e);
}

/** The kernel keeps the distance to each CPU's copy of its per-CPU variables in __per_cpu_offset. */
function perCpuAddress(cx: Cx, e: Call): Value {
  const { b } = cx;
  const offsets = cx.target.kernel.symbolAddress("__per_cpu_offset");
  if (offsets === undefined) return ZERO;
  const cpu = e.arguments[0] ? scalar(cx, e.arguments[0]) : b.call("get_smp_processor_id");
  const result = b.fresh();
  b.assign(result, ZERO);
  b.when("lt", cpu, constant(cx.target.kernel.possibleCpus), () => {
    const at = b.add(constant(offsets), b.alu("lsh", cpu, constant(3)));
    const distance = loadScalar(cx, { base: at, offset: 0, space: "kernel" }, 8, false);
    b.assign(result, b.add(distance, constant(BigInt(e.data!.address as bigint))));
  });
  return reg(result);
}

function writeUser(cx: Cx, e: Call): Value {
  const { b } = cx;
  const [destination, source, length] = e.arguments;
  const size = source.type.kind === "pointer" ? sizeOf(source.type.to) : sizeOf(source.type);
  const copy = cx.temporary(size, "written");
  if (source.type.kind === "pointer") copyBytes(cx, copy, pointee(cx, source), size);
  else write(cx, source, copy);
  const count = b.fresh();
  b.assign(count, scalar(cx, length));
  b.when("gt", reg(count), constant(size), () => b.assign(count, constant(size)));
  const status = b.call("probe_write_user", scalar(cx, destination), addressOf(cx, copy), reg(count));
  return b.compare("eq", status, ZERO);
}

const WRITE: Record<string, (cx: Cx, e: Call, to: Place) => void> = {
  str: writeStr,
  str_concat: writeConcatenated,
  "str.array": (cx, e, to) => {
    const from = place(cx, e.arguments[0]);
    const [size, have] = [sizeOf(e.type), sizeOf(e.arguments[0].type)];
    if (cx.padded) {
      // What stands behind the terminator is left over from longer texts: it must not tell equal keys apart.
      zeroBytes(cx, to, size);
      readString(cx, to, constant(Math.min(size, have + 1)), from);
      return;
    }
    copyBytes(cx, to, from, Math.min(size, have));
    zeroBytes(cx, offsetBy(to, have), Math.max(0, size - have));
    if (size <= have) cx.b.store(to.base, to.offset + size - 1, 1, ZERO);
  },
  buf: writeBuffer,
  path: (cx, e, to) => {
    const [source] = e.arguments;
    if (cx.program.probes[0].attach.kind === "iter" && !cx.target.can("iterPath"))
      throw new NotSupported(
        `path() in iterators needs Linux 5.12, and this is ${cx.target.kernel.release}`,
        e.span,
      );
    const size = sizeOf(e.type);
    const from = source.type.kind === "pointer" ? pointee(cx, source) : place(cx, source);
    zeroBytes(cx, to, cx.padded ? size : 1);
    cx.b.when("ne", from.base, ZERO, () => {
      const status = cx.b.call("d_path", addressOf(cx, from), addressOf(cx, to), constant(size));
      checkHelper(cx, "d_path", status);
    });
  },
  kstack: (cx, e, to) => writeStack(cx, e.type as Extract<Type, { kind: "stack" }>, to),
  ustack: (cx, e, to) => writeStack(cx, e.type as Extract<Type, { kind: "stack" }>, to),
  dw_ustack: (cx, e, to) => writeStack(cx, e.type as Extract<Type, { kind: "stack" }>, to, unwindFrames),
  usym: (cx, e, to) => {
    storeScalar(cx, to, 8, scalar(cx, e.arguments[0]));
    storeScalar(cx, offsetBy(to, 8), 4, userPid(cx));
    const uprobe = cx.program.probes.every((p) => p.attach.kind === "uprobe" || p.attach.kind === "usdt");
    storeScalar(cx, offsetBy(to, 12), 4, uprobe ? cx.b.add(probeIndex(cx), 1) : ZERO);
  },
  ntop: (cx, e, to) => {
    const [address] = e.arguments;
    storeScalar(cx, to, 4, constant(Number(e.data!.family)));
    writeAddress(cx, address, offsetBy(to, 4));
  },
  "ntop.family": (cx, e, to) => {
    storeScalar(cx, to, 4, scalar(cx, e.arguments[0]));
    writeAddress(cx, e.arguments[1], offsetBy(to, 4));
  },
  macaddr: (cx, e, to) => {
    const [source] = e.arguments;
    copyBytes(cx, to, source.type.kind === "pointer" ? pointee(cx, source) : place(cx, source), 6);
  },
  strftime: (cx, e, to) => {
    storeScalar(cx, to, 8, scalar(cx, e.arguments[0]));
    storeScalar(cx, offsetBy(to, 8), 4, constant(cx.layout.string(String(e.data!.format))));
    storeScalar(cx, offsetBy(to, 12), 4, constant(Number(e.data!.clock ?? 0)));
  },
  cgroup_path: (cx, e, to) => {
    const filter = e.data?.filter;
    storeScalar(cx, to, 8, scalar(cx, e.arguments[0]));
    const index =
      filter === undefined || filter === "" ? ZERO : constant(cx.layout.string(String(filter)) + 1);
    storeScalar(cx, offsetBy(to, 8), 4, index);
    storeScalar(cx, offsetBy(to, 12), 4, ZERO);
  },
};

/** 4 or 16 bytes in network order, then zeros up to 16. */
function writeAddress(cx: Cx, e: TypedExpression, to: Place): void {
  if (isScalar(e.type) && e.type.kind !== "pointer") {
    storeScalar(cx, to, 4, scalar(cx, e));
    zeroBytes(cx, offsetBy(to, 4), 12);
    return;
  }
  const size = e.type.kind === "pointer" ? sizeOf(e.type.to) : sizeOf(e.type);
  const from = e.type.kind === "pointer" ? pointee(cx, e) : place(cx, e);
  copyBytes(cx, to, from, Math.min(size, 16));
  zeroBytes(cx, offsetBy(to, size), Math.max(0, 16 - size));
}

export function writeCall(cx: Cx, e: Call, to: Place): void {
  const row = WRITE[e.name];
  if (!row) throw new NotSupported(`${e.name}() cannot be compiled yet`, e.span);
  row(cx, e, to);
}

/** Calls for their effect only. */
export function callForEffect(cx: Cx, e: Call): void {
  if (SCALAR[e.name]) SCALAR[e.name](cx, e);
  else place(cx, e);
}
