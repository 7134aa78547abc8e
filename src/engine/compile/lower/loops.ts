/**
 * Loops. The verifier walks every turn of a plain loop, so only short ones of known length stay plain; the others are
 * callbacks of bpf_loop (5.17) and bpf_for_each_map_elem (5.13), which it walks once. A callback reaches the locals of
 * the function around it through that function's frame.
 */
import { constant, isConst, ONE, reg, type Value, ZERO } from "../ir/types.ts";
import type { Local, MapInfo, TypedStatement } from "../typed.ts";
import { isAggregation, sizeOf, type Type, tupleLayout } from "../types.ts";
import { readAggregation } from "./aggregations.ts";
import { Cx, FRAME } from "./context.ts";
import { probeIndex } from "./entry.ts";
import { condition, scalar, setLocal } from "./expressions.ts";
import { mapRef } from "./maps.ts";
import { copyBytes, offsetBy, storeScalar, zeroBytes } from "./memory.ts";
import { scalarSize } from "./shape.ts";
import { lowerBlock } from "./statements.ts";
import type { Target } from "./target.ts";
import { NotSupported } from "./unsupported.ts";
import { visitStatement } from "./walk.ts";

type Statement<O extends TypedStatement["op"]> = Extract<TypedStatement, { op: O }>;

/** What bpf_loop takes at most. */
const MAX_TURNS = 1 << 23;
const PLAIN_TURNS = 16n;

/** Whether a statement's body becomes a function of its own. */
export function isCallbackLoop(s: TypedStatement, target: Target): boolean {
  if (s.op === "for-map") return true;
  if (s.op === "while") return target.can("loop");
  if (s.op !== "for-range" || !target.can("loop")) return false;
  return !(s.start.op === "int" && s.end.op === "int" && s.end.value - s.start.value <= PLAIN_TURNS);
}

/** Leaves the program, out of any loop. */
export function leave(cx: Cx, value: Value): void {
  if (cx.outer) {
    cx.b.store(cx.outerFrame, FRAME.left, 8, ONE);
    cx.b.return(ONE);
  } else {
    cx.b.return(value);
  }
}

/** A function's body, put where it is called. */
export function lowerFunctionBody(cx: Cx, s: Statement<"function-body">): void {
  const end = cx.b.block("returned");
  cx.bodies.push({ id: s.id, end });
  cx.sometimes(() => lowerBlock(cx, s.body));
  cx.bodies.pop();
  cx.b.startBlock(end);
}

/** Goes to the end of a function's body: out of the callbacks of the loops on the way, too. */
export function leaveBody(cx: Cx, id: number): void {
  const body = cx.bodies.find((one) => one.id === id);
  if (body) {
    cx.b.jump(body.end);
    return;
  }
  cx.b.store(cx.outerFrame, FRAME.left, 8, constant(id));
  cx.b.return(ONE);
}

/** Ids of the bodies around, the innermost first. */
function bodiesAround(cx: Cx | undefined): number[] {
  return cx ? [...cx.bodies.map(({ id }) => id).reverse(), ...bodiesAround(cx.outer)] : [];
}

/** Fills a callback with `body`; the frame is its parameter number `frameParameter`. */
function makeCallback(cx: Cx, name: string, parameters: number, body: (inner: Cx) => void): string {
  const unique = `${name}_${cx.program.callbacks++}`;
  const inner = new Cx(cx.unit, cx.program, unique, "callback", parameters, cx);
  inner.b.span = cx.b.span;
  inner.outerFrame = inner.parameter(parameters - 1);
  inner.loops.push({ kind: "callback" });
  inner.preparePoint();
  body(inner);
  inner.finish();
  return unique;
}

/**
 * Makes the verifier forget the values of the numbers that a loop shares: it would follow a counter that starts at a
 * known value turn by turn, instead of walking the callback once for any value.
 */
