/**
 * Records for user space. A record is reserved in the ring and its arguments are written into it in place.
 *
 *   events ring    u32 action, u32 probe index, arguments
 *   control ring   u32 action, u32 probe index, u64 the events ring's producer position, arguments
 *
 * What steers the session (exit, clear, print of a map, errors) has a ring of its own, so that a flood of prints can't
 * hold it up; the position keeps the order.
 */
import { constant, type Value, ZERO } from "../ir/types.ts";
import type { PlannedAction } from "../plan.ts";
import type { EmitAction, TypedExpression, TypedStatement } from "../typed.ts";
import { sizeOf, type Type } from "../types.ts";
import type { Cx } from "./context.ts";
import { isPinned, probeIndex } from "./entry.ts";
import { countGlobal } from "./errors.ts";
import { hold, pointee, scalar, write } from "./expressions.ts";
import { leave } from "./loops.ts";
import { copyBytes, loadScalar, offsetBy, type Place, readString, storeScalar } from "./memory.ts";
import { lowerPinned } from "./pinned.ts";
import { isScalar, scalarSize } from "./shape.ts";
import { isPure } from "./walk.ts";

const NO_WAKEUP = 1;
const QUERY_PRODUCER_POSITION = 3;

const CONTROL = new Set<EmitAction["kind"]>(["exit", "clear", "zero", "print-map", "runtime-error"]);

export interface RecordArgument {
  type: Type;
  write: (place: Place) => void;
}

function planned(cx: Cx, action: EmitAction): PlannedAction {
  if ("map" in action) return { ...action, map: cx.layout.script(action.map).index } as PlannedAction;
  return action;
}

/** Reserves a record, has the arguments written, submits it. Nothing in between may leave the function. */
export function emitRecord(cx: Cx, action: EmitAction, args: RecordArgument[]): void {
  const { b, layout } = cx;
  const control = CONTROL.has(action.kind);
  const index = layout.action(
    planned(cx, action),
    args.map((a) => a.type),
    b.span ?? cx.program.action.span,
    control,
  );
  const plan = layout.actions[index];
  const events = layout.eventsMap();
  const position = control
    ? b.call("ringbuf_query", { kind: "map", map: events }, constant(QUERY_PRODUCER_POSITION))
    : undefined;
  const probe = probeIndex(cx);
  const ring: Value = { kind: "map", map: control ? layout.controlMap() : events };
  const record = b.call("ringbuf_reserve", ring, constant(plan.size), ZERO);
  const lost = b.block("ring full", true);
  const got = b.block("record");
  const after = b.block("after");
  b.branch("eq", record, ZERO, lost, got);
  b.startBlock(lost);
  countGlobal(cx, layout.globals.eventsLost);
  b.jump(after);
  b.startBlock(got);
  if (probe.kind === "const") {
    const header = (BigInt.asUintN(32, probe.value) << 32n) | BigInt(index);
    b.store(record, 0, 8, constant(header));
  } else {
    b.store(record, 0, 4, constant(index));
    b.store(record, 4, 4, probe);
  }
  if (position) b.store(record, 8, 8, position);
  cx.sometimes(() => {
    args.forEach((arg, i) => {
      arg.write({ base: record, offset: plan.arguments[i].offset, space: "bpf" });
    });
  });
  b.call("ringbuf_submit", record, constant(control ? 0 : NO_WAKEUP));
  b.startBlock(after);
}

/** An argument: written in place, unless one with effects of its own asks for all to be evaluated in order before. */
function recordArgument(
  cx: Cx,
  expression: TypedExpression,
  next: TypedExpression[],
  inPlace: boolean,
): RecordArgument {
  const { type } = expression;
  if (inPlace) return { type, write: (place) => cx.withPadding(false, () => write(cx, expression, place)) };
  if (isScalar(type)) {
    const value = hold(cx, scalar(cx, expression), ...next);
    return {
      type,
      write: (place) => storeScalar(cx, place, scalarSize(type), value),
    };
  }
  const temporary = cx.temporary(sizeOf(type), "argument");
  write(cx, expression, temporary);
  return { type, write: (place) => copyBytes(cx, place, temporary, sizeOf(type)) };
}

const JOINED = 16;

/** join(argv): up to 16 strings, the first empty one ends the list. */
function emitJoin(cx: Cx, statement: Extract<TypedStatement, { op: "emit" }>): void {
  const { b } = cx;
  const [argv] = statement.arguments;
  const list = pointee(cx, argv);
  const size = Math.min(cx.unit.typed.config.maxStrlen, 1024);
  const type: Type = { kind: "string", size };
  const args = Array.from(
    { length: JOINED },
    (_, i): RecordArgument => ({
      type,
      write: (place) => {
        b.store(place.base, place.offset, 1, ZERO);
        const pointer = loadScalar(cx, offsetBy(list, i * 8), 8, false);
        b.when("ne", pointer, ZERO, () => {
          readString(cx, place, constant(size), { base: pointer, offset: 0, space: list.space });
        });
      },
    }),
  );
  emitRecord(cx, statement.action, args);
}

export function lowerEmit(cx: Cx, statement: Extract<TypedStatement, { op: "emit" }>): void {
  const { action } = statement;
  if (isPinned(cx)) {
    lowerPinned(cx, statement);
    return;
  }
  if (action.kind === "join") {
    emitJoin(cx, statement);
    return;
  }
  const inPlace = statement.arguments.every(isPure);
  const args = statement.arguments.map((argument, i) =>
    recordArgument(cx, argument, statement.arguments.slice(i + 1), inPlace),
  );
  emitRecord(cx, action, args);
  if (action.kind === "exit") {
    cx.b.store(
      { kind: "map-value", map: cx.layout.globals.map, offset: cx.layout.globals.enabled },
      0,
      4,
      ZERO,
    );
    leave(cx, ZERO);
  }
}
