/** How a program begins: is tracing on, is it meant, which of its probes fired. */
import { constant, type Value } from "../ir/types.ts";
import { childPid, userPid } from "./builtins.ts";
import { type Cx, FRAME } from "./context.ts";
import { NotSupported } from "./unsupported.ts";

/** Probes that the engine runs itself; nothing has to hold them back. */
const ALWAYS = new Set(["begin", "end", "self", "bench", "test"]);

export const runsAlways = (cx: Cx): boolean => ALWAYS.has(cx.program.probes[0].attach.kind);

/** Leaves at once unless the session is running. */
export function checkEnabled(cx: Cx): void {
  if (runsAlways(cx) || isPinned(cx)) return;
  const { map, enabled } = cx.layout.globals;
  const flag = cx.b.load({ kind: "map-value", map, offset: enabled }, 0, 4);
  cx.b.when("eq", flag, constant(0), () => cx.b.return(), true);
}

/** An iterator that is left in the BPF filesystem, and run by whoever reads its file. */
export const isPinned = ({ program }: Cx): boolean => {
  const { attach } = program.probes[0];
  return attach.kind === "iter" && attach.pin !== undefined;
};

/** Whether an iterator walks tasks, or what tasks have. */
const isOfTasks = (target: string) => target.startsWith("task");

/** The file that an iterator writes to: the context begins with struct bpf_iter_meta, and that with the file. */
export const iterationFile = (cx: Cx): Value => cx.b.load(cx.b.load(cx.context, 0, 8), 0, 8);

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

/** With -p or -c, leaves at once for other processes' tasks, where the kernel can't keep an iterator to one process (before 6.1). */
export function checkTask(cx: Cx): void {
  const { attach } = cx.program.probes[0];
  const { kernel, ofProcess } = cx.target;
  if (!ofProcess || attach.kind !== "iter" || !isOfTasks(attach.target)) return;
  if (cx.target.can("iterOfProcess")) return;
  if (kernel.pidNamespace)
    throw new NotSupported(
      `in a pid namespace, iterators of one process need Linux 6.1, and this is ${kernel.release}`,
      cx.b.span,
    );
  const offsetOf = (struct: string, name: string) =>
    kernel.struct(struct)?.fields.find((field) => field.name === name)?.offset;
  const task = cx.objects.get(offsetOf(`bpf_iter__${attach.target}`, "task")!)!;
  const tgid = cx.b.load(task, offsetOf("task_struct", "tgid")!, 4);
  const { pid } = cx.unit.options;
  const wanted = pid === undefined ? childPid(cx) : constant(pid);
  cx.b.when("ne", tgid, wanted, () => cx.b.return(), true);
}

/**
 * Writes a byte for each element, so that reading so many bytes is walking so many elements: their records are taken out
 * of the ring before it is full.
 */
export function countElement(cx: Cx): void {
  if (cx.program.probes[0].attach.kind !== "iter" || isPinned(cx)) return;
  cx.scope(() => {
    const byte = cx.b.slot(8, "element");
    cx.b.store(byte, 0, 8, constant(0));
    cx.b.call("seq_write", iterationFile(cx), byte, constant(1));
  });
}
