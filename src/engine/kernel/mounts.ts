/**
 * What is mounted where, as a process sees it, from /proc/PID/mountinfo. It tells of every path whether a server has to answer
 * for it, another machine or a program of this one (FUSE), before anything on it is touched: a server that never answers
 * holds who asked it for ever, and not even SIGKILL ends that.
 *
 *   36 35 0:39 / /mnt/app rw,noatime master:1 - fuse.sshfs build@host: rw,user_id=0
 *   id parent device (decimal) · root in it · where · … · type · source
 */
import { lstatSync, readFileSync, readlinkSync } from "node:fs";
import { monotonicMs } from "../clock.ts";

export interface Mount {
  id: string;
  parent: string;
  /** As /proc/PID/maps has it: "08:01". */
  device: string;
  point: string;
  type: string;
  source: string;
}

/** Types that ask a server, with their variants: "fuse.sshfs". autofs has a daemon mount what is looked for. */
const SERVED =
  /^(9p|afs|autofs|beegfs|ceph|cifs|coda|fuse|fuseblk|gfs2|glusterfs|gpfs|lustre|ncpfs|nfs|nfs4|ocfs2|orangefs|panfs|prl_fs|pvfs2|smb3|smbfs|vboxsf|virtiofs|vmhgfs)(\.|$)/;

export const isServed = ({ type }: Mount): boolean => SERVED.test(type);

const unescaped = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, code) => String.fromCharCode(Number.parseInt(code, 8)));

const hex = (number: string): string => Number(number).toString(16).padStart(2, "0");

/** The lines of mountinfo, in their order. */
export function parseMounts(text: string): Mount[] {
  return text.split("\n").flatMap((line) => {
    const [place, rest] = line.split(" - ");
    const [id, parent, device, , point] = place.split(" ");
    if (rest === undefined || point === undefined) return [];
    const [type, source = ""] = rest.split(" ");
    return {
      id,
      parent,
      device: device.split(":").map(hex).join(":"),
      point: unescaped(point),
      type,
      source: unescaped(source),
    };
  });
}

const covers = (point: string, path: string): boolean =>
  point === "/" || path === point || path.startsWith(`${point}/`);

/** Mounts by the id of what they are mounted on. */
interface Tree {
  root: Mount | undefined;
  on: Map<string, Mount[]>;
}

export function treeOf(mounts: readonly Mount[]): Tree {
  const ids = new Set(mounts.map(({ id }) => id));
  const root = mounts.find(({ point, parent, id }) => point === "/" && (parent === id || !ids.has(parent)));
  const on = new Map<string, Mount[]>();
  for (const mount of mounts) {
    if (mount === root) continue;
    const siblings = on.get(mount.parent);
    if (siblings) siblings.push(mount);
    else on.set(mount.parent, [mount]);
  }
  return { root, on };
}

/** The mount that a path without links is on, as the kernel walks: what another was mounted over is not met. */
export function mountOf({ root, on }: Tree, path: string): Mount | undefined {
  let at = root;
  for (let next = at; next; ) {
    at = next;
    next = undefined;
    for (const mount of on.get(at.id) ?? []) {
      if (covers(mount.point, path) && !(next && next.point.length <= mount.point.length)) next = mount;
    }
  }
  return at;
}

/** Milliseconds for which the list holds. */
const READ_EVERY = 500;
const MOST_LINKS = 40;

/** Of which nobody tells (any more) what it is. */
export const UNKNOWN: Mount = { id: "", parent: "", device: "", point: "", type: "not mounted", source: "" };

/** Paths of a file system that asks a server are not to be touched by a thread that must go on. */
export class MountTable {
  readonly #root: string;
  readonly #list: () => string | undefined;
  #mounts: readonly Mount[] = [];
  #tree: Tree = treeOf([]);
  /** Those that ask a server; not our own root: we run from it. */
  #served: ReadonlySet<Mount> = new Set();
  #read = Number.NEGATIVE_INFINITY;

  /** `list`: what mountinfo has now; undefined: as before. `root`: what leads to its "/" from here, "" where that is ours. */
  constructor(list: () => string | undefined, root = "") {
    this.#list = list;
    this.#root = root;
    // Its process may be gone by the first question.
    if (root !== "") this.#refresh();
  }

  #refresh(): void {
    const now = monotonicMs();
    if (now - this.#read < READ_EVERY) return;
    this.#read = now;
    const text = this.#list();
    if (text === undefined) return;
    this.#mounts = parseMounts(text);
    this.#tree = treeOf(this.#mounts);
    this.#served = new Set(
      this.#mounts.filter((mount) => isServed(mount) && !(this.#root === "" && mount.point === "/")),
    );
  }

  /** The first mount on a path's way, links included, that asks a server, or that may: of a root in a folder nothing is told. */
  served(path: string): Mount | undefined {
    this.#refresh();
    if (this.#root !== "" && !this.#tree.root) return { ...UNKNOWN, point: path };
    if (this.#served.size === 0) return undefined;
    const names = path.split("/");
    let at = "";
    for (let links = 0; ; ) {
      const mount = mountOf(this.#tree, at || "/");
      if (mount && this.#served.has(mount)) return mount;
      const name = names.shift();
      if (name === undefined || links > MOST_LINKS) return undefined;
      if (name === "" || name === ".") continue;
      if (name === "..") {
        at = at.slice(0, Math.max(0, at.lastIndexOf("/")));
        continue;
      }
      const next = `${at}/${name}`;
      const target = this.#linkAt(next);
      if (target === undefined) {
        at = next;
        continue;
      }
      if (target.startsWith("/")) at = "";
      names.unshift(...target.split("/"));
      links++;
    }
  }

  /** What a link says whose directory is known; undefined: something else, not there, or itself on a server. */
  #linkAt(path: string): string | undefined {
    const mount = mountOf(this.#tree, path);
    if (mount && this.#served.has(mount)) return undefined;
    try {
      const place = this.#root + path;
      return lstatSync(place, { throwIfNoEntry: false })?.isSymbolicLink() ? readlinkSync(place) : undefined;
    } catch {
      return undefined;
    }
  }

  /** Whether a device is mounted, and asks no server. One whose mount was taken away may be any. */
  isLocal(device: string): boolean {
    this.#refresh();
    const mounts = this.#mounts.filter((mount) => mount.device === device);
    return mounts.length > 0 && !mounts.some((mount) => this.#served.has(mount));
  }
}

/** The mountinfo of a process; undefined when it is gone. */
export function readMounts(pid: number | "self"): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/mountinfo`, "utf8");
  } catch {
    return undefined;
  }
}

let own: MountTable | undefined;

/** What is mounted where we are. */
export function ownMounts(): MountTable {
  own ??= new MountTable(() => readMounts("self"));
  return own;
}
