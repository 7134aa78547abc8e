import { describe, expect, it } from "vitest";
import { ownerOf, ownerOfProcess } from "./forms.ts";

const ID = "4f0c".repeat(16);
const OTHER = "9b1e".repeat(16);
const POD = "8d3e2a10-5b7c-4f1d-9e6a-0123456789ab";
const POD_ = POD.replaceAll("-", "_");

describe("a cgroup's path", () => {
  it.each<[string, string, string, string, string?, number?]>([
    [`/system.slice/docker-${ID}.scope`, "container", "docker", ID],
    [`/docker/${ID}`, "container", "docker", ID],
    [`/docker/${ID}/init.scope`, "container", "docker", ID],
    [`/docker/${ID}/docker/${OTHER}`, "container", "docker", OTHER],
    [`/kubepods/burstable/pod${POD}/${ID}`, "container", "unknown", ID, POD],
    [
      `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${POD_}.slice/cri-containerd-${ID}.scope`,
      "container",
      "containerd",
      ID,
      POD,
    ],
    [`/kubepods.slice/kubepods-pod${POD_}.slice/crio-${ID}.scope`, "container", "cri-o", ID, POD],
    [`/kubepods.slice/kubepods-pod${POD_}.slice:cri-containerd:${ID}`, "container", "containerd", ID, POD],
    [`/machine.slice/libpod-${ID}.scope/container`, "container", "podman", ID],
    [
      `/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-${ID}.scope`,
      "container",
      "podman",
      ID,
      undefined,
      1000,
    ],
    [`/system.slice/nerdctl-${ID}.scope`, "container", "containerd", ID],
    [
      "/ecs/0a1b2c3d4e5f60718293a4b5c6d7e8f9/0a1b2c3d4e5f60718293a4b5c6d7e8f9-123456",
      "container",
      "ecs",
      "0a1b2c3d4e5f60718293a4b5c6d7e8f9-123456",
    ],
    ["/lxc/web", "container", "lxc", "web"],
    ["/lxc.payload.web-1/system.slice/nginx.service", "container", "lxc", "web-1"],
    ["/lxc.payload/db", "container", "lxc", "db"],
    ["/machine.slice/systemd-nspawn@build\\x2dbox.service/payload", "container", "nspawn", "build-box"],
    ["/machine.slice/machine-qemu\\x2d1\\x2dvm.scope", "container", "machine", "qemu-1-vm"],
    ["/system.slice/nginx.service", "unit", "systemd", "nginx.service"],
    ["/user.slice/user-1000.slice/session-3.scope", "unit", "systemd", "session-3.scope"],
    [`/machine.slice/libpod-conmon-${ID}.scope`, "unit", "systemd", `libpod-conmon-${ID}.scope`],
  ])("%s", (path, kind, runtime, id, pod, user) => {
    expect(ownerOf(path)).toEqual({ kind, runtime, id, ...(pod && { pod }), ...(user && { user }) });
  });

  it.each(["/", "", "/user.slice", "/init", `/docker/${ID.slice(1)}`, `/docker-${ID}x`, "/".repeat(9000)])(
    "%s is nobody's",
    (path) => expect(ownerOf(path)).toBeUndefined(),
  );
});

describe("a process's cgroups", () => {
  it("of version 2", () => {
    expect(ownerOfProcess(`0::/system.slice/docker-${ID}.scope\n`)?.id).toBe(ID);
  });
  it("of both versions: a container in any of them wins over a unit", () => {
    const text = `9:name=systemd:/system.slice/docker.service\n4:memory:/docker/${ID}\n0::/system.slice/docker.service\n`;
    expect(ownerOfProcess(text)).toEqual({ kind: "container", runtime: "docker", id: ID });
  });
  it("of a path with colons", () => {
    expect(ownerOfProcess(`0::/a:b/kubepods-pod1:cri-containerd:${ID}\n`)?.runtime).toBe("containerd");
  });
  it.each(["", "garbage", "0::", "0::/\n1:cpu:/\n", "\0\0"])("%j: none", (text) => {
    expect(ownerOfProcess(text)).toBeUndefined();
  });
});
