/** Files of another file system: its symbolic links lead to files of its own, never to ours. */
import { spawn } from "node:child_process";
import { constants, existsSync, fstatSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  ElfFile,
  existsWithin,
  listWithin,
  openFileWithin,
  openWithin,
  readWithin,
  statWithin,
} from "libbpf-ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findLibrary } from "../../../src/engine/kernel/ldCache.ts";
import { fileSymbols } from "../../../src/engine/symbols/files.ts";
import { JitMapFile } from "../../../src/engine/symbols/jitMapFile.ts";
import { commandPath } from "../../support/cli.ts";
import { runScript } from "../../support/script.ts";
import { alone, canTraceC, whole } from "./support.ts";

describe.skipIf(!canTraceC || !commandPath("unshare"))("a file system that only one process sees", () => {
  const folder = mkdtempSync(join(tmpdir(), "tracedeck-within-"));
  const host = whole.path;
  let pid = 0;
  let root = "";
  let child: ReturnType<typeof spawn> | undefined;

  beforeAll(async () => {
    const links = [
      "mkdir -p tmp etc usr/bin real; cp ALONE usr/bin/app",
      "echo theirs > etc/hostname; ln -s /etc/passwd etc/shadow; ln -s /etc/hostname name",
      "ln -s ../../../../../../etc/passwd etc/up; ln -s /usr/bin bin; ln -s HOST usr/bin/evil; ln -s /proc etc/ld.so.cache",
      "ln -s /usr/lib lib; ln -s /tmp/perf-1.map tmp/link.map; mknod tmp/device c 511 250",
    ].join("; ");
    const script = `mount -t tmpfs tmpfs ${folder}; cd ${folder}; ${links}; exec chroot . /bin/app told 3`
      .replaceAll("ALONE", alone.path)
      .replaceAll("HOST", host);
    child = spawn("unshare", ["--mount", "sh", "-ec", script], { stdio: ["pipe", "ignore", "inherit"] });
    pid = child.pid!;
    root = `/proc/${pid}/root`;
    while (readFileSync(`/proc/${pid}/comm`, "latin1") !== "app\n")
      await new Promise((d) => setTimeout(d, 20));
  });
  afterAll(() => {
    child?.kill("SIGKILL");
    rmSync(folder, { recursive: true });
  });

  test("absolute links are seen from its root, and none leads out of it", () => {
    expect(String(readWithin(`${root}/name`, 100))).toBe("theirs\n");
    for (const path of ["/etc/shadow", "/etc/up", "/../../../../../../etc/passwd", "/usr/bin/evil", "/lib"])
      expect(existsWithin(root + path), path).toBe(false);
    // As it was before: the kernel follows them to files of ours.
    expect(existsSync(`${root}/etc/shadow`)).toBe(true);
    expect(listWithin(`${root}/bin/`).sort()).toEqual(["app", "evil"]);
    expect(statWithin(`${root}/bin/app`).size).toBe(statWithin(alone.path).size);
  });

  test("nor for programs, symbols, libraries and maps of made code", () => {
    using elf = ElfFile.open(`${root}/bin/app`);
    expect(elf.size).toBe(statWithin(alone.path).size);
    expect(() => ElfFile.open(`${root}/bin/evil`)).toThrow("ENOENT");
    expect(fileSymbols({ path: `${root}/bin/evil`, root })).toBeUndefined();
    expect(fileSymbols({ path: `${root}/bin/app`, root })).toBeDefined();
    expect(findLibrary("libc", process.arch === "x64" ? "x64" : "arm64", root)).toBeUndefined();
    expect(new JitMapFile(`${root}/tmp/link.map`).at(0x10, 0)).toBeUndefined();
  });

  test("nothing but regular files is opened: a device of its would act on it", () => {
    const path = `${root}/tmp/device`;
    expect(statWithin(path).isCharacterDevice()).toBe(true);
    // No driver has it.
    expect(() => openSync(path, "r")).toThrow("ENXIO");
    expect(openFileWithin(path)).toBeUndefined();
    expect(() => ElfFile.open(path)).toThrow("not a regular file");
    expect(() => readWithin(path, 100)).toThrow("not a regular file");
    expect(() => readWithin(`${root}/etc/hostname`, 6)).toThrow("longer than 6 bytes");
    expect(String(readWithin(`${root}/etc/hostname`, 7))).toBe("theirs\n");
  });

  test("a directory that is held resolves alike", () => {
    const fd = openWithin(`${root}/etc`, constants.O_RDONLY | constants.O_DIRECTORY);
    expect(fstatSync(fd).isDirectory()).toBe(true);
    expect(String(readWithin(`/proc/self/fd/${fd}/hostname`, 100))).toBe("theirs\n");
    expect(existsWithin(`/proc/self/fd/${fd}/../hostname`)).toBe(true);
    expect(existsWithin(`/proc/self/fd/${fd}/../usr`)).toBe(false);
  });

  test("probes are put on its files, not on those of ours that it names", async () => {
    const evil = await runScript("uprobe:/bin/evil:leaf { @ = count(); }", ["-p", String(pid)]);
    expect(evil.status).toBe(1);
    const { stdout, stderr } = await runScript(
      "uprobe:/bin/app:leaf { @ = count(); }",
      ["-p", String(pid)],
      async () => {
        const over = new Promise((done) => child!.on("close", done));
        child!.stdin!.end("go\n");
        await over;
      },
    );
    expect(stderr).toBe("");
    expect(stdout).toContain("@: 3");
  });
});
