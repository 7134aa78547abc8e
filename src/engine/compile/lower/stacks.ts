/**
 * Stacks. Each different stack is kept once, in a hash map under a 63-bit hash of its frames; a stack value is s64 hash, u32
 * pid (user stacks), u32 index of the map. Equal kernel stacks of different processes are equal values. The kernel's own
 * stack-trace maps would refuse a stack whose slot another one has; here only a full map loses stacks.
 */
import { constant, reg, type Value, ZERO } from "../ir/types.ts";
import type { TypedExpression } from "../typed.ts";
import { stackFrameBytes, type Type } from "../types.ts";
import { arch, namedRegister } from "./arguments.ts";
import { userPid } from "./builtins.ts";
import type { Cx } from "./context.ts";
import { countGlobal, mapStatus } from "./errors.ts";
import { UPDATE_NOEXIST } from "./maps.ts";
import { addressOf, offsetBy, type Place, zeroBytes } from "./memory.ts";

export type StackType = Extract<Type, { kind: "stack" }>;

const USER_STACK = 1 << 8;
const USER_BUILD_ID = 1 << 11;
const EEXIST = 17;
const EFAULT = 14;
/** 2^64 divided by the golden ratio. */
const MULTIPLIER = constant(0x9e3779b97f4a7c15n);

const flagsOf = ({ space, mode }: StackType): Value =>
  constant(space === "kernel" ? 0 : mode === "build_id" ? USER_STACK | USER_BUILD_ID : USER_STACK);

/** How the frames of the current stack are found. */
export type ReadFrames = (cx: Cx, type: StackType, size: number) => Frames;

export function writeStack(cx: Cx, type: StackType, to: Place, read: ReadFrames = readFrames): void {
  const { b } = cx;
  const { map, index } = cx.layout.stackMap(type);
  const id = b.fresh();
  cx.scope(() => {
    const size = type.depth * stackFrameBytes(type);
    const { start, bytes } = read(cx, type, size);
    b.assign(id, bytes);
    const failed = b.block("no frames", true);
    const done = b.block("stored");
    const some = b.block("frames");
    b.branch("sgt", bytes, ZERO, some, failed);
    b.startBlock(some);
    b.assign(id, hashFrames(cx, start, bytes, size));
    const key = b.slot(8, "stack id");
    b.store(key, 0, 8, reg(id));
    const known = b.call("map_lookup_elem", { kind: "map", map }, key);
    b.when("eq", known, ZERO, () => keep(cx, map, key, start, id), true);
    b.jump(done);
    b.startBlock(failed);
    countFailure(cx, type, id);
    b.startBlock(done);
  });
  b.store(to.base, to.offset, 8, reg(id));
  b.store(to.base, to.offset + 8, 4, type.space === "user" ? userPid(cx) : ZERO);
  b.store(to.base, to.offset + 12, 4, constant(index));
}

export interface Frames {
  /** Address of the first. */
  start: Value;
  /** Bytes of all, 0 or an error. */
  bytes: Value;
}

/** The kernel's own walk, by frame pointers: bytes of frames, 0 or an error. */
export function kernelWalk(cx: Cx, type: StackType, to: Place, size: number): Value {
  // Raw tracepoints' get_stack was declared to read its buffer, too.
  if (to.base.kind === "slot" && !cx.target.can("readUnwritten")) zeroBytes(cx, to, size);
  return cx.b.call("get_stack", cx.context, addressOf(cx, to), constant(size), flagsOf(type));
}

