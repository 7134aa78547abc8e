import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { isServed, MountTable, mountOf, parseMounts, treeOf } from "./mounts.ts";

const line = (id: number, parent: number, point: string, type: string, source = "none", device = "0:39") =>
  `${id} ${parent} ${device} / ${point} rw,relatime shared:7 - ${type} ${source} rw\n`;

const LIST = [
  line(22, 1, "/", "ext4", "/dev/vda", "254:16"),
  line(30, 22, "/mnt/app", "fuse.sshfs", "build@host:/srv"),
  line(31, 22, "/mnt/with\\040space", "nfs4", "host:/a\\040b", "0:301"),
  line(32, 30, "/mnt/app/local", "tmpfs"),
  // Laid over each other, and over what was there before.
  line(33, 22, "/over/below", "nfs4"),
  line(34, 22, "/over", "tmpfs"),
  line(35, 34, "/over", "xfs"),
].join("");

test("lines of mountinfo", () => {
  expect(parseMounts(LIST)[2]).toEqual({
    id: "31",
    parent: "22",
    device: "00:12d",
    point: "/mnt/with space",
    type: "nfs4",
    source: "host:/a b",
  });
  expect(parseMounts("\nnonsense\n1 2 3\n")).toEqual([]);
  const own = readFileSync("/proc/self/mountinfo", "utf8");
  expect(parseMounts(own)).toHaveLength(own.trim().split("\n").length);
});

test.each([
  ["/", "ext4"],
  ["/mnt/apple", "ext4"],
  ["/mnt/app", "fuse.sshfs"],
  ["/mnt/app/bin/x", "fuse.sshfs"],
  ["/mnt/app/local/x", "tmpfs"],
  ["/mnt/with space/x", "nfs4"],
  ["/over", "xfs"],
  ["/over/below/x", "xfs"],
])("%s is on %s", (path, type) => {
  expect(mountOf(treeOf(parseMounts(LIST)), path)?.type).toBe(type);
});

test.each([
  ["ext4", false],
  ["overlay", false],
  ["tmpfs", false],
  ["fusectl", false],
  ["nfsd", false],
  ["nfs", true],
  ["nfs4", true],
  ["cifs", true],
  ["9p", true],
  ["virtiofs", true],
  ["autofs", true],
  ["fuse", true],
  ["fuseblk", true],
  ["fuse.fuse-overlayfs", true],
])("%s asks a server: %s", (type, served) => {
  expect(isServed({ id: "", parent: "", device: "", point: "", type, source: "" })).toBe(served);
});

test("links on a path's way are followed", () => {
  const folder = mkdtempSync(join(tmpdir(), "tracedeck-mounts-"));
  try {
    mkdirSync(join(folder, "nfs"));
    mkdirSync(join(folder, "real/deep"), { recursive: true });
    writeFileSync(join(folder, "real/deep/file"), "");
    symlinkSync("/nfs/bin", join(folder, "absolute"));
    symlinkSync("../../nfs", join(folder, "real/deep/up"));
    symlinkSync("real", join(folder, "plain"));
    symlinkSync("loop", join(folder, "loop"));
    const list = line(1, 0, "/", "ext4", "/dev/vda", "8:1") + line(2, 1, "/nfs", "nfs4");
    const table = new MountTable(() => list, folder);
    for (const path of [
      "/nfs",
      "/nfs/x",
      "/absolute/x",
      "/real/deep/up/x",
      "/plain/deep/up",
      "/plain/../nfs/x",
    ])
      expect(table.served(path)?.type, path).toBe("nfs4");
    for (const path of ["/", "/plain/deep/file", "/nfs/../plain", "/none/nfs", "/loop/x"])
      expect(table.served(path)?.type === "nfs4", path).toBe(path === "/nfs/../plain");
    expect(table.isLocal("08:01")).toBe(true);
    for (const device of ["00:27", "00:99"]) expect(table.isLocal(device), device).toBe(false);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("of a root in a folder nothing is told; our own root is taken as it is", () => {
  expect(new MountTable(() => "", "/proc/self/fd/9").served("/bin/x")?.type).toBe("not mounted");
  expect(new MountTable(() => undefined, "/proc/self/fd/9").served("/bin/x")).toBeDefined();
  expect(new MountTable(() => line(1, 0, "/", "9p")).served("/bin/sh")).toBeUndefined();
  expect(new MountTable(() => line(1, 0, "/", "9p"), "/proc/self/fd/9").served("/bin/sh")).toBeDefined();
});

test("as findmnt tells it", () => {
  const table = treeOf(parseMounts(readFileSync("/proc/self/mountinfo", "utf8")));
  for (const path of ["/", "/proc/self", "/sys/kernel", "/dev/null", "/tmp"]) {
    const told = execFileSync("findmnt", ["-n", "-o", "FSTYPE", "-T", path], { encoding: "utf8" });
    expect(told.trim().split("\n").at(-1), path).toBe(mountOf(table, path)?.type);
  }
});
