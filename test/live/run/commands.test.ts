/** check, list, info and the command line's own words. */
import { chmodSync, copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { CLI, finish, isRoot, tracedeck } from "../../support/cli.ts";
import { cpuOfChildren } from "../../support/machine.ts";
import { slowness } from "../../support/slowness.ts";

describe("tracedeck check", () => {
  test("a good script: nothing and 0", async () => {
    expect(await tracedeck(["check", "-e", "begin { @ = count(); }"])).toEqual({
      stdout: "",
      stderr: "",
      status: 0,
    });
  });

  test("a broken script: every error on stdout and 1", async () => {
    const { stdout, status } = await tracedeck(["check", "-"], {
      input: "begin { @x = 1 + ; $y = foo(2); }\n",
    });
    expect(status).toBe(1);
    expect(stdout).toMatch(/^stdin:1:\d+-\d+: ERROR:/);
  });

  /** Broken, truncated and hostile: each ends soon, with diagnostics or nothing, never with a stack trace. */
  const hostile: [name: string, source: string][] = [
    ["empty", ""],
    ["only a comment", "// nothing"],
    ["unclosed comment", "/* begin { }"],
    ["unclosed block", "begin { if (1) { "],
    ["unclosed string", 'begin { printf("abc'],
    ["binary", "\u0000\u0001\u0002\u00ff begin { }"],
    ["deep parentheses", `begin { $x = ${"(".repeat(20_000)}1${")".repeat(20_000)}; }`],
    ["deep blocks", `begin ${"{".repeat(20_000)}${"}".repeat(20_000)}`],
    ["deep unary", `begin { $x = ${"!".repeat(50_000)}1; }`],
    ["long chain", `begin { $x = ${"1 + ".repeat(20_000)}1; }`],
    ["huge number", `begin { $x = ${"9".repeat(10_000)}; }`],
    ["huge string", `begin { $x = "${"a".repeat(1_000_000)}"; }`],
    ["long name", `begin { $${"a".repeat(100_000)} = 1; }`],
    ["unknown type", "begin { $x = (struct nothing_like_it *)0; $x->field; }"],
    ["unknown probe", "kproobe:vfs_read { }"],
    ["unknown tracepoint", "tracepoint:syscalls:sys_enter_opnat { }"],
    ["macro that calls itself", "macro a() { a() } begin { a(); }"],
    ["struct that holds itself", "struct a { struct a b; } begin { $x = (struct a *)0; $y = *$x; }"],
    ["endless unroll", "begin { unroll(1000000000) { @++; } }"],
    ["bad format", 'begin { printf("%d %s %q", 1); }'],
    ["division by zero", "begin { $x = 1 / 0; }"],
    ["escape sequences", 'begin { printf("\u001b[2J", nothing("\u001b]0;x\u0007")); }'],
    ["lone surrogate", "begin { $x = \ud800; }"],
    ["positional out of range", "begin { printf($99999999999); }"],
    ["lhist of nothing", "begin { @ = lhist(1, 0, 0, 0); }"],
    ["lhist of everything", "begin { @ = lhist(1, 0, 9223372036854775807, 1); }"],
    ["many errors", "begin { $; } ".repeat(3000)],
  ];
  test.each(hostile)("%s", async (_name, source) => {
    const before = performance.now();
    const { stdout, stderr, status } = await tracedeck(["check", "-"], { input: source });
    const took = performance.now() - before;
    expect([0, 1]).toContain(status);
    if (status === 1) expect(stdout).toContain("ERROR:");
    expect(stdout + stderr).not.toMatch(/^\s+at .*:\d+:\d+\)?$/m);
    expect(stdout + stderr).not.toContain("\u001b[2J");
    expect(took).toBeLessThan(20_000 * slowness);
  });
});

