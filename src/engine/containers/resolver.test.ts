/** Names from what runtimes keep on disk, well-formed and hostile; processes that live, move and end. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { containerName } from "./names.ts";
import { Containers } from "./resolver.ts";

const ID = "4f0c".repeat(16);
const OTHER = "9b1e".repeat(16);
let root = "";

beforeEach(() => {
  root = `${mkdtempSync(join(tmpdir(), "tracedeck-containers-"))}/`;
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

function file(path: string, content: unknown): void {
  mkdirSync(dirname(root + path), { recursive: true });
  writeFileSync(root + path, typeof content === "string" ? content : JSON.stringify(content));
}

const DOCKER = `var/lib/docker/containers/${ID}/config.v2.json`;
const CONTAINERD = `run/containerd/io.containerd.runtime.v2.task/k8s.io/${ID}/config.json`;
const STORE = "var/lib/containers/storage/overlay-containers";

describe("a container's name", () => {
  it.each<[string, string, unknown, string]>([
    ["docker's", DOCKER, { ID, Name: "/web" }, "web"],
    [
      "docker's under Kubernetes",
      DOCKER,
      {
        Name: "/k8s_nginx_web_shop_uid_0",
        Config: {
          Labels: {
            "io.kubernetes.container.name": "nginx",
            "io.kubernetes.pod.name": "web",
            "io.kubernetes.pod.namespace": "shop",
          },
        },
      },
      "shop/web/nginx",
    ],
    [
      "containerd's",
      CONTAINERD,
      {
        annotations: {
          "io.kubernetes.cri.container-name": "nginx",
          "io.kubernetes.cri.sandbox-name": "web-5d4c",
          "io.kubernetes.cri.sandbox-namespace": "shop",
        },
      },
      "shop/web-5d4c/nginx",
    ],
    [
      "containerd's pod sandbox",
      CONTAINERD,
      {
        annotations: {
          "io.kubernetes.cri.sandbox-name": "web-5d4c",
          "io.kubernetes.cri.sandbox-namespace": "shop",
        },
      },
      "shop/web-5d4c",
    ],
    [
      "CRI-O's",
      `${STORE}/${ID}/userdata/config.json`,
      {
        annotations: {
          "io.kubernetes.container.name": "db",
          "io.kubernetes.pod.name": "db-0",
          "io.kubernetes.pod.namespace": "shop",
        },
      },
      "shop/db-0/db",
    ],
    [
      "podman's",
      `${STORE}/containers.json`,
      [
        { id: "1", names: ["no"] },
        { id: ID, names: ["wiki"] },
      ],
      "wiki",
    ],
    [
      "podman's, volatile",
      "run/containers/storage/overlay-containers/volatile-containers.json",
      [{ id: ID, names: ["wiki"] }],
      "wiki",
    ],
    [
      "CRI-O's list",
      `${STORE}/containers.json`,
      [{ id: ID, names: ["k8s_db_db-0_shop_uid_0"] }],
      "shop/db-0/db",
    ],
  ])("%s", (_, path, content, name) => {
    file(path, content);
    expect(containerName({ id: ID }, { root })?.name).toBe(name);
  });

  it.each<[string, Record<string, unknown>, string, string]>([
    [
      "docker's, in the data-root of its configuration",
      {
        "etc/docker/daemon.json": { "data-root": "/srv/docker" },
        [`srv/docker/containers/${ID}/config.v2.json`]: { Name: "/web" },
      },
      "web",
      "docker",
    ],
    [
      "podman's with the vfs driver",
      { "var/lib/containers/storage/vfs-containers/containers.json": [{ id: ID, names: ["web"] }] },
      "web",
      "podman",
    ],
    [
      "podman's, in the graphroot of its configuration",
      {
        "etc/containers/storage.conf":
          '[storage]\n# graphroot = "/no"\ndriver = "btrfs"\n  graphroot = "/srv/pods"\n',
        "srv/pods/btrfs-containers/containers.json": [{ id: ID, names: ["web"] }],
      },
      "web",
      "podman",
    ],
    [
      "nerdctl's, in a namespace of its own",
      { [CONTAINERD.replace("k8s.io", "shop")]: { annotations: { "nerdctl/name": "web" } } },
      "web",
      "containerd",
    ],
    [
      "k3s's",
      {
        [CONTAINERD.replace("run/", "run/k3s/")]: {
          annotations: {
            "io.kubernetes.cri.sandbox-name": "web",
            "io.kubernetes.cri.sandbox-namespace": "shop",
          },
        },
      },
      "shop/web",
      "containerd",
    ],
  ])("%s", (_, files, name, runtime) => {
    for (const [path, content] of Object.entries(files)) file(path, content);
    expect(containerName({ id: ID }, { root })).toEqual({ name, runtime });
  });

  it("of a user's own runtime is in the user's home", () => {
    file("etc/passwd", "root:x:0:0::/root:/bin/sh\nana:x:1000:1000:Ana:/home/ana:/bin/sh\n");
    file("home/ana/.local/share/containers/storage/overlay-containers/containers.json", [
      { id: ID, names: ["wiki"] },
    ]);
    file(`home/ana/.local/share/docker/containers/${OTHER}/config.v2.json`, { Name: "/web" });
    expect(containerName({ id: ID, user: 1000 }, { root })?.name).toBe("wiki");
    expect(containerName({ id: OTHER, user: 1000 }, { root })?.name).toBe("web");
    expect(containerName({ id: ID }, { root })).toBeUndefined();
    expect(containerName({ id: ID, user: 1001 }, { root })).toBeUndefined();
  });

  it.each<[string, unknown]>([
    ["no JSON", "{"],
    ["nothing", ""],
    ["a list", [1, 2]],
    ["null", null],
    [
      "names that are no text",
      { Name: { toString: 1 }, Config: { Labels: { "io.kubernetes.pod.name": 5 } } },
    ],
    ["inherited names", '{"__proto__": {"Name": "/evil"}}'],
    ["deep nesting", "[".repeat(200_000)],
    ["more than a configuration has", `{"Name": "/big", "x": "${"y".repeat(1 << 20)}"}`],
  ])("is not to be had from %s", (_, content) => {
    file(DOCKER, content);
    file(`${STORE}/containers.json`, content);
    expect(containerName({ id: ID }, { root })?.name).toBeUndefined();
  });

  it("does not wait for a pipe in the place of a file", () => {
    mkdirSync(dirname(root + DOCKER), { recursive: true });
    execFileSync("mkfifo", [root + DOCKER]);
    expect(containerName({ id: ID }, { root })?.name).toBeUndefined();
  });

  it("is cut to a name's length", () => {
    file(DOCKER, { Name: `/${"n".repeat(5000)}` });
    expect(containerName({ id: ID }, { root })?.name).toHaveLength(252);
  });

  it.each(["../../../etc/passwd", "", "web", "4f0c/..", ID.toUpperCase()])(
    "is not looked for by %j",
    (id) => {
      file("var/lib/docker/containers/x/config.v2.json", {});
      expect(containerName({ id }, { root })).toBeUndefined();
    },
  );
});

describe("processes", () => {
  const containers = () => new Containers({ proc: `${root}proc/`, root });

  it("are looked up by their cgroups, and remembered when they have ended", () => {
    file("proc/12/cgroup", `0::/system.slice/docker-${ID}.scope\n`);
    file(DOCKER, { Name: "/web" });
    const all = containers();
    const web = { kind: "container", runtime: "docker", id: ID, name: "web" };
    expect(all.of("process", 12n)).toEqual(web);
    rmSync(`${root}proc/12`, { recursive: true });
    const later = process.hrtime.bigint() + 60_000_000_000n;
    const clock = vi.spyOn(process.hrtime, "bigint").mockReturnValue(later);
    expect(all.of("process", 12)).toEqual(web);
    clock.mockRestore();
    expect(containers().of("process", 12)).toBeUndefined();
  });

  it("are others at once when their numbers are given again", () => {
    const start = (time: number) => `12 (a ) b) S ${"1 ".repeat(18)}${time} 4096 0\n`;
    file("proc/12/cgroup", "0::/lxc/first\n");
    file("proc/12/stat", start(100));
    const all = containers();
    expect(all.of("process", 12)?.name).toBe("first");
    file("proc/12/cgroup", "0::/lxc/second\n");
    expect(all.of("process", 12)?.name).toBe("first");
    file("proc/12/stat", start(101));
    expect(all.of("process", 12)?.name).toBe("second");
    rmSync(`${root}proc/12`, { recursive: true });
    expect(all.of("process", 12)?.name).toBe("second");
  });

  it("without a name have the first part of the id, and a unit its own name", () => {
    file("proc/12/cgroup", `0::/docker/${ID}\n`);
    file("proc/13/cgroup", "0::/system.slice/nginx.service\n");
    file("proc/14/cgroup", "0::/\n");
    const all = containers();
    expect(all.of("process", 12)?.name).toBe(ID.slice(0, 12));
    expect(all.of("process", 13)).toMatchObject({ kind: "unit", name: "nginx.service" });
    expect(all.of("process", 14)).toBeUndefined();
  });

  it("of containerd's own clients have the names that they were given", () => {
    file("proc/12/cgroup", "4:memory:/shop/redis\n0::/shop/redis\n");
    file("proc/13/cgroup", "0::/shop/other\n");
    file("proc/14/cgroup", "0::/../..\n");
    file("run/containerd/io.containerd.runtime.v2.task/shop/redis/config.json", {});
    const all = containers();
    expect(all.of("process", 12)).toEqual({
      kind: "container",
      runtime: "containerd",
      id: "redis",
      name: "redis",
    });
    expect([13, 14].map((pid) => all.of("process", pid))).toEqual([undefined, undefined]);
  });

  it("of a runtime that the cgroup does not tell are its whose files have the name", () => {
    file(
      "proc/12/cgroup",
      `0::/elsewhere/${ID}
`,
    );
    file(DOCKER, { Name: "/web" });
    expect(containers().of("process", 12)).toMatchObject({ runtime: "docker", name: "web" });
  });

  it("that are new are noticed in time, not more than asked for", () => {
    for (const pid of [1, 2, 3]) file(`proc/${pid}/cgroup`, `0::/lxc/box${pid}\n`);
    const all = containers();
    all.notice("process", [1, 2, 3], 2);
    for (const pid of [1, 2, 3]) rmSync(`${root}proc/${pid}`, { recursive: true });
    expect([1, 2, 3].map((pid) => all.of("process", pid)?.name)).toEqual(["box1", "box2", undefined]);
  });

  it("numbered by the initial namespace are not mistaken for others", () => {
    file("proc/12/cgroup", `0::/docker/${ID}\n`);
    expect(containers().of("process.init", 12)).toBeUndefined();
  });
});
