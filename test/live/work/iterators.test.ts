/** Iterators: every object once, and files that stay for others to read. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import {
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  rmSync,
  unlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { kernelAtLeast } from "libbpf-ts";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { isRoot } from "../../support/cli.ts";
import { runScript } from "../../support/script.ts";
import { slowness } from "../../support/slowness.ts";
import { counts } from "./support.ts";

const lines = (text: string) => text.trimEnd().split("\n");

describe.skipIf(!isRoot)("iterators", () => {
  /** A process that does nothing but have these files open. */
  let child: ChildProcess;
  let pid = "";
  beforeAll(async () => {
    child = spawn("sleep", ["1000"], {
      stdio: [
        "ignore",
        openSync("/dev/zero", "r"),
        openSync("/dev/full", "w"),
        openSync("/etc/hostname", "r"),
      ],
    });
    pid = String(child.pid);
    // It has loaded all that it will.
    const state = () => readFileSync(`/proc/${pid}/stat`, "latin1").split(" ")[2];
    await vi.waitFor(() => expect(state()).toBe("S"), { timeout: 5000 * slowness });
  });
  afterAll(() => void child.kill());

  test("every task once", async () => {
    const { stdout, stderr } = await runScript(
      `iter:task { @ = count(); @each[ctx.task.pid] = count(); if (ctx.task.real_parent.tgid == ${process.pid}) { @children[ctx.task.comm] = count(); } }`,
    );
    expect(stderr).toBe("");
    expect(counts(stdout, "@children").get("sleep")).toBe(1);
    expect(counts(stdout, "@each").size).toBe(counts(stdout, "@").get(""));
    expect(counts(stdout, "@each").get(String(process.pid))).toBe(1);
  });

  test("the threads of one process", async () => {
    const { stdout } = await runScript("iter:task { @[ctx.task.tgid] = count(); }", [
      "-p",
      String(process.pid),
    ]);
    expect([...counts(stdout, "@")]).toEqual([
      [String(process.pid), readdirSync(`/proc/${process.pid}/task`).length],
    ]);
  });

  test("the open files of one process", async () => {
    const { stdout } = await runScript(
      "iter:task_file { @[ctx.task.tgid] = count(); @fd[ctx.fd] = count(); }",
      ["-p", pid],
    );
    expect([...counts(stdout, "@").keys()]).toEqual([pid]);
    expect([...counts(stdout, "@fd").keys()].sort()).toEqual(readdirSync(`/proc/${pid}/fd`).sort());
  });

  test("the threads of the command of -c, and of no other process", async () => {
    const { stdout } = await runScript("iter:task { @[ctx.task.tgid == cpid] = count(); }", [
      "-c",
      "sleep 1",
    ]);
    expect(stdout.trim()).toBe("@[true]: 1");
  });

  test.skipIf(kernelAtLeast("5.12"))("path() before Linux 5.12 says what it needs", async () => {
    const { stderr, status } = await runScript("iter:task_file { print(path(ctx.file.f_path)); }");
    expect(stderr).toMatch(/^stdin:1:.* ERROR: path\(\) in iterators needs Linux 5.12, and this is /);
    expect(status).toBe(1);
  });

  test.skipIf(!kernelAtLeast("5.12"))(
    "the open files of one process, by their paths (Linux 5.12)",
    async () => {
      const { stdout, stderr } = await runScript(
        'iter:task_file { printf("%d %d %s\\n", ctx.task.pid, ctx.fd, path(ctx.file.f_path)); }',
        ["-p", pid],
      );
      expect(stderr).toBe("");
      const descriptors = readdirSync(`/proc/${pid}/fd`).sort((a, b) => Number(a) - Number(b));
      const open = descriptors.map((fd) => `${pid} ${fd} ${readlinkSync(`/proc/${pid}/fd/${fd}`)}`);
      expect(open.slice(0, 4)).toEqual(
        ["null", "zero", "full"]
          .map((device, fd) => `${pid} ${fd} /dev/${device}`)
          .concat(`${pid} 3 /etc/hostname`),
      );
      expect(lines(stdout).slice(0, 4)).toEqual(open.slice(0, 4));
      expect(lines(stdout)).toHaveLength(open.length);
    },
  );

  test.skipIf(!kernelAtLeast("5.12"))(
    "the memory of one process, as its maps file has it (Linux 5.12)",
    async () => {
      const { stdout } = await runScript(
        'iter:task_vma { printf("%lx-%lx\\n", ctx.vma.vm_start, ctx.vma.vm_end); }',
        ["-p", pid],
      );
      const maps = lines(readFileSync(`/proc/${pid}/maps`, "latin1"))
        .filter((line) => !line.includes("[vsyscall]"))
        .map((line) => line.split(" ")[0].replace(/\b0+/g, ""));
      expect(lines(stdout)).toEqual(maps);
    },
  );

  test("what each prints comes out, however many there are", async () => {
    const many = kernelAtLeast("5.12") ? "task_vma" : "task_file";
    const { stdout, losses } = await runScript(
      `iter:${many} { @ = count(); printf("%s %-1000s|\\n", ctx.task.comm, "x"); }`,
    );
    expect(losses!.eventsLost).toBe(0);
    expect(stdout.match(/\|$/gm)?.length).toBe(counts(stdout, "@").get(""));
  });

  for (const [name, since] of [
    ["bpf_map", "5.8"],
    ["bpf_prog", "5.9"],
    ["netlink", "5.8"],
    ["task_vma", "5.12"],
    ["unix", "5.15"],
    ["ksym", "6.0"],
    ["cgroup", "6.1"],
  ]) {
    test.skipIf(!kernelAtLeast(since))(`${name} (Linux ${since})`, async () => {
      const { stdout, stderr } = await runScript(`iter:${name} { @ = count(); }`);
      expect(stderr).toBe("");
      expect(counts(stdout, "@").get("")).toBeGreaterThan(0);
    });
  }

  test.skipIf(!kernelAtLeast("6.1"))("cgroups are those of the filesystem (Linux 6.1)", async () => {
    const { stdout } = await runScript("iter:cgroup { @[str(ctx.cgroup.kn.name)] = count(); @n = count(); }");
    const mount = /^\S+ (\S+) cgroup2 /m.exec(readFileSync("/proc/mounts", "latin1"))?.[1];
    if (mount === undefined) return;
    const folders = execFileSync("find", [mount, "-type", "d"], { encoding: "utf8" }).trim().split("\n");
    expect(Math.abs(counts(stdout, "@n").get("")! - folders.length)).toBeLessThan(5);
  });

  test("begin and end stand before and behind", async () => {
    const { stdout, stderr, status } = await runScript(
      `begin { printf("head\\n"); @seen = 0; } iter:task /ctx.task.pid == ${pid}/ { printf("%s\\n", ctx.task.comm); @seen++; } end { printf("%d\\n", @seen); clear(@seen); }`,
    );
    expect(stderr).toBe("");
    expect(stdout.trim()).toBe("head\nsleep\n1");
    expect(status).toBe(0);
  });

  test.each([
    ["iter:tsk { }", "did you mean task"],
    ["iter:bpf_map_elem { }", "walks the entries of one map"],
    ["iter:task* { }", "iter takes no wildcards"],
    ["iter:task { } interval:s:1 { }", "an iterator cannot be mixed with interval probes"],
  ])("%s is refused", async (script, said) => {
    const { stderr, status } = await runScript(script);
    expect(stderr).toContain(said);
    expect(status).toBe(1);
  });
});