describe("tracedeck", () => {
  test("help and version", async () => {
    expect((await tracedeck(["--help"])).stdout).toContain("tracedeck run");
    expect((await tracedeck(["--version"])).stdout).toMatch(/^tracedeck \d+\.\d+\.\d+\n$/);
    for (const command of ["run", "check", "list", "info"]) {
      expect((await tracedeck([command, "--help"])).stdout).toContain(`tracedeck ${command}`);
    }
  });

  test("a command that does not exist", async () => {
    const { stderr, status } = await tracedeck(["lisst"]);
    expect(stderr).toContain("did you mean 'tracedeck list'?");
    expect(status).toBe(1);
  });
});

describe("options without a command", () => {
  test.each<[string[], string]>([
    [["--max-overhead", "200%", "x.bt"], "--max-overhead takes percent of all CPUs' time"],
    [["--max-overhead=1%", "--nothing"], "the deck has no option --nothing"],
    [["--run"], "--run what?"],
    [["--run", "a.bt", "b.bt"], "the deck opens one script"],
    [["--max-overhead", "5%"], "the deck needs a terminal"],
    [["-e", "begin { }"], "bpftrace's are those of run: tracedeck run -e"],
  ])("%j", async (args, message) => {
    const { stderr, status } = await tracedeck(args);
    expect(stderr).toContain(message);
    expect(status).toBe(1);
  });
});