function forgetValues(cx: Cx, s: Statement<"while" | "for-range" | "for-map">): void {
  const locals = new Set<Local>();
  visitStatement(s, { local: (local) => locals.add(local) });
  for (const local of locals) {
    if (local.type.kind !== "int" || !cx.program.captured.has(local) || !cx.knows(local)) continue;
    const { b } = cx;
    const zero = b.load(
      { kind: "map-value", map: cx.layout.globals.map, offset: cx.layout.unknownZero },
      0,
      8,
    );
    const at = cx.memoryOf(local);
    const size = scalarSize(local.type);
    b.store(at.base, at.offset, size, b.add(b.load(at.base, at.offset, size), zero));
  }
}

/** The frame, ready for callbacks. */
function openFrame(cx: Cx): Value {
  const frame = cx.needFrame();
  cx.b.store(frame, FRAME.parent, 8, cx.outer ? cx.outerFrame : ZERO);
  cx.b.store(frame, FRAME.context, 8, cx.context);
  cx.b.store(frame, FRAME.left, 8, ZERO);
  cx.b.store(frame, FRAME.probe, 8, cx.program.identity === "syscall" ? probeIndex(cx) : ZERO);
  return frame;
}

function closeFrame(cx: Cx, frame: Value): void {
  const left = cx.b.load(frame, FRAME.left, 8);
  const leaveAll = () => {
    for (const id of bodiesAround(cx)) cx.b.when("eq", left, constant(id), () => leaveBody(cx, id), true);
    leave(cx, ZERO);
  };
  cx.b.when("ne", left, ZERO, leaveAll, true);
}

export function lowerWhile(cx: Cx, s: Statement<"while">): void {
  cx.repeatedly(() => whileLoop(cx, s));
}

function whileLoop(cx: Cx, s: Statement<"while">): void {
  const { b } = cx;
  if (!isCallbackLoop(s, cx.target)) {
    const head = b.block("while");
    const body = b.block("do");
    const out = b.block("done");
    b.startBlock(head);
    condition(cx, s.condition, body, out);
    b.startBlock(body);
    cx.loops.push({ kind: "plain", next: head, out });
    lowerBlock(cx, s.body);
    cx.loops.pop();
    b.jump(head);
    b.startBlock(out);
    return;
  }
  const frame = openFrame(cx);
  forgetValues(cx, s);
  const name = makeCallback(cx, "while", 2, (inner) => {
    const go = inner.b.block("do");
    const stop = inner.b.block("stop");
    condition(inner, s.condition, go, stop);
    inner.b.startBlock(stop);
    inner.b.return(ONE);
    inner.b.startBlock(go);
    lowerBlock(inner, s.body);
  });
  b.call("loop", constant(MAX_TURNS), { kind: "function", name }, frame, ZERO);
  closeFrame(cx, frame);
}

export function lowerForRange(cx: Cx, s: Statement<"for-range">): void {
  // What the body does to variables that the range was given by changes nothing.
  const start = ownCopy(cx, scalar(cx, s.start));
  const end = ownCopy(cx, scalar(cx, s.end));
  cx.repeatedly(() => rangeLoop(cx, s, start, end));
}

function ownCopy(cx: Cx, value: Value): Value {
  if (isConst(value)) return value;
  const copy = cx.b.fresh();
  cx.b.assign(copy, value);
  return reg(copy);
}

