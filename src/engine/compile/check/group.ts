/**
 * Which probes of an action one program can serve: those of one type whose arguments, as far as the body uses them, lie
 * alike. The body is read once for what it uses; nothing is checked here.
 */
import type { ActionBlock, Expression } from "../ast.ts";
import type { ProbeTypeRow } from "../tables/probeTypes.ts";
import type { Probe } from "../typed.ts";
import { argumentNames, argumentSignature, hasNumbered, retvalSignature, usdtSpecs } from "./arguments.ts";
import type { Context, ProbeGroup } from "./context.ts";

/** What a body uses of its probe. */
interface Uses {
  fields: Set<string>;
  numbers: Set<number>;
  /** `args` as a whole. */
  all: boolean;
  retval: boolean;
  /** `probe` or `func` where its text matters, not only to be shown or kept. */
  names: boolean;
  /** Types by name, which each program has its own of. */
  types: boolean;
}

/** Functions that take a probe's name as it is. */
const SHOWING = new Set(["printf", "print", "cat", "system", "errorf", "warnf"]);

export function usesOf(action: ActionBlock): Uses {
  const uses: Uses = {
    fields: new Set(),
    numbers: new Set(),
    all: false,
    retval: false,
    names: false,
    types: false,
  };
  if (action.predicate) visit(action.predicate, uses, undefined);
  visit(action.body, uses, undefined);
  return uses;
}

const nameOf = (node: object): string | undefined => {
  const e = node as Expression;
  if (e.kind === "identifier") return e.name.replace(/^__builtin_/, "");
  return e.kind === "call" && e.arguments.length === 0 ? e.name.replace(/^__builtin_/, "") : undefined;
};

function visit(node: unknown, uses: Uses, parent: Expression | undefined): void {
  if (Array.isArray(node)) {
    for (const item of node) visit(item, uses, parent);
    return;
  }
  if (typeof node !== "object" || node === null) return;
  const e = node as Expression;
  const name = nameOf(e);
  if ("type" in e && typeof e.type === "object" && "base" in e.type) uses.types = true;
  // Addresses in the binary are as far from the probe as in the file: another distance for each probe.
  if (e.kind === "call" && e.name === "uaddr") uses.names = true;
  if (name) note(name, uses, parent);
  if (e.kind === "field" && nameOf(e.base) === "args") {
    uses.fields.add(e.name);
    return;
  }
  for (const [key, value] of Object.entries(e))
    if (typeof value === "object" && key !== "span") visit(value, uses, "kind" in e ? e : parent);
}

function note(name: string, uses: Uses, parent: Expression | undefined): void {
  const number = /^arg(\d+)$/.exec(name);
  if (number) uses.numbers.add(Number(number[1]));
  else if (name === "args") uses.all = true;
  else if (name === "retval") uses.retval = true;
  else if ((name === "probe" || name === "func") && parent) {
    if (parent.kind === "binary" || (parent.kind === "call" && !SHOWING.has(parent.name))) uses.names = true;
  }
}

function signature(probe: Probe, uses: Uses, cx: Context): string {
  const { attach } = probe;
  const parts: string[] = [];
  if (attach.kind === "tracepoint") {
    const syscall = attach.category === "syscalls";
    parts.push(syscall ? (attach.syscall ? `syscall-${attach.syscall.exit}` : "syscall") : "");
  }
  if (uses.names) parts.push(probe.name);
  const fields = uses.all ? argumentNames(probe, cx) : [...uses.fields];
  for (const field of fields) parts.push(`${field}=${argumentSignature(probe, field, cx)}`);
  for (const number of uses.numbers) if (!hasNumbered(probe, number, cx)) parts.push(`no arg${number}`);
  if (uses.retval) parts.push(retvalSignature(probe, cx));
  if (attach.kind === "usdt") {
    const specs = usdtSpecs(probe);
    for (const number of uses.numbers) parts.push(specs[number] ?? "");
  }
  if (uses.types && (attach.kind === "uprobe" || attach.kind === "usdt")) parts.push(attach.path);
  if (attach.kind === "iter") parts.push(attach.target);
  return parts.join("|");
}

/** Groups in the order of their first probes. `cxFor` gives a context that can answer for a probe. */
export function groupProbes(
  row: ProbeTypeRow,
  probes: readonly Probe[],
  uses: Uses,
  cxFor: (group: ProbeGroup) => Context,
): ProbeGroup[] {
  const groups = new Map<string, ProbeGroup>();
  const counts = row.name === "usdt" ? probes.map((probe) => usdtSpecs(probe).length) : [];
  const most = counts.length > 0 ? { mostArguments: Math.max(...counts) } : {};
  for (const probe of probes) {
    const cx = cxFor({ row, probes: [probe], named: false });
    const key = signature(probe, uses, cx);
    const group = groups.get(key);
    if (group) group.probes.push(probe);
    else groups.set(key, { row, probes: [probe], named: uses.names, ...most });
  }
  return [...groups.values()];
}