describe.skipIf(!isRoot)("tracedeck list", () => {
  test("tracepoints with their arguments", async () => {
    expect((await tracedeck(["list", "-v", "tracepoint:syscalls:sys_enter_openat"])).stdout).toBe(
      [
        "tracepoint:syscalls:sys_enter_openat",
        "    int __syscall_nr",
        "    int dfd",
        "    const char * filename",
        "    int flags",
        "    umode_t mode",
        "",
      ].join("\n"),
    );
  });

  test("a word is looked for in every type", async () => {
    const { stdout } = await tracedeck(["list", "*sched_switch*"]);
    expect(stdout).toContain("tracepoint:sched:sched_switch\n");
    expect(stdout).toContain("rawtracepoint:vmlinux:sched_switch\n");
  });

  test("functions of a binary", async () => {
    expect((await tracedeck(["list", "uprobe:/bin/bash:readline"])).stdout).toMatch(
      /^uprobe:\/.*bash:readline\n$/,
    );
  });

  test("what there is of a type, by name", async () => {
    expect((await tracedeck(["list", "begin,END,self"])).stdout).toBe("begin\nend\nself:signal:SIGUSR1\n");
    expect((await tracedeck(["list", "interval"])).stdout).toBe(
      "interval:hz:\ninterval:us:\ninterval:ms:\ninterval:s:\n",
    );
    for (const pattern of ["uprobe:/bin/bash:read*", "tracepoint:*", "iter", "rt:*"]) {
      const lines = (await tracedeck(["list", pattern])).stdout.trimEnd().split("\n");
      expect(lines.length).toBeGreaterThan(3);
      expect(lines).toEqual(lines.toSorted());
    }
  });

  test("raw tracepoints, iterators, USDT probes with their arguments", async () => {
    expect((await tracedeck(["list", "-v", "rt:sched_process_fork,iter:task_vma"])).stdout).toBe(
      [
        "rawtracepoint:vmlinux:sched_process_fork",
        "    struct task_struct * parent",
        "    struct task_struct * child",
        "iter:task_vma",
        "    struct task_struct * task",
        "    struct vm_area_struct * vma",
        "",
      ].join("\n"),
    );
    const usdt = await tracedeck(["list", "-v", "usdt:libstdc++:throw"]);
    expect(usdt.stdout).toMatch(
      /^usdt:\/.*libstdc\+\+.*:libstdcxx:throw\n {4}uint64 arg0\n {4}uint64 arg1\n$/,
    );
  });

  test("what a process has mapped", async () => {
    const pid = String(process.pid);
    const functions = (await tracedeck(["list", "-p", pid, "uprobe:*:uv_run"])).stdout;
    expect(functions).toBe(`uprobe:${process.execPath}:uv_run\n`);
    const everything = (await tracedeck(["list", "-p", pid, "*uv_run"])).stdout;
    expect(everything).toContain(functions);
    // What has no debug info is said once, and of nothing but what was listed.
    const { stderr } = await tracedeck(["list", "-v", "-p", pid, "uprobe:*:uv_run"]);
    expect(stderr.match(/WARNING/g) ?? []).toHaveLength(stderr === "" ? 0 : 1);
    expect(stderr.replace(process.execPath, "")).not.toMatch(/WARNING: \S*\//);
    const points = (await tracedeck(["list", "-p", pid, "usdt:*"])).stdout;
    expect(points).toContain(":libstdcxx:catch\n");
  });

  test.each([
    ["tracepoint:sched:sched_swich", "did you mean tracepoint:sched:sched_switch?"],
    ["tracepiont:sched:sched_switch", "did you mean tracepoint?"],
    ["struct task_strukt", "did you mean struct task_struct?"],
    ["enum pid_typ", "did you mean enum pid_type"],
    ["iter:tsk", "did you mean iter:task"],
    ["usdt:libstdc++:thro", ":libstdcxx:throw"],
    ["uprobe:/no/such/file:x", "there is no file /no/such/file"],
    ["watchpoint", "they are written as watchpoint:ADDRESS:LENGTH:MODE"],
    ["bench:*", "they are written as bench:NAME"],
    ["tracepoint:*:nothing_of_this*", "no probe matches tracepoint:*:nothing_of_this*"],
  ])("%s: nothing, said so, and 1", async (pattern, said) => {
    const { stdout, stderr, status } = await tracedeck(["list", pattern]);
    expect(stdout).toBe("");
    expect(stderr).toContain(said);
    expect(status).toBe(1);
  });

  test("structs", async () => {
    const { stdout } = await tracedeck(["list", "-v", "struct file"]);
    expect(stdout).toMatch(/^vmlinux: struct file \{\n/);
    expect(stdout).toContain("struct inode *f_inode;");
    const names = (await tracedeck(["list", "struct *task_struct"])).stdout;
    expect(names.split("\n")).toContain("struct task_struct");
    expect((await tracedeck(["list", "-v", "enum pid_type"])).stdout).toMatch(
      /^vmlinux: enum pid_type \{\n\tPIDTYPE_PID = 0,\n\tPIDTYPE_TGID = 1,\n/,
    );
  });

  test("through run -l, as bpftrace does, also for a program", async () => {
    expect((await tracedeck(["run", "-l", "software:cpu-c*"])).stdout).toBe("software:cpu-clock:\n");
    expect((await tracedeck(["run", "-l", "-e", "tracepoint:sched:sched_wak* { }"])).stdout).toContain(
      "tracepoint:sched:sched_wakeup\n",
    );
  });

  test("everything takes well under a second", async () => {
    let lines = 0;
    const cpu = await cpuOfChildren(async () => {
      lines = (await tracedeck(["list"])).stdout.split("\n").length;
    });
    expect(lines).toBeGreaterThan(1000);
    expect(cpu).toBeLessThan(2_000 * slowness);
  });
});

describe("tracedeck info", () => {
  test("says what is possible and how to get what is not", async () => {
    const { stdout, status } = await tracedeck(["info"]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^System\n/);
    expect(stdout).toContain("Features\n");
    for (const line of stdout.split("\n").filter((l) => /^ {2}(yes|no|\?) /.test(l))) {
      expect(line).toMatch(/^ {2}(yes|no|\?)\s+\S+\s+\S/);
    }
    expect(stdout).not.toContain("1 functions");
    if (/^ {2}no +kprobes /m.test(stdout))
      expect(stdout).toMatch(/kprobe_multi .*\n +this kernel has no kprobes at all\n/);
  });

  test.skipIf(!isRoot)("a user that the system knows no name for is told by number", async () => {
    const { stdout, status } = await tracedeck(["info"], { uid: 54321 });
    expect(status).toBe(0);
    expect(stdout).toMatch(/user\s+54321 \(54321\)/);
  });
});

describe("output that cannot be written", () => {
  test.each([
    ["--help"],
    ["deck --help"],
    ["--version"],
    ["info"],
    ["list 'tracepoint:sched:*'"],
    ["list --help"],
    ["check -e 'begin { x }'"],
    ["run -q -e 'begin { print(1); exit(); }'"],
    ["run --bench -e 'bench:a { @ = 1; }'"],
  ])("a full disk: tracedeck %s", async (args) => {
    const [node, cli] = CLI;
    const { stderr, status } = await finish(["sh", "-c", `exec '${node}' '${cli}' ${args} > /dev/full`]);
    expect(stderr).toBe("ERROR: the output can't be written: ENOSPC: no space left on device, write\n");
    expect(status).toBe(1);
  });

  test("neither can what went wrong be told: the exit code is the same", async () => {
    const [node, cli] = CLI;
    const { status } = await finish([
      "sh",
      "-c",
      `exec '${node}' '${cli}' check -e 'x' 2> /dev/full > /dev/null`,
    ]);
    expect(status).toBe(1);
  });

  test.each([
    ["/no/such/directory/file", "no such", "its directory exists"],
    ["/", "is a directory", "ERROR: cannot write output to '/'"],
  ])("%s", async (path, why, said) => {
    const { stdout, stderr, status } = await tracedeck(["run", "-o", path, "-e", "begin { exit(); }"]);
    expect(stdout).toBe("");
    expect(stderr).toContain(`cannot write output to '${path}': ${why}`);
    expect(stderr).toContain(said);
    expect(status).toBe(1);
  });
});

describe.skipIf(!isRoot)("without rights", () => {
  test("run says what is missing and what to type", async () => {
    const { stderr, status } = await tracedeck(["run", "-e", "begin { exit(); }"], { uid: 65534 });
    expect(status).toBe(1);
    expect(stderr).toContain("sudo tracedeck run -e 'begin { exit(); }'");
  });

  test("a process of somebody else's can't be looked at: said, and 1, also by run -l", async () => {
    const looked = ["-p", String(process.pid), "usdt:*"];
    for (const command of [["list"], ["run", "-l"]]) {
      const { stdout, stderr, status } = await tracedeck([...command, ...looked], { uid: 65534 });
      expect(stdout).toBe("");
      expect(stderr).toContain(`the files of process ${process.pid} may not be looked at by this user`);
      expect(status).toBe(1);
    }
    // A pattern without matches is none of what it complains of, as in bpftrace.
    expect((await tracedeck(["run", "-l", "usdt:libc:nothing*"])).status).toBe(0);
  });

  test.each(["uprobe", "usdt"])(
    "list says that a file of %s can't be read, and nothing else",
    async (type) => {
      const folder = mkdtempSync(join(tmpdir(), "tracedeck-unreadable-"));
      chmodSync(folder, 0o755);
      const file = join(folder, "app");
      copyFileSync("/bin/true", file);
      chmodSync(file, 0o700);
      const list = (spec: string) => tracedeck(["list", spec], { uid: 65534 });
      const [closed, hidden] = [await list(`${type}:${file}:*`), await list(`${type}:/proc/1/root/x:*`)];
      rmSync(folder, { recursive: true });
      expect(closed).toEqual({
        stdout: "",
        stderr: `ERROR: ${file}: it can't be read: permission denied. Run as root, or have it made readable\n`,
        status: 1,
      });
      expect(hidden.stderr).toMatch(
        /^ERROR: \/proc\/1\/root\/x can't be read: permission denied\nHINT: .*\n$/,
      );
    },
  );
});
