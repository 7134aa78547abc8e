/**
 * The task that has a number in the initial pid namespace: what bpf_task_from_pid() does, for every type of program.
 *
 *   current task → its struct pid → the initial namespace (its level 0) → idr: a radix tree of 64 slots per node, whose
 *   nodes are marked by 2 in their address's lowest bits → struct pid → tasks[PIDTYPE_PID] → pid_links of the task
 *
 * Programs run in RCU sections, so that nothing on the way is freed meanwhile; what is not there reads as zeros.
 */
import type { TaskLinks } from "../check/functions/task.ts";
import { constant, reg, type Value, ZERO } from "../ir/types.ts";
import type { Cx } from "./context.ts";
import { loadScalar } from "./memory.ts";

/** Pids have 22 bits at most (PID_MAX_LIMIT), a level of the tree 6. */
const LEVELS = 4;
const SLOT_BITS = 6;
const NODE_MARK = 2;

export function taskByPid(cx: Cx, pid: Value, at: TaskLinks): Value {
  const { b } = cx;
  const task = b.fresh();
  const none = b.block("no such task");
  const read = (base: Value, offset: number, size: 1 | 4 | 8 = 8) =>
    loadScalar(cx, { base, offset, space: "kernel" }, size, false);
  /** Goes on where the condition does not hold. */
  const leaveIf = (condition: "eq" | "ne" | "gt", left: Value, right: Value) => {
    const next = b.block("next");
    b.branch(condition, left, right, none, next);
    b.startBlock(next);
  };
  b.assign(task, ZERO);
  const own = read(b.call("get_current_task"), at.threadPid);
  const tree = b.add(read(own, at.numbers + at.namespace), at.idr);
  const index = b.alu("sub", pid, read(tree, at.base, 4));
  const entry = b.fresh();
  const shift = b.fresh();
  const found = b.block("found");
  b.assign(entry, read(tree, at.root + at.head));
  for (let level = 0; level < LEVELS; level++) {
    leaveIf("ne", b.alu("and", reg(entry), constant(3)), constant(NODE_MARK));
    b.assign(entry, b.alu("sub", reg(entry), constant(NODE_MARK)));
    b.assign(shift, read(reg(entry), at.shift, 1));
    let slot = b.alu("rsh", index, reg(shift));
    if (level === 0) leaveIf("gt", slot, constant((1 << SLOT_BITS) - 1));
    else slot = b.alu("and", slot, constant((1 << SLOT_BITS) - 1));
    b.assign(entry, read(b.add(reg(entry), b.alu("lsh", slot, constant(3))), at.slots));
    const deeper = b.block("deeper");
    b.branch("eq", reg(shift), ZERO, found, deeper);
    b.startBlock(deeper);
  }
  b.jump(none);
  b.startBlock(found);
  leaveIf("eq", reg(entry), ZERO);
  const link = read(reg(entry), at.tasks);
  leaveIf("eq", link, ZERO);
  b.assign(task, b.alu("sub", link, constant(at.pidLinks)));
  b.startBlock(none);
  return reg(task);
}
