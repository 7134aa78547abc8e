/**
 * Cgroups by their ids: an id is the inode of the cgroup's directory, and is not given to another. Hierarchies are read when
 * first asked for, and again for an id that is new.
 */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename } from "node:path";
import { cpuMs, monotonicMs } from "../clock.ts";

interface Hierarchy {
  name: string;
  root: string;
  /** Cgroup id → path below the root. */
  paths: Map<bigint, string>;
  /** Ids that were asked for and not there: of cgroups that are gone. */
  missing: Set<bigint>;
}

const MOST_PATHS = 100_000;
const MOST_MISSING = 100_000;
/** Many ids of cgroups that are gone: looking for them may take this part of a CPU, and so many milliseconds of it at once. */
const SHARE = 20;
const MOST_AT_ONCE = 200;

/** Mounted hierarchies: "unified" for version 2 first, then version 1 by controller. */
function cgroupHierarchies(mounts: string): Hierarchy[] {
  const named = readFileSync(mounts, "utf8")
    .split("\n")
    .map((line) => line.split(" "))
    .filter(([, , type]) => type === "cgroup" || type === "cgroup2")
    .map(([, root, type]) => ({
      name: type === "cgroup2" ? "unified" : basename(root),
      root,
      paths: new Map<bigint, string>(),
      missing: new Set<bigint>(),
    }));
  const order = (h: Hierarchy) => (h.name === "unified" ? "" : h.name);
  return named.sort((a, b) => (order(a) < order(b) ? -1 : 1));
}

function readPaths(hierarchy: Hierarchy): void {
  if (hierarchy.paths.size > MOST_PATHS) hierarchy.paths.clear();
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

export class Cgroups {
  readonly #mounts: string;
  #hierarchies: Hierarchy[] | undefined;
  /** Milliseconds of CPU that reading may take now, and when that was reckoned. */
  #credit = MOST_AT_ONCE;
  #credited = 0;

  /** `mounts`: a list of what is mounted, as the kernel gives it. */
  constructor(mounts = "/proc/mounts") {
    this.#mounts = mounts;
  }

  /** "unified:/path,cpu:/path": in every hierarchy whose name matches the filter. */
  pathOf(id: bigint, filter: string): string {
    const pattern = globPattern(filter);
    return this.#all()
      .filter(({ name }) => pattern.test(name))
      .flatMap((hierarchy) => {
        const path = this.#find(hierarchy, id);
        return path === undefined ? [] : [`${hierarchy.name}:${path}`];
      })
      .join(",");
  }

  /** Path of a cgroup of version 2, below its root. */
  unifiedPath(id: bigint): string | undefined {
    const unified = this.#all().find(({ name }) => name === "unified");
    return unified && this.#find(unified, id);
  }

  #all(): Hierarchy[] {
    this.#hierarchies ??= cgroupHierarchies(this.#mounts);
    return this.#hierarchies;
  }

  #find(hierarchy: Hierarchy, id: bigint): string | undefined {
    const known = hierarchy.paths.get(id);
    if (known !== undefined) return known;
    if (hierarchy.missing.has(id)) return undefined;
    const now = monotonicMs();
    this.#credit = Math.min(MOST_AT_ONCE, this.#credit + (now - this.#credited) / SHARE);
    this.#credited = now;
    if (this.#credit <= 0) return undefined;
    const before = cpuMs();
    readPaths(hierarchy);
    this.#credit -= cpuMs() - before;
    const path = hierarchy.paths.get(id);
    if (path === undefined) {
      if (hierarchy.missing.size >= MOST_MISSING) hierarchy.missing.clear();
      hierarchy.missing.add(id);
    }
    return path;
  }
}