function rangeLoop(cx: Cx, s: Statement<"for-range">, start: Value, end: Value): void {
  const { b } = cx;
  if (!isCallbackLoop(s, cx.target)) {
    const i = b.fresh();
    const head = b.block("for");
    const body = b.block("do");
    const next = b.block("next");
    const out = b.block("done");
    b.assign(i, start);
    b.startBlock(head);
    b.branch("slt", reg(i), end, body, out);
    b.startBlock(body);
    setLocal(cx, s.local, reg(i));
    cx.loops.push({ kind: "plain", next, out });
    lowerBlock(cx, s.body);
    cx.loops.pop();
    b.startBlock(next);
    b.assign(i, b.add(reg(i), 1));
    b.jump(head);
    b.startBlock(out);
    return;
  }
  const turns = b.fresh();
  b.assign(turns, b.alu("sub", end, start));
  b.when("sgt", reg(turns), ZERO, () => {
    b.when("gt", reg(turns), constant(MAX_TURNS), () => b.assign(turns, constant(MAX_TURNS)), true);
    const frame = openFrame(cx);
    forgetValues(cx, s);
    const first = isConst(start) ? start : undefined;
    const startWord = first ? 0 : cx.inFrame(8);
    if (!first) b.store(frame, startWord, 8, start);
    const name = makeCallback(cx, "for", 2, (inner) => {
      const from = first ?? inner.b.load(inner.outerFrame, startWord, 8);
      setLocal(inner, s.local, inner.b.add(from, inner.b.extend(inner.parameter(0), 4, false)));
      lowerBlock(inner, s.body);
    });
    b.call("loop", reg(turns), { kind: "function", name }, frame, ZERO);
    closeFrame(cx, frame);
  });
}

export function lowerForMap(cx: Cx, s: Statement<"for-map">): void {
  cx.repeatedly(() => mapLoop(cx, s));
}

/** What walking a map in the kernel takes. */
function needForEach(cx: Cx): void {
  if (cx.target.can("forEachMap")) return;
  throw new NotSupported(
    `walking a map in the kernel needs Linux 5.13, and this is ${cx.target.kernel.release}`,
    cx.b.span,
  );
}

function mapLoop(cx: Cx, s: Statement<"for-map">): void {
  needForEach(cx);
  const map = cx.layout.script(s.map);
  const frame = openFrame(cx);
  forgetValues(cx, s);
  const name = makeCallback(cx, "each", 4, (inner) => {
    const pair = s.local.type as Extract<Type, { kind: "tuple" }>;
    const { offsets, size } = tupleLayout(pair.elements);
    inner.home(s.local);
    const to = inner.memoryOf(s.local);
    const [keyType, valueType] = pair.elements;
    const keySize = sizeOf(keyType);
    copyBytes(inner, to, { base: inner.parameter(1), offset: 0, space: "bpf" }, keySize);
    zeroBytes(inner, offsetBy(to, keySize), offsets[1] - keySize);
    const valueAt = offsetBy(to, offsets[1]);
    if (isAggregation(s.map.value)) {
      storeScalar(
        inner,
        valueAt,
        scalarSize(valueType),
        readAggregation(inner, map, inner.parameter(1), valueType),
      );
    } else {
      copyBytes(inner, valueAt, { base: inner.parameter(2), offset: 0, space: "bpf" }, sizeOf(valueType));
    }
    const end = offsets[1] + sizeOf(valueType);
    zeroBytes(inner, offsetBy(to, end), size - end);
    lowerBlock(inner, s.body);
  });
  cx.b.call("for_each_map_elem", mapRef(map), { kind: "function", name }, frame, ZERO);
  closeFrame(cx, frame);
}

/** len(@m): the walk itself counts. */
export function countEntries(cx: Cx, info: MapInfo): Value {
  needForEach(cx);
  const frame = openFrame(cx);
  const name = makeCallback(cx, "count", 4, () => {});
  return cx.b.call(
    "for_each_map_elem",
    mapRef(cx.layout.script(info)),
    { kind: "function", name },
    frame,
    ZERO,
  );
}

export function lowerBreak(cx: Cx): void {
  const loop = cx.loops.at(-1);
  if (loop?.kind === "plain") cx.b.jump(loop.out);
  else cx.b.return(ONE);
}

export function lowerContinue(cx: Cx): void {
  const loop = cx.loops.at(-1);
  if (loop?.kind === "plain") cx.b.jump(loop.next);
  else cx.b.return(ZERO);
}