describe.skipIf(!isRoot)("pinned iterators", () => {
  const folder = mkdtempSync(join(tmpdir(), "tracedeck-bpffs-"));
  beforeAll(() => void execFileSync("mount", ["-t", "bpf", "bpf", folder]));
  afterAll(() => {
    execFileSync("umount", [folder]);
    rmdirSync(folder);
  });
  const pin = join(folder, "list");
  afterEach(() => rmSync(pin, { force: true }));

  test("stay when the script has ended, and run whenever they are read", async () => {
    const { stdout, stderr } = await runScript(
      `iter:task:${pin} { printf("%s:%d %5d|%x %c %%\\n", ctx.task.comm, ctx.task.pid, -7, 255, 65); }`,
    );
    expect(stderr).toBe("");
    expect(stdout).toBe(`Program pinned to ${pin}\n`);
    for (let i = 0; i < 2; i++) {
      const tasks = lines(readFileSync(pin, "latin1"));
      expect(tasks.filter((line) => line.endsWith(`:${process.pid}    -7|ff A %`))).toHaveLength(1);
      expect(tasks.length).toBeGreaterThan(5);
    }
    unlinkSync(pin);
    expect(existsSync(pin)).toBe(false);
  });

  test("the open files of one process", async () => {
    await runScript(`iter:task_file:${pin} { printf("%d\\n", ctx.fd); }`, ["-p", String(process.pid)]);
    const open = lines(readFileSync(pin, "latin1"));
    expect(open.slice(0, 3)).toEqual(["0", "1", "2"]);
    unlinkSync(pin);
  });

  test("a name that is taken, a place that is none", async () => {
    await runScript(`iter:task:${pin} { }`);
    await expect(runScript(`iter:task:${pin} { }`)).rejects.toThrow("EEXIST");
    unlinkSync(pin);
    await expect(runScript("iter:task:/tmp/tracedeck-list { }")).rejects.toThrow(/mount -t bpf bpf|EPERM/);
    await expect(runScript("iter:task:/no/such/place { }")).rejects.toThrow("ENOENT");
  });

  test.each([
    ["print(1)", "a pinned iterator can only printf()"],
    ['printf("%.2s", ctx.task.comm)', "the kernel, which knows"],
    ['printf("%s", kstack)', "can print numbers and strings"],
  ])("%s is refused", async (statement, said) => {
    const { stderr } = await runScript(`iter:task:${pin} { ${statement}; }`);
    expect(stderr).toContain(said);
    expect(existsSync(pin)).toBe(false);
  });
});