export function readFrames(cx: Cx, type: StackType, size: number): Frames {
  const { b } = cx;
  const read = (to: Place) => kernelWalk(cx, type, to, size);
  if (!lacksCaller(cx, type)) {
    const frames = cx.temporary(size, "stack");
    return { start: addressOf(cx, frames), bytes: read(frames) };
  }
  // Room for one more frame stands before them.
  const room = cx.temporary(size + 8, "stack");
  const frames = offsetBy(room, 8);
  const start = b.fresh();
  const bytes = b.fresh();
  b.assign(bytes, read(frames));
  b.assign(start, addressOf(cx, frames));
  b.when("sgt", reg(bytes), ZERO, () => {
    const top = b.slot(8, "caller");
    const status = b.call("probe_read_user", top, constant(8), namedRegister(cx, arch(cx).stackPointer));
    b.when("eq", status, ZERO, () => {
      const caller = b.load(top, 0, 8);
      b.when("ne", b.load(frames.base, frames.offset + 8, 8), caller, () => {
        b.store(room.base, room.offset, 8, b.load(frames.base, frames.offset, 8));
        b.store(room.base, room.offset + 8, 8, caller);
        b.assign(start, addressOf(cx, room));
        b.when("slt", reg(bytes), constant(size), () => b.assign(bytes, b.add(reg(bytes), 8)));
      });
    });
  });
  return { start: reg(start), bytes: reg(bytes) };
}

/**
 * The kernel follows frame pointers. Where a function begins, that of its caller is still in the register, so that the
 * frame found first is the caller's caller: the caller's address is on top of the stack (x86-64).
 */
function lacksCaller(cx: Cx, { space, mode, depth }: StackType): boolean {
  if (cx.target.can("callerAtEntry") || arch(cx).linkRegister !== undefined) return false;
  return (
    space === "user" &&
    mode !== "build_id" &&
    depth > 1 &&
    cx.program.probes.every(({ attach: a }) => a.kind === "uprobe" && !a.return && !a.inside)
  );
}

/** Positive, so that it differs from the errors and from 0, the stack without frames. */
function hashFrames(cx: Cx, start: Value, bytes: Value, size: number): Value {
  const { b } = cx;
  const hash = b.fresh();
  const at = b.fresh();
  b.assign(hash, ZERO);
  b.assign(at, ZERO);
  const base = b.toReg(start);
  const head = b.block("hash");
  const out = b.block("hashed");
  b.startBlock(head);
  const word = b.load(b.add(reg(base), reg(at)), 0, 8);
  const mixed = b.alu("mul", b.alu("xor", reg(hash), word), MULTIPLIER);
  b.assign(hash, b.alu("xor", mixed, b.alu("rsh", mixed, constant(29))));
  b.assign(at, b.add(reg(at), 8));
  const more = b.block("more");
  b.branch("sge", reg(at), bytes, out, more);
  b.startBlock(more);
  b.branch("sge", reg(at), constant(size), out, head);
  b.startBlock(out);
  return b.alu("rsh", reg(hash), constant(1));
}

function keep(cx: Cx, map: number, key: Value, start: Value, id: number): void {
  const { b } = cx;
  const status = mapStatus(cx, "map_update_elem", { kind: "map", map }, key, start, constant(UPDATE_NOEXIST));
  countGlobal(cx, cx.layout.globals.stacksKept);
  b.when("slt", status, ZERO, () => {
    // Another CPU may have been quicker to keep the same stack.
    b.when("ne", status, constant(-EEXIST), () => {
      b.assign(id, status);
      countGlobal(cx, cx.layout.globals.stacksLost);
    });
  });
}

/** Kernel threads have no user stack, which older kernels tell by EFAULT; otherwise it means that no buffer was free. */
function countFailure(cx: Cx, type: StackType, id: number): void {
  const { b } = cx;
  b.when("slt", reg(id), ZERO, () => {
    if (type.space === "kernel") countGlobal(cx, cx.layout.globals.stacksLost);
    else b.when("ne", reg(id), constant(-EFAULT), () => countGlobal(cx, cx.layout.globals.stacksLost));
  });
}

/** Frames of the current stack. */
export function stackDepth(cx: Cx, e: TypedExpression, read: ReadFrames = readFrames): Value {
  const type = e.type as StackType;
  const size = type.depth * 8;
  const { bytes } = read(cx, { ...type, mode: "raw" }, size);
  const result = cx.b.fresh();
  cx.b.assign(result, ZERO);
  cx.b.when("sgt", bytes, ZERO, () => cx.b.assign(result, cx.b.alu("rsh", bytes, constant(3))));
  return { kind: "reg", reg: result };
}
