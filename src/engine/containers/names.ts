/**
 * A container's name by its id, from what its runtime keeps on disk; no daemon is asked. All of it was written by others:
 * values are taken for text only where they are text, and for no more than a name's length.
 */
import { readJson } from "./files.ts";
import type { CgroupOwner } from "./forms.ts";
import { containerdStates, dockerRoots, folders, isFolder, type Machine, stores } from "./places.ts";

/** Configurations are some ten kilobytes; lists of containers grow with their number. */
const LARGEST_CONFIG = 1 << 20;
const LARGEST_LIST = 16 << 20;
const LONGEST_NAME = 253;

type Json = Record<string, unknown>;

const object = (value: unknown): Json =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : {};

const own = (value: unknown, key: string): unknown =>
  Object.hasOwn(object(value), key) ? object(value)[key] : undefined;

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value.slice(0, LONGEST_NAME) : undefined;
}

/** Keys that runtimes put a container's and its pod's names under, in labels or annotations. */
const KUBERNETES = [
  {
    container: "io.kubernetes.cri.container-name",
    pod: "io.kubernetes.cri.sandbox-name",
    namespace: "io.kubernetes.cri.sandbox-namespace",
  },
  {
    container: "io.kubernetes.container.name",
    pod: "io.kubernetes.pod.name",
    namespace: "io.kubernetes.pod.namespace",
  },
];

/** "namespace/pod/container"; the pod's own container has none. */
export function kubernetesName(labels: unknown): string | undefined {
  for (const keys of KUBERNETES) {
    const pod = text(own(labels, keys.pod));
    if (!pod) continue;
    const container = text(own(labels, keys.container));
    const parts = [text(own(labels, keys.namespace)), pod, container === "POD" ? undefined : container];
    return parts.filter((part) => part !== undefined).join("/");
  }
  return undefined;
}

/** dockerd's config.v2.json. */
export function dockerName(config: unknown): string | undefined {
  return (
    kubernetesName(own(own(config, "Config"), "Labels")) ?? text(own(config, "Name"))?.replace(/^\//, "")
  );
}

/** The bundle's config.json of containerd, CRI-O and what else follows the OCI. */
export function bundleName(config: unknown): string | undefined {
  const annotations = own(config, "annotations");
  return kubernetesName(annotations) ?? text(own(annotations, "nerdctl/name"));
}

/** containers.json of podman and CRI-O: a list of all containers. */
export function storedName(list: unknown, id: string): string | undefined {
  if (!Array.isArray(list)) return undefined;
  const entry = list.find((it) => own(it, "id") === id);
  const names = own(entry, "names");
  const name = Array.isArray(names) ? text(names[0]) : undefined;
  // Kubernetes' form: k8s_container_pod_namespace_uid_attempt.
  const parts = /^k8s_([^_]*)_([^_]+)_([^_]+)_/.exec(name ?? "");
  if (!parts) return name;
  const [, container, pod, namespace] = parts;
  return [namespace, pod, ...(container === "POD" || container === "" ? [] : [container])].join("/");
}

type Runtime = CgroupOwner["runtime"];

export interface ContainerName {
  name: string;
  /** Whose files have the name. */
  runtime: Runtime;
}

interface Source {
  runtime: Runtime;
  /** Everywhere the name may be; the places are looked through one after the other. */
  names(id: string, machine: Machine, user: number | undefined): Iterable<string | undefined>;
}

const TASKS = "io.containerd.runtime.v2.task";
const LISTS = ["containers.json", "volatile-containers.json"];

/** Each kind of place, the cheapest first. */
const SOURCES: readonly Source[] = [
  {
    runtime: "docker",
    *names(id, machine, user) {
      for (const root of dockerRoots(machine, user))
        yield dockerName(readJson(`${root}/containers/${id}/config.v2.json`, LARGEST_CONFIG));
    },
  },
  {
    runtime: "containerd",
    *names(id, machine) {
      for (const state of containerdStates(machine))
        for (const namespace of folders(`${state}/${TASKS}`))
          yield bundleName(readJson(`${state}/${TASKS}/${namespace}/${id}/config.json`, LARGEST_CONFIG));
    },
  },
  {
    runtime: "cri-o",
    *names(id, machine, user) {
      for (const store of stores(machine, user))
        yield bundleName(readJson(`${store}/${id}/userdata/config.json`, LARGEST_CONFIG));
    },
  },
  {
    runtime: "podman",
    *names(id, machine, user) {
      for (const store of stores(machine, user))
        for (const list of LISTS) yield storedName(readJson(`${store}/${list}`, LARGEST_LIST), id);
    },
  },
];

/** The name that the runtime gave a container; undefined: none is to be found. `id` is hexadecimal. */
export function containerName(
  { id, user }: Pick<CgroupOwner, "id" | "user">,
  machine: Machine,
): ContainerName | undefined {
  if (!/^[0-9a-f]{12,64}$/.test(id)) return undefined;
  for (const { runtime, names } of SOURCES) {
    for (const name of names(id, machine, user)) if (name) return { name, runtime };
  }
  return undefined;
}

/** containerd's own clients name containers as they like, and their cgroups "/namespace/name". */
export function containerdTask(path: string, machine: Machine): CgroupOwner | undefined {
  const [, namespace, id] = /^\/([\w.-]+)\/([\w.-]+)$/.exec(path) ?? [];
  if (id === undefined || /^\.+$/.test(namespace) || /^\.+$/.test(id)) return undefined;
  const there = containerdStates(machine).some((state) => isFolder(`${state}/${TASKS}/${namespace}/${id}`));
  return there ? { kind: "container", runtime: "containerd", id } : undefined;
}
