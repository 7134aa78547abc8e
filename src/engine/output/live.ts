/** The names that printing asks of the machine it runs on: users, cgroups, clocks. Read when first asked for. */
import { clockNs } from "libbpf-ts";
import type { Plan } from "../compile/plan.ts";
import type { SymbolContext } from "../symbols/context.ts";
import type { ClockId, OutputContext } from "./context.ts";

const { readdirSync, readFileSync, statSync } = process.getBuiltinModule("node:fs");
const { basename } = process.getBuiltinModule("node:path");

/** uid → name, from /etc/passwd. */
function readUsers(): Map<number, string> {
  const users = new Map<number, string>();
  for (const line of readFileSync("/etc/passwd", "utf8").split("\n").reverse()) {
    const [name, , uid] = line.split(":");
    if (uid) users.set(Number(uid), name);
  }
  return users;
}

interface Hierarchy {
  name: string;
  root: string;
  /** Inode, which is the cgroup's id, → path below the root. */
  paths: Map<bigint, string>;
}

/** Mounted hierarchies: "unified" for version 2 first, then version 1 by controller. */
function cgroupHierarchies(): Hierarchy[] {
  const mounts = readFileSync("/proc/mounts", "utf8")
    .split("\n")
    .map((line) => line.split(" "))
    .filter(([, , type]) => type === "cgroup" || type === "cgroup2")
    .map(([, root, type]) => ({ root, type }));
  const named = mounts.map(({ root, type }) => ({
    name: type === "cgroup2" ? "unified" : basename(root),
    root,
    paths: new Map<bigint, string>(),
  }));
  const order = (h: Hierarchy) => (h.name === "unified" ? "" : h.name);
  return named.sort((a, b) => (order(a) < order(b) ? -1 : 1));
}

function readPaths(hierarchy: Hierarchy): void {
  const visit = (path: string) => {
    const directory = hierarchy.root + path;
    try {
      hierarchy.paths.set(statSync(directory, { bigint: true }).ino, path || "/");
      for (const entry of readdirSync(directory, { withFileTypes: true })) {
        if (entry.isDirectory()) visit(`${path}/${entry.name}`);
      }
    } catch {
      // Cgroups come and go while they are read.
    }
  };
  visit("");
}

const globPattern = (glob: string): RegExp =>
  new RegExp(`^${glob.replace(/[.+^${}()|[\]\\?]/g, "\\$&").replaceAll("*", ".*")}$`);

class Cgroups {
  #hierarchies: Hierarchy[] | undefined;

  pathOf(id: bigint, filter: string): string {
    this.#hierarchies ??= cgroupHierarchies();
    const pattern = globPattern(filter);
    return this.#hierarchies
      .filter(({ name }) => pattern.test(name))
      .flatMap((hierarchy) => {
        if (!hierarchy.paths.has(id)) readPaths(hierarchy);
        const path = hierarchy.paths.get(id);
        return path === undefined ? [] : [`${hierarchy.name}:${path}`];
      })
      .join(",");
  }
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
    probes: plan.probes.map((probe) => probe.name),
    truncationTrailer: plan.config.strTruncTrailer,
    username: (uid) => (users ??= readUsers()).get(uid),
    cgroupPath: (id, filter) => cgroups.pathOf(id, filter),
    realtime: (nanoseconds, clock: ClockId) => {
      offsets[clock] ??= clockNs("realtime") - clockNs(CLOCKS[clock]);
      return nanoseconds + offsets[clock];
    },
  };
}
