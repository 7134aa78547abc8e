/** What can go wrong while a program runs: counted in the globals, and reported where the user asked for it (-k). */
import { constant, type Value, ZERO } from "../ir/types.ts";
import { int } from "../types.ts";
import type { Cx } from "./context.ts";
import { emitRecord } from "./emit.ts";
import type { ScriptMap } from "./layout.ts";

/** Adds to a counter in the globals, from any CPU. */
export function countGlobal(cx: Cx, offset: number): void {
  cx.b.atomicAdd({ kind: "map-value", map: cx.layout.globals.map, offset }, 0, 8, constant(1));
}

export function countMapFull(cx: Cx, map: ScriptMap): void {
  countGlobal(cx, cx.layout.globals.mapFull + 8 * map.index);
}

/** A string of `size` bytes with its NUL was as long as its room: it was cut, or just fits. */
export function countTruncated(cx: Cx, length: Value, size: number): void {
  cx.b.when("eq", length, constant(size), () => countGlobal(cx, cx.layout.globals.stringsTruncated), true);
}

/** A record of what went wrong. Arguments: the name of a helper or of one of the language's own errors, the result. */
export function reportError(cx: Cx, what: string, status: Value = ZERO): void {
  emitRecord(cx, { kind: "runtime-error" }, [
    {
      type: int(4, false),
      write: (place) => cx.b.store(place.base, place.offset, 4, constant(cx.layout.string(what))),
    },
    { type: int(8, true), write: (place) => cx.b.store(place.base, place.offset, 8, status) },
  ]);
}

/** What a map helper says: 0 or a negative error. Before Linux 6.4 it is an int, the upper half of the register anything. */
export function mapStatus(
  cx: Cx,
  helper: "map_update_elem" | "map_delete_elem",
  ...args: readonly Value[]
): Value {
  const { b } = cx;
  const status = b.call(helper, ...args);
  if (cx.target.can("longMapStatus")) return status;
  return b.alu("arsh", b.alu("lsh", status, constant(32)), constant(32));
}

/** With -k: a record when a helper's result is negative. */
export function checkHelper(cx: Cx, helper: string, status: Value): void {
  if (!cx.unit.options.warnHelperErrors) return;
  cx.b.when("slt", status, ZERO, () => reportError(cx, helper, status), true);
}
