/** What is of the language, or looks like it, and is not here: refused by name, with what to do instead. */
import type { Span } from "../diagnostic.ts";
import type { Context } from "./context.ts";

/** Functions and builtins of the language. */
const UNSUPPORTED_FUNCTIONS: Readonly<Record<string, string>> = {
  debugf: "printf() prints",
  unwatch: "a watchpoint stays until the script ends: exit() ends it",
  nop: "leave it out: an empty action does as little",
};

/** A word of the language that is not here: says so, and what to do instead. False: it is none. */
export function refusedByName(name: string, span: Span, cx: Context): boolean {
  if (!Object.hasOwn(UNSUPPORTED_FUNCTIONS, name)) return false;
  cx.error("not-supported", span, `not supported yet: ${name}()`, UNSUPPORTED_FUNCTIONS[name]);
  return true;
}

/** By how the names of the kernel's functions begin. */
const KERNEL_FUNCTIONS: readonly [prefix: string, hint: string][] = [
  ["bpf_task", "curtask is the current task; iter:task visits all of them, and ctx.task->pid tells which"],
  ["bpf_cgroup", "cgroup is the current task's, cgroupid() gives that of a path; iter:cgroup visits all"],
  ["bpf_iter_", "an iter probe runs once for each object: tracedeck list iter"],
];

/** What a script does instead of calling a function of the kernel. */
export const insteadOfCalling = (name: string): string =>
  KERNEL_FUNCTIONS.find(([prefix]) => name.startsWith(prefix))?.[1] ??
  "read what it would give from curtask, args or a pointer cast to its struct";
