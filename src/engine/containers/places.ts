/**
 * Where runtimes keep what they know of their containers: by default, by their configuration, and in the homes of users who
 * run containers without root. All paths are below the machine's root, which a tracer in a container sees elsewhere.
 */
import { readdirSync, statSync } from "node:fs";
import { mayNotAnswer, readJson, readSmallFile } from "./files.ts";

export interface Machine {
  /** What the machine's paths stand below, with a "/" at its end. */
  root: string;
}

const LARGEST_CONFIG = 1 << 20;
const LARGEST_PASSWD = 4 << 20;

/** False also where this user may not look. */
export function isFolder(path: string): boolean {
  if (mayNotAnswer(path)) return false;
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

/** Names of the folders in a folder; none where it can't be read. */
export function folders(path: string): string[] {
  if (mayNotAnswer(path)) return [];
  try {
    return readdirSync(path, { withFileTypes: true }).flatMap((it) => (it.isDirectory() ? [it.name] : []));
  } catch {
    return [];
  }
}

const configured = (path: unknown, { root }: Machine): string[] =>
  typeof path === "string" && path.startsWith("/") ? [root + path.slice(1)] : [];

/** The home of a user, from /etc/passwd. */
function homes({ root }: Machine, user: number | undefined): string[] {
  if (user === undefined) return [];
  const users = readSmallFile(`${root}etc/passwd`, LARGEST_PASSWD) ?? "";
  const home = users
    .split("\n")
    .map((line) => line.split(":"))
    .find((fields) => fields[2] === String(user))?.[5];
  return home?.startsWith("/") ? [root + home.slice(1)] : [];
}

/** Docker's data-root; "graph" in versions of old. */
export function dockerRoots(machine: Machine, user?: number): string[] {
  if (user !== undefined) return homes(machine, user).map((home) => `${home}/.local/share/docker`);
  const config = readJson(`${machine.root}etc/docker/daemon.json`, LARGEST_CONFIG) as
    | { "data-root"?: unknown; graph?: unknown }
    | undefined;
  return [
    ...configured(config?.["data-root"] ?? config?.graph, machine),
    `${machine.root}var/lib/docker`,
    `${machine.root}var/snap/docker/common/var-lib-docker`,
  ];
}

/** The state directories of containerd: its own, those of what brings its own one along. */
export function containerdStates({ root }: Machine): string[] {
  return [
    "run/containerd",
    "run/docker/containerd/daemon",
    "run/k3s/containerd",
    "run/k0s/containerd",
    "var/snap/microk8s/common/run/containerd",
  ].map((path) => root + path);
}

/** The containers' folders of podman's and CRI-O's stores, one for each storage driver. */
export function stores(machine: Machine, user?: number): string[] {
  const { root } = machine;
  const conf = readSmallFile(`${root}etc/containers/storage.conf`, LARGEST_CONFIG) ?? "";
  const setting = (name: string) =>
    configured(new RegExp(`^\\s*${name}\\s*=\\s*"([^"]*)"`, "m").exec(conf)?.[1], machine);
  const places =
    user === undefined
      ? [
          ...setting("graphroot"),
          ...setting("runroot"),
          `${root}var/lib/containers/storage`,
          `${root}run/containers/storage`,
        ]
      : [
          ...homes(machine, user).map((home) => `${home}/.local/share/containers/storage`),
          `${root}run/user/${user}/containers`,
        ];
  return [...new Set(places)].flatMap((place) =>
    folders(place)
      .filter((name) => name.endsWith("-containers"))
      .map((name) => `${place}/${name}`),
  );
}
