/**
 * dw_ustack(): the user stack, unwound by the tables that the engine puts into the kernel (`../unwindMaps.ts`). A process
 * without tables is walked by frame pointers, as ustack() does, and counted.
 *
 * One frame is a callback of bpf_loop (5.17), which the verifier walks once, where in a plain loop it would walk each of 127. The
 * state of a walk lies on the stack.
 */
import type { Builder } from "../ir/build.ts";
import { constant, ONE, reg, type Value, ZERO } from "../ir/types.ts";
import { SLOTS } from "../unwindMaps.ts";
import { arch, namedRegister } from "./arguments.ts";
import { userPid } from "./builtins.ts";
import { Cx } from "./context.ts";
import { countGlobal } from "./errors.ts";
import { addressOf, loadScalar, type Place, zeroBytes } from "./memory.ts";
import { UNASKED } from "./returnAddress.ts";
import { type Frames, kernelWalk, readFrames, type StackType } from "./stacks.ts";
import { NotSupported } from "./unsupported.ts";
import { STATE, unwindFrame } from "./unwindFrame.ts";

/** Room for frames: an index of seven bits stays in it. */
const ROOM = 128 * 8;
/** Turns that are no frames: a function with a uretprobe takes one more. */
const RETURNS = 32;
/** Probes whose context has the registers of user code whenever it was that which ran. */
const OF_USER_CODE = new Set(["uprobe", "usdt"]);
const INTERRUPTING = new Set(["profile", "interval", "software", "hardware", "watchpoint"]);

export function unwindFrames(cx: Cx, type: StackType, size: number): Frames {
  const { b } = cx;
  const kind = cx.program.probes[0].attach.kind;
  need(cx);
  // No process runs there but the tracer's own, and fewer helpers are at hand.
  if (kind === "bench") return readFrames(cx, type, size);
  const frames = cx.temporary(ROOM, "stack");
  const bytes = b.fresh();
  const done = b.block("walked");
  const lacking = b.block("no tables", true);
  const key = b.slot(8, "key");
  const pid = userPid(cx);
  b.store(key, 0, 8, pid);
  const slot = notNull(b, b.call("map_lookup_elem", mapOf(cx, "unwind_pids"), key), lacking);
  const index = b.load(slot, 0, 4);
  b.when("ge", index, constant(SLOTS), () => b.jump(lacking), true);
  b.store(key, 0, 8, index);
  const segments = notNull(b, b.call("map_lookup_elem", mapOf(cx, "unwind_maps"), key), lacking);
  zeroBytes(cx, frames, ROOM);
  const state = b.slot(STATE.size, "walk");
  b.store(state, STATE.segments, 8, segments);
  b.store(state, STATE.frames, 8, addressOf(cx, frames));
  // Numbers that the verifier does not know: it would follow each.
  const zero: Value = { kind: "map-value", map: cx.layout.globals.map, offset: cx.layout.unknownZero };
  const start = { back: 0, guessed: 0, count: 0, limit: type.depth, instance: UNASKED };
  for (const [word, value] of Object.entries(start))
    b.store(state, STATE[word as keyof typeof start], 8, b.add(b.load(zero, 0, 8), value));
  storeRegisters(cx, state);
  const callback: Value = { kind: "function", name: frameCallback(cx) };
  b.call("loop", constant(type.depth + RETURNS), callback, state, ZERO);
  b.assign(bytes, b.alu("lsh", b.load(state, STATE.count, 8), constant(3)));
  b.jump(done);
  b.startBlock(lacking);
  b.assign(bytes, kernelWalk(cx, type, frames, size));
  b.when("sgt", reg(bytes), ZERO, () => {
    const { globals } = cx.layout;
    countGlobal(cx, globals.unwind.lacking);
    b.store({ kind: "map-value", map: globals.map, offset: globals.unwind.pid }, 0, 8, pid);
  });
  b.startBlock(done);
  return { start: addressOf(cx, frames), bytes: reg(bytes) };
}

function need(cx: Cx): void {
  const { kernel } = cx.target;
  if (kernel.arch !== "x64")
    throw new NotSupported("dw_ustack() works on x86-64 only; ustack() follows frame pointers", cx.b.span);
  if (!cx.target.can("loop"))
    throw new NotSupported(
      `dw_ustack() needs Linux 5.17, and this is ${kernel.release}; ustack() follows frame pointers`,
      cx.b.span,
    );
}

const mapOf = (cx: Cx, name: Parameters<Cx["layout"]["unwindMap"]>[0]): Value => ({
  kind: "map",
  map: cx.layout.unwindMap(name),
});

/** The address, where it is none: goes on at `otherwise`. */
function notNull(b: Builder, address: Value, otherwise: ReturnType<Builder["block"]>): Value {
  const there = b.block("there");
  b.branch("eq", address, ZERO, otherwise, there);
  b.startBlock(there);
  return address;
}

const REGISTERS = [
  [STATE.pc, "ip"],
  [STATE.sp, "sp"],
  [STATE.bp, "bp"],
] as const;

/** Those of the user code: of the context, or those that it had when it entered the kernel. */
function storeRegisters(cx: Cx, state: Value): void {
  const { b } = cx;
  const { kind } = cx.program.probes[0].attach;
  const fromContext = () => {
    for (const [word, name] of REGISTERS) b.store(state, word, 8, namedRegister(cx, name));
  };
  const fromTask = () => {
    const regs = taskRegisters(cx);
    for (const [word, name] of REGISTERS) {
      const offset = regs.offset + arch(cx).registers[name];
      b.store(state, word, 8, loadScalar(cx, { ...regs, offset }, 8, false));
    }
  };
  if (OF_USER_CODE.has(kind)) fromContext();
  else if (!INTERRUPTING.has(kind)) fromTask();
  else {
    const after = b.block("registers");
    const own = b.block("of user code");
    const kernel = b.block("of the kernel");
    b.branch("set", namedRegister(cx, "cs"), constant(3), own, kernel);
    b.startBlock(own);
    fromContext();
    b.jump(after);
    b.startBlock(kernel);
    fromTask();
    b.startBlock(after);
  }
}

/** Where the current task's user registers are: at the end of its kernel stack. */
const taskRegisters = (cx: Cx): Place => ({
  base: cx.b.call("task_pt_regs", cx.b.call("get_current_task_btf")),
  offset: 0,
  space: "direct",
});

const CALLBACK = "unwind_frame";

/** One for all walks of a program. */
function frameCallback(cx: Cx): string {
  if (cx.program.functions.some(({ name }) => name === CALLBACK)) return CALLBACK;
  const inner = new Cx(cx.unit, cx.program, CALLBACK, "callback", 2);
  inner.b.span = cx.b.span;
  unwindFrame(inner, inner.parameter(1), {
    stop: () => inner.b.return(ONE),
    next: () => inner.b.return(ZERO),
  });
  inner.finish();
  return CALLBACK;
}
