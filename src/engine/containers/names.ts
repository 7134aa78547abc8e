/**
 * A container's name by its id, from what its runtime keeps on disk; no daemon is asked. All of it was written by others:
 * values are taken for text only where they are text, and for no more than a name's length.
 */
import { readJson } from "./files.ts";

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

const TASKS = "run/containerd/io.containerd.runtime.v2.task";
const STORES = ["var/lib/containers/storage", "run/containers/storage"];
const LISTS = ["containers.json", "volatile-containers.json"];

/** Each place where a name may be, the cheapest first. `at`: makes a path below the root of the machine. */
const SOURCES: readonly ((id: string, at: (path: string) => string) => string | undefined)[] = [
  (id, at) => dockerName(readJson(at(`var/lib/docker/containers/${id}/config.v2.json`), LARGEST_CONFIG)),
  ...["k8s.io", "default", "moby"].map(
    (namespace) => (id: string, at: (path: string) => string) =>
      bundleName(readJson(at(`${TASKS}/${namespace}/${id}/config.json`), LARGEST_CONFIG)),
  ),
  ...STORES.map(
    (store) => (id: string, at: (path: string) => string) =>
      bundleName(readJson(at(`${store}/overlay-containers/${id}/userdata/config.json`), LARGEST_CONFIG)),
  ),
  ...STORES.flatMap((store) =>
    LISTS.map(
      (list) => (id: string, at: (path: string) => string) =>
        storedName(readJson(at(`${store}/overlay-containers/${list}`), LARGEST_LIST), id),
    ),
  ),
];

/** The name that the runtime gave a container; undefined: none is to be found. `id` is hexadecimal. */
export function containerName(id: string, root = "/"): string | undefined {
  if (!/^[0-9a-f]{12,64}$/.test(id)) return undefined;
  for (const source of SOURCES) {
    const name = source(id, (path) => root + path);
    if (name) return name;
  }
  return undefined;
}
