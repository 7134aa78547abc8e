/**
 * Where a function with a uretprobe really returns to. The kernel has put the address of a page of its own in the return
 * address's place, and keeps what was there in a list, the innermost call first:
 *
 *   task_struct.utask → uprobe_task.return_instances → return_instance { stack, orig_ret_vaddr, next }
 *
 * A walk meets the calls in that order, so it goes through the list once, an instance each time that it is asked.
 */
import { constant, reg, type Value, ZERO } from "../ir/types.ts";
import type { Cx } from "./context.ts";
import { loadScalar } from "./memory.ts";

/** What stands for the list's head in a walk that has not asked yet. */
export const UNASKED = 1;

interface Instance {
  /** Address behind the call, 0 where it is another frame's. */
  caller: Value;
  /** Address of the instance to ask next, 0 at the end. */
  next: Value;
}

/** The instance at an address, or the first one; undefined: the kernel has no such list. `sp`: behind the return address. */
export function returnInstance(cx: Cx, address: Value, sp: Value): Instance | undefined {
  const { b } = cx;
  const offsetOf = (struct: string, name: string): number | undefined =>
    cx.target.kernel.struct(struct)?.fields.find((field) => field.name === name)?.offset;
  const offsets = [
    offsetOf("task_struct", "utask"),
    offsetOf("uprobe_task", "return_instances"),
    offsetOf("return_instance", "stack"),
    offsetOf("return_instance", "orig_ret_vaddr"),
    offsetOf("return_instance", "next"),
  ];
  if (offsets.includes(undefined)) return undefined;
  const [utask, list, stack, original, next] = offsets as number[];
  const read = (base: Value, offset: number) => loadScalar(cx, { base, offset, space: "kernel" }, 8, false);
  const instance = b.fresh();
  b.assign(instance, address);
  b.when("eq", address, constant(UNASKED), () => {
    b.assign(instance, read(read(b.call("get_current_task"), utask), list));
  });
  const caller = b.fresh();
  b.assign(caller, ZERO);
  b.when("eq", b.add(read(reg(instance), stack), 8), sp, () => {
    b.assign(caller, read(reg(instance), original));
  });
  return { caller: reg(caller), next: read(reg(instance), next) };
}
