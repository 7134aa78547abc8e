/**
 * Stacks. The kernel keeps the frames in a stack-trace map and gives an id; a stack value is s64 id, u32 pid (user
 * stacks), u32 index of the map. Equal kernel stacks of different processes are equal values.
 */
import { constant, type Value, ZERO } from "../ir/types.ts";
import type { TypedExpression } from "../typed.ts";
import type { Type } from "../types.ts";
import { userPid } from "./builtins.ts";
import type { Cx } from "./context.ts";
import { countGlobal } from "./errors.ts";
import { addressOf, type Place } from "./memory.ts";

const USER_STACK = 1 << 8;
const EEXIST = 17;

export function writeStack(cx: Cx, type: Extract<Type, { kind: "stack" }>, to: Place): void {
  const { b } = cx;
  const { map, index } = cx.layout.stackMap(type);
  const user = type.space === "user";
  const id = b.call("get_stackid", cx.context, { kind: "map", map }, constant(user ? USER_STACK : 0));
  // Another stack has this one's place.
  b.when("eq", id, constant(-EEXIST), () => countGlobal(cx, cx.layout.globals.stacksLost), true);
  b.store(to.base, to.offset, 8, id);
  b.store(to.base, to.offset + 8, 4, user ? userPid(cx) : ZERO);
  b.store(to.base, to.offset + 12, 4, constant(index));
}

/** Frames of the current stack. */
export function stackDepth(cx: Cx, e: TypedExpression): Value {
  const type = e.type as Extract<Type, { kind: "stack" }>;
  const size = type.depth * 8;
  const at = cx.temporary(size, "stack");
  const flags = constant(type.space === "user" ? USER_STACK : 0);
  const bytes = cx.b.call("get_stack", cx.context, addressOf(cx, at), constant(size), flags);
  const result = cx.b.fresh();
  cx.b.assign(result, ZERO);
  cx.b.when("sgt", bytes, ZERO, () => cx.b.assign(result, cx.b.alu("rsh", bytes, constant(3))));
  return { kind: "reg", reg: result };
}
