/**
 * tracepoint:CATEGORY:EVENT. A syscall's tracepoint also says which syscall it is, so that code generation can serve it
 * through the two raw tracepoints of all syscalls.
 */
import { didYouMean, nearest } from "../check/nearest.ts";
import type { Kernel } from "../kernel.ts";
import type { Attach, Probe } from "../typed.ts";
import { NO_MATCH, type ProbeRequest, probe } from "./request.ts";
import { hasWildcard, wildcard } from "./wildcard.ts";

/** Tracepoints are named after the kernel's functions, which are not always named as the system call table does. */
const SYSCALL_ALIASES: Readonly<Record<string, string>> = {
  newfstat: "fstat",
  newstat: "stat",
  newlstat: "lstat",
  newfstatat: "fstatat",
  newuname: "uname",
  sendfile64: "sendfile",
  umount: "umount2",
};

/** A system call's number by the name that its tracepoints have. */
export const syscallNumber = (kernel: Kernel, name: string): number | undefined =>
  kernel.syscallNumber(name) ?? kernel.syscallNumber(SYSCALL_ALIASES[name] ?? "");

function syscallOf(
  request: ProbeRequest,
  category: string,
  event: string,
): { number: number; exit: boolean } | undefined {
  if (category !== "syscalls") return undefined;
  const match = /^sys_(enter|exit)_(.+)$/.exec(event);
  if (!match) return undefined;
  const number = syscallNumber(request.kernel, match[2]);
  return number === undefined ? undefined : { number, exit: match[1] === "exit" };
}

export function expandTracepoint(request: ProbeRequest): Probe[] {
  const { kernel } = request;
  // A wildcard alone is looked for in all categories.
  const parts =
    request.parts.length === 1 && hasWildcard(request.parts[0]) ? ["*", ...request.parts] : request.parts;
  if (parts.length !== 2 || parts.some((part) => !part)) {
    const event = parts.at(-1) ?? "";
    const homes = kernel.tracepointCategories().filter((c) => kernel.tracepoints(c).includes(event));
    request.report.error("probe-syntax", request.span, "a tracepoint is written tracepoint:CATEGORY:EVENT", {
      hint: homes.length
        ? `did you mean ${homes.map((c) => `tracepoint:${c}:${event}`).join(" or ")}?`
        : "for example tracepoint:sched:sched_switch; tracedeck list 'tracepoint:*' shows them",
    });
    return [];
  }
  const [category, event] = parts;
  const categories = kernel.tracepointCategories().filter(wildcard(category));
  const found: Probe[] = [];
  for (const home of categories)
    for (const name of kernel.tracepoints(home).filter(wildcard(event))) {
      const id = kernel.tracepointFormat(home, name)?.id;
      if (id === undefined) continue;
      const syscall = syscallOf(request, home, name);
      const attach: Attach = {
        kind: "tracepoint",
        category: home,
        event: name,
        id,
        ...(syscall ? { syscall } : {}),
      };
      found.push(probe(request, `tracepoint:${home}:${name}`, attach));
    }
  if (found.length === 0 && kernel.tracepointCategories().length === 0) {
    found.push(...unreadTracepoints(request, category, event));
  }
  if (found.length === 0) reportMissing(request, category, event, categories);
  return found;
}

/**
 * Who may not read tracefs still knows the events by the kernel's types, and the system calls by their table, but not what
 * they carry: such a script can be checked, not compiled.
 */
function unreadTracepoints(request: ProbeRequest, category: string, event: string): Probe[] {
  const { kernel } = request;
  const matches = wildcard(event);
  const syscall = /^sys_(?:enter|exit)_(.+)$/.exec(event)?.[1] ?? "";
  const isSyscall =
    category === "syscalls" && (hasWildcard(event) || syscallNumber(kernel, syscall) !== undefined);
  if (!isSyscall && !kernel.rawTracepoints().some(matches)) return [];
  request.report.warning(
    "tracepoint-unread",
    request.span,
    `only root can read what tracepoint:${category}:${event} carries: its arguments are not checked`,
  );
  return [probe(request, `tracepoint:${category}:${event}`, { kind: "tracepoint", category, event, id: 0 })];
}

function reportMissing(request: ProbeRequest, category: string, event: string, categories: string[]): void {
  const { kernel } = request;
  const all = kernel.tracepointCategories();
  if (all.length === 0) {
    request.missing(
      "no-tracepoints",
      "this kernel's tracepoints cannot be read",
      "only root may read them: use sudo. Root needs tracefs: mount -t tracefs nodev /sys/kernel/tracing",
    );
    return;
  }
  const wild = hasWildcard(category) || hasWildcard(event);
  const what = `tracepoint:${category}:${event}`;
  if (wild) {
    const list = `tracedeck list 'tracepoint:${categories.length > 0 ? category : "*"}:*'`;
    request.missing(NO_MATCH, `no tracepoint of this kernel matches ${what}`, `list them: ${list}`);
    return;
  }
  if (categories.length === 0) {
    const homes = all.filter((c) => kernel.tracepoints(c).includes(event));
    request.missing(
      "unknown-tracepoint",
      `there is no tracepoint category ${category} in this kernel`,
      homes.length
        ? `did you mean ${homes.map((c) => `tracepoint:${c}:${event}`).join(" or ")}?`
        : (didYouMean(category, all) ?? `list them: tracedeck list 'tracepoint:*'`),
    );
    return;
  }
  const near = nearest(event, kernel.tracepoints(category)).map((name) => `tracepoint:${category}:${name}`);
  const elsewhere = all
    .filter((c) => kernel.tracepoints(c).includes(event))
    .map((c) => `tracepoint:${c}:${event}`);
  const suggestions = elsewhere.length ? elsewhere : near;
  request.missing(
    "unknown-tracepoint",
    `there is no ${what} in this kernel`,
    suggestions.length
      ? `did you mean ${suggestions.join(" or ")}?`
      : `list them: tracedeck list 'tracepoint:${category}:*'`,
  );
}
