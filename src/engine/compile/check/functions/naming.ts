/**
 * Numbers shown by name: errors, signals, system calls. The value stays a number, as enum constants do, and user space
 * prints its name; a constant becomes the text itself.
 */
import type { Kernel } from "../../kernel.ts";
import { syscallNumber } from "../../probes/tracepoint.ts";
import { ERRORS, SIGNAL_TEXTS } from "../../tables/texts.ts";
import { type EnumType, int } from "../../types.ts";
import type { Context } from "../context.ts";
import { convert } from "../convert.ts";
import { isUnknown } from "../promote.ts";
import { type CheckValue, integer } from "./call.ts";

const naming =
  (name: string, namesOf: (cx: Context) => ReadonlyMap<bigint, string>): CheckValue =>
  (call, cx) => {
    const value = integer(call, 0, cx);
    if (isUnknown(value.type)) return value;
    const names = namesOf(cx);
    const known = value.op === "int" ? names.get(value.value) : undefined;
    if (known !== undefined) return cx.string(known, call.span);
    const type: EnumType = { name, names };
    const number = convert(value, int(4, true))!;
    return { ...number, type: { ...int(4, true), enum: type }, span: call.span };
  };

const syscalls = new WeakMap<Kernel, ReadonlyMap<bigint, string>>();

function syscallNames({ kernel }: Context): ReadonlyMap<bigint, string> {
  let names = syscalls.get(kernel);
  if (!names) {
    const found = new Map<bigint, string>();
    for (const event of kernel.tracepoints("syscalls")) {
      const name = event.startsWith("sys_enter_") ? event.slice("sys_enter_".length) : undefined;
      const number = name && syscallNumber(kernel, name);
      if (name && typeof number === "number") found.set(BigInt(number), name);
    }
    names = found;
    syscalls.set(kernel, names);
  }
  return names;
}

export const strerror = naming("error", () => ERRORS);
export const signalName = naming("signal", () => SIGNAL_TEXTS);
export const syscallName = naming("syscall", syscallNames);
