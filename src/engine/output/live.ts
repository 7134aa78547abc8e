/** The names that printing asks of the machine it runs on: users, cgroups, clocks. Read when first asked for. */
import { clockNs, errnoText } from "libbpf-ts";
import type { Plan } from "../compile/plan.ts";
import { Cgroups } from "../containers/cgroups.ts";
import type { SymbolContext } from "../symbols/context.ts";
import type { ActionHost } from "./actions.ts";
import type { ClockId, OutputContext } from "./context.ts";
import { EFFECTS } from "./effects.ts";

const { readFileSync } = process.getBuiltinModule("node:fs");

/** uid → name, from /etc/passwd. */
function readUsers(): Map<number, string> {
  const users = new Map<number, string>();
  for (const line of readFileSync("/etc/passwd", "utf8").split("\n").reverse()) {
    const [name, , uid] = line.split(":");
    if (uid) users.set(Number(uid), name);
  }
  return users;
}

const CLOCKS = ["boottime", "monotonic", "tai"] as const;

export function liveContext(plan: Plan, symbols: SymbolContext): OutputContext {
  let users: Map<number, string> | undefined;
  const cgroups = new Cgroups();
  const offsets: (bigint | undefined)[] = [];
  return {
    kernel: (address) => symbols.kernel(address),
    user: (pid, address, probe) => symbols.user(pid, address, probe),
    stack: (map, id) => symbols.stack(map, id),
    strings: plan.strings,
    probes: plan.probes.map((probe) => probe.label ?? probe.name),
    truncationTrailer: plan.config.strTruncTrailer,
    username: (uid) => (users ??= readUsers()).get(uid),
    cgroupPath: (id, filter) => cgroups.pathOf(id, filter),
    realtime: (nanoseconds, clock: ClockId) => {
      offsets[clock] ??= clockNs("realtime") - clockNs(CLOCKS[clock]);
      return nanoseconds + offsets[clock];
    },
  };
}

/** What records ask of this machine when they are carried out. */
export const liveHost = (context: OutputContext): Omit<ActionHost, "complain"> => ({
  context,
  effects: EFFECTS,
  now: () => clockNs("realtime"),
  errorText: errnoText,
});
