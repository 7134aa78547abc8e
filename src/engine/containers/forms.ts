/**
 * What a cgroup's path tells of its container. Runtimes name a container's cgroup after its id, each in its own way:
 *
 *   docker-<id>.scope   /docker/<id>   cri-containerd-<id>.scope   crio-<id>.scope   libpod-<id>.scope
 *   /kubepods/burstable/pod<uid>/<id>   …-pod<uid>.slice/cri-containerd-<id>.scope   /ecs/<task>/<id>
 *   /lxc/<name>   lxc.payload.<name>   machine-<name>.scope   systemd-nspawn@<name>.service
 *
 * Where none of them is in the path, the unit of systemd is the next best name.
 */

export interface CgroupOwner {
  kind: "container" | "unit";
  runtime:
    | "docker"
    | "containerd"
    | "cri-o"
    | "podman"
    | "lxc"
    | "nspawn"
    | "machine"
    | "ecs"
    | "systemd"
    | "unknown";
  /** Of a container: what its runtime knows it by. Of a unit: its name. */
  id: string;
  /** Uid of the Kubernetes pod that it belongs to. */
  pod?: string;
  /** Uid of the user in whose session a runtime without root runs it. */
  user?: number;
}

interface Form {
  /** Against one part of the path; the first group is the id. */
  part: RegExp;
  runtime: CgroupOwner["runtime"];
  kind?: CgroupOwner["kind"];
  /** Against the part before. */
  below?: RegExp;
  /** The id is written as systemd escapes names: "\x2d" for "-". */
  escaped?: boolean;
}

const ID = "([0-9a-f]{64})";

const FORMS: readonly Form[] = [
  { part: new RegExp(`^docker-${ID}\\.scope$`), runtime: "docker" },
  { part: new RegExp(`^cri-containerd-${ID}\\.scope$`), runtime: "containerd" },
  { part: new RegExp(`^(?:nerdctl|containerd)-${ID}\\.scope$`), runtime: "containerd" },
  { part: new RegExp(`^crio-${ID}(?:\\.scope)?$`), runtime: "cri-o" },
  { part: new RegExp(`^libpod-${ID}(?:\\.scope)?$`), runtime: "podman" },
  { part: new RegExp(`^[\\w.-]+:cri-containerd:${ID}$`), runtime: "containerd" },
  { part: new RegExp(`^${ID}$`), below: /^docker$/, runtime: "docker" },
  {
    part: /^([0-9a-f]{32}-\d+|[0-9a-f]{64})$/,
    below: /^(?:ecs|[0-9a-f]{32}|[0-9a-f-]{36})$/,
    runtime: "ecs",
  },
  { part: new RegExp(`^${ID}$`), runtime: "unknown" },
  { part: /^lxc\.payload\.(.+)$/, runtime: "lxc" },
  { part: /^(.+)$/, below: /^lxc(?:\.payload)?$/, runtime: "lxc" },
  { part: /^systemd-nspawn@(.+)\.service$/, runtime: "nspawn", escaped: true },
  { part: /^machine-(.+)\.scope$/, runtime: "machine", escaped: true },
];

const UNIT = /^(.+\.(?:service|scope|socket|mount|swap))$/;

/** What looks after a container, and is not inside of it. */
const HELPER = /^(?:crio|libpod)-conmon-/;

const POD =
  /pod([0-9a-f]{8}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{12}|[0-9a-f]{32})(?:\.slice)?(?=$|:)/;

const USER = /^user@(\d+)\.service$/;

const unescapeUnit = (name: string): string =>
  name.replace(/\\x([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));

/** Longer paths than the kernel's own limit are nobody's cgroup. */
const LONGEST_PATH = 4096;

/** The innermost container on a cgroup's path, else its unit; undefined: neither. */
export function ownerOf(path: string): CgroupOwner | undefined {
  if (path.length > LONGEST_PATH) return undefined;
  const parts = path.split("/").filter((part) => part !== "" && part !== "..");
  let unit: CgroupOwner | undefined;
  for (let i = parts.length - 1; i >= 0; i--) {
    if (HELPER.test(parts[i])) return { kind: "unit", runtime: "systemd", id: parts[i] };
    for (const { part, below, runtime, escaped } of FORMS) {
      const id = part.exec(parts[i])?.[1];
      if (id === undefined || (below && !below.test(parts[i - 1] ?? ""))) continue;
      const pod = parts.slice(0, i + 1).findLast((before) => POD.test(before));
      const user = parts.slice(0, i).findLast((before) => USER.test(before));
      return {
        kind: "container",
        runtime,
        id: escaped ? unescapeUnit(id) : id,
        ...(pod && { pod: POD.exec(pod)![1].replaceAll("_", "-") }),
        ...(user && { user: Number(USER.exec(user)![1]) }),
      };
    }
    const name = UNIT.exec(parts[i])?.[1];
    if (name) unit ??= { kind: "unit", runtime: "systemd", id: unescapeUnit(name) };
  }
  return unit;
}

/**
 * The owner by the text of /proc/PID/cgroup, one line for each hierarchy: "0::/path", "4:memory:/path". Any of them may
 * name the container where version 1 is in use; systemd's own and the unified one name the unit.
 */
export function ownerOfProcess(text: string): CgroupOwner | undefined {
  const found = cgroupPaths(text).flatMap((path) => ownerOf(path) ?? []);
  return found.find(({ kind }) => kind === "container") ?? found[0];
}

/** The paths in the text of /proc/PID/cgroup. */
export function cgroupPaths(text: string): string[] {
  return text.split("\n").flatMap((line) => /^\d+:[^:]*:(.*)$/.exec(line)?.[1] ?? []);
}
