/** How a program begins: is tracing on, is it meant, which of its probes fired. */
import { constant, type Value } from "../ir/types.ts";
import { userPid } from "./builtins.ts";
import { type Cx, FRAME } from "./context.ts";

/** Probes that the engine runs itself; nothing has to hold them back. */
const ALWAYS = new Set(["begin", "end", "self", "bench", "test"]);

export const runsAlways = (cx: Cx): boolean => ALWAYS.has(cx.program.probes[0].attach.kind);

/** Leaves at once unless the session is running. */
export function checkEnabled(cx: Cx): void {
  if (runsAlways(cx)) return;
  const { map, enabled } = cx.layout.globals;
  const flag = cx.b.load({ kind: "map-value", map, offset: enabled }, 0, 4);
  cx.b.when("eq", flag, constant(0), () => cx.b.return(), true);
}

/** Probes that fire for every process; the rest is attached to the process of -p alone, or belongs to none. */
const EVERY_PROCESS = new Set(["tracepoint", "rawtracepoint", "kprobe", "fentry"]);

/** With -p, leaves at once for other processes. */
export function checkProcess(cx: Cx): void {
  const { pid } = cx.unit.options;
  if (pid === undefined || !EVERY_PROCESS.has(cx.program.probes[0].attach.kind)) return;
  cx.b.when("ne", userPid(cx), constant(pid), () => cx.b.return(), true);
}

/** Index in the plan of the probe that fired. */
export function probeIndex(cx: Cx): Value {
  const { identity, probeIndices } = cx.program;
  switch (identity) {
    case "single":
      return constant(probeIndices[0]);
    case "cookie":
      return cx.b.call("get_attach_cookie", cx.context);
    case "syscall":
      return cx.syscall?.probe ?? cx.b.load(cx.outerFrame, FRAME.probe, 8);
  }
}

/**
 * An iterator's context points at its objects. They are missing in its last call, where there is nothing to do; checked
 * once, they are pointers that the verifier trusts.
 */
export function checkObjects(cx: Cx): void {
  const { attach } = cx.program.probes[0];
  if (attach.kind !== "iter") return;
  for (const field of cx.target.kernel.struct(`bpf_iter__${attach.target}`)?.fields ?? []) {
    if (field.type.kind !== "pointer" || field.name === "meta") continue;
    const object = cx.b.load(cx.context, field.offset, 8);
    cx.b.when("eq", object, constant(0), () => cx.b.return(), true);
    cx.objects.set(field.offset, object);
  }
}
