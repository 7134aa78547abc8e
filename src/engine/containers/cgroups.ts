/** Cgroups by their ids: an id is the inode of the cgroup's directory. Hierarchies are read when first asked for. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename } from "node:path";
import { monotonicMs } from "../clock.ts";

interface Hierarchy {
  name: string;
  root: string;
  /** Cgroup id → path below the root. */
  paths: Map<bigint, string>;
}

/** An id that is not there is not looked for again for so many milliseconds. */
const MISSING_FOR = 1000;
const MOST_MISSING = 10_000;

/** Mounted hierarchies: "unified" for version 2 first, then version 1 by controller. */
function cgroupHierarchies(): Hierarchy[] {
  const named = readFileSync("/proc/mounts", "utf8")
    .split("\n")
    .map((line) => line.split(" "))
    .filter(([, , type]) => type === "cgroup" || type === "cgroup2")
    .map(([, root, type]) => ({
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

export class Cgroups {
  #hierarchies: Hierarchy[] | undefined;
  /** When an id was last looked for in vain, by hierarchy and id. */
  #missing = new Map<string, number>();

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
    this.#hierarchies ??= cgroupHierarchies();
    return this.#hierarchies;
  }

  #find(hierarchy: Hierarchy, id: bigint): string | undefined {
    const known = hierarchy.paths.get(id);
    if (known !== undefined) return known;
    const key = `${hierarchy.name} ${id}`;
    const now = monotonicMs();
    if (now - (this.#missing.get(key) ?? Number.NEGATIVE_INFINITY) < MISSING_FOR) return undefined;
    readPaths(hierarchy);
    const path = hierarchy.paths.get(id);
    if (path === undefined) {
      if (this.#missing.size >= MOST_MISSING) this.#missing.clear();
      this.#missing.set(key, now);
    }
    return path;
  }
}
