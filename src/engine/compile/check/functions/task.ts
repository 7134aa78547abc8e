/**
 * comm(pid): the name of another process. The kernel keeps its processes by number in a radix tree, which programs of every
 * type may read; bpf_task_from_pid (6.2), which looks there as well, is forbidden to kprobes and uprobes.
 */
import type { TypedExpression, TypedStatement } from "../../typed.ts";
import { BOOL, int, type Type } from "../../types.ts";
import { findField, member } from "../access.ts";
import type { Context } from "../context.ts";
import { convert } from "../convert.ts";
import { isUnknown } from "../promote.ts";
import { type CallExpression, integer, op } from "./call.ts";

/** Where the tree and what hangs in it have their links: name, and the struct and member of it. */
const LINKS = {
  threadPid: ["task_struct", "thread_pid"],
  pidLinks: ["task_struct", "pid_links"],
  tasks: ["pid", "tasks"],
  numbers: ["pid", "numbers"],
  namespace: ["upid", "ns"],
  idr: ["pid_namespace", "idr"],
  root: ["idr", "idr_rt"],
  base: ["idr", "idr_base"],
  head: ["xarray", "xa_head"],
  shift: ["xa_node", "shift"],
  slots: ["xa_node", "slots"],
} as const;

export type TaskLinks = Record<keyof typeof LINKS, number>;

function taskLinks(cx: Context): TaskLinks | undefined {
  const offsets = Object.entries(LINKS).map(([link, [name, field]]) => {
    const struct = cx.script.definitions.struct(name, false);
    return [link, struct?.kind === "struct" ? findField(struct, field)?.offset : undefined] as const;
  });
  return offsets.some(([, offset]) => offset === undefined)
    ? undefined
    : (Object.fromEntries(offsets) as TaskLinks);
}

const NOBODY = "N/A";

/** A name, or "N/A" and a warning where no process has the number. */
export function commOf(call: CallExpression, cx: Context): TypedExpression {
  const { span } = call;
  const given = integer(call, 0, cx);
  if (isUnknown(given.type)) return given;
  const links = taskLinks(cx);
  const task = cx.script.definitions.struct("task_struct", false);
  if (!links || !task)
    return cx.fail(
      "not-here",
      span,
      "comm() of another process reads the kernel's table of processes, and its types (BTF) do not tell where that is",
      "keep names by pid: @name[pid] = comm",
    );
  const wanted: Type = int(4, false);
  const pointer: Type = { kind: "pointer", to: task, space: "kernel" };
  const pidLocal = { name: "", type: wanted, addressed: false, span };
  const taskLocal = { name: "", type: pointer, addressed: false, span };
  const pid: TypedExpression = { op: "local", local: pidLocal, type: wanted, span };
  const found: TypedExpression = { op: "local", local: taskLocal, type: pointer, span };
  const isNobody: TypedExpression = {
    op: "binary",
    operator: "==",
    left: found,
    right: { op: "int", value: 0n, type: pointer, span },
    type: BOOL,
    span,
  };
  const name = member(found, "comm", span, span, cx);
  const warning: TypedStatement = {
    op: "emit",
    action: { kind: "warnf", format: "there is no process %d" },
    arguments: [pid],
    span,
  };
  return {
    op: "block",
    body: {
      statements: [
        { op: "set-local", local: pidLocal, value: convert(given, wanted) ?? given, span },
        { op: "set-local", local: taskLocal, value: op("task", [pid], pointer, span, { ...links }), span },
        { op: "if", condition: isNobody, then: { statements: [warning] }, span },
      ],
      result: {
        op: "ternary",
        condition: isNobody,
        then: { op: "string", value: NOBODY, type: name.type, span },
        else: name,
        type: name.type,
        span,
      },
    },
    type: name.type,
    span,
  };
}
