/** Every way to say which user function is meant, and exact counts of its calls. */
import { copyFileSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { kernelAtLeast } from "libbpf-ts";
import { afterAll, describe, expect, test } from "vitest";
import { findLibrary } from "../../../src/engine/kernel/ldCache.ts";
import { liveKernel } from "../../../src/engine/kernel/live.ts";
import { runScript } from "../../support/script.ts";
import { counts } from "../work/support.ts";
import { canTraceC, userProgram, waiting } from "./support.ts";

const COUNTED = "{ @[func] = count(); }";

const called = (stdout: string): Record<string, number> => Object.fromEntries(counts(stdout, "@"));

/** `func` of a return probe: before Linux 6.6 the kernel tells only where the function returns to. */
const ofReturn = (name: string, caller: string) => (kernelAtLeast("6.6") ? name : caller);

describe.skipIf(!canTraceC)("user functions", () => {
  const program = userProgram("userfns");
  const variants = [
    ["position-independent", program],
    ["at a fixed address", userProgram("userfns-fixed", "-no-pie")],
    ["static", userProgram("userfns-static", "-static")],
    ["static and position-independent", userProgram("userfns-static-pie", "-static-pie")],
  ] as const;
  const folder = mkdtempSync(join(tmpdir(), "tracedeck-user-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const trace = (spec: string, count = 5, args: readonly string[] = []) =>
    runScript(`${spec} ${COUNTED}`, ["-c", `${program.path} ${count}`, ...args]);

  test.each(variants)("of a program that is %s", async (_, { path }) => {
    const { stdout, stderr } = await runScript(`uprobe:${path}:user_* ${COUNTED}`, ["-c", `${path} 7`]);
    expect(stderr).toBe("");
    // The child is another process than the one of -c.
    expect(called(stdout)).toEqual({ user_alpha: 7, user_beta: 14, user_hidden: 7, user_in_thread: 7 });
  });

  test.each([
    ["uprobe:user_beta", { user_beta: 10 }],
    ["uprobe:*:user_be?a", { user_beta: 10 }],
    ["uprobe:*:user_[ab]*", { user_alpha: 5, user_beta: 10 }],
    ["uretprobe:*:user_hidden", { [ofReturn("user_hidden", "main")]: 5 }],
  ])("%s with -c means the command's program and what it is linked to", async (spec, expected) => {
    const { stdout, stderr } = await trace(spec);
    expect(stderr).toBe("");
    expect(called(stdout)).toEqual(expected);
  });

  test("libraries by their short name, their file's name, a path and a pattern of paths", async () => {
    const script = ["libc", "libc.so.6", "/usr/lib/*/libc.so.?", "*"]
      .map((target, i) => `uprobe:${target}:pthread_create { @[${i}] = count(); }`)
      .join(" ");
    const { stdout, stderr } = await runScript(script, ["-c", `${program.path} 1`]);
    expect(stderr).toBe("");
    expect(called(stdout)).toEqual({ 0: 1, 1: 1, 2: 1, 3: 1 });
  });

  test("of -p, the library that the process has loaded, wherever from", async () => {
    const { arch } = liveKernel();
    const own = join(realpathSync(folder), "libraries");
    mkdirSync(own);
    copyFileSync(findLibrary("libc", arch)!, join(own, "libc.so.6"));
    using traced = await waiting("env", 4, [`LD_LIBRARY_PATH=${own}`, program.path]);
    const { stdout, stderr } = await runScript(
      "uprobe:libc:pthread_create { @ = count(); }",
      ["-p", String(traced.pid)],
      () => traced.go(),
    );
    expect(stderr).toBe("");
    expect(called(stdout)).toEqual({ "": 1 });
  });

  test("a function that has moved to a library is found there", async () => {
    const { stderr, status } = await runScript(`uprobe:${program.path}:pthread_create { @ = count(); }`);
    expect(status).toBe(1);
    expect(stderr).toMatch(/HINT: (\/\S+\/libc\.so\.6), which it loads, has it: uprobe:\1:pthread_create\n/);
  });

  test("versions of a symbol", async () => {
    const ofVersion = (version: string) =>
      runScript(`uprobe:libc:pthread_create@${version} { @[0] = count(); }`, ["-c", `${program.path} 1`]);
    const newest = await ofVersion("@GLIBC_2.34");
    expect(newest.stderr).toBe("");
    expect(called(newest.stdout)).toEqual({ 0: 1 });
    const { stderr, status } = await ofVersion("GLIBC_9.9");
    expect(status).toBe(1);
    expect(stderr).toContain("there is no function pthread_create@GLIBC_9.9 in");
  });

  test("a relative path stays as it is written", async () => {
    const path = relative(process.cwd(), program.path);
    const { stdout, stderr } = await runScript(`uprobe:${path}:user_b* { @[probe] = count(); }`, [
      "-c",
      `${program.path} 3`,
    ]);
    expect(stderr).toBe("");
    expect(counts(stdout, "@")).toEqual(new Map([[`uprobe:${path}:user_beta`, 6]]));
  });

  test("programs by their name in PATH", async () => {
    const { PATH } = process.env;
    process.env.PATH = `${folder}:${PATH}`;
    copyFileSync(program.path, join(folder, "found-by-name"));
    try {
      const spec = "uprobe:found-by-name:user_alpha, uprobe:found-by-n*e:user_hidden";
      const { stdout, stderr } = await runScript(`${spec} ${COUNTED}`, ["-c", "found-by-name 4"]);
      expect(stderr).toBe("");
      expect(called(stdout)).toEqual({ user_alpha: 4, user_hidden: 4 });
    } finally {
      process.env.PATH = PATH;
    }
  });

  test("one file by several names is probed once", async () => {
    const [one, two] = [join(folder, "twin-a"), join(folder, "twin-b")];
    copyFileSync(program.path, one);
    symlinkSync(one, two);
    const { stdout, stderr } = await runScript(`uprobe:${folder}/twin-*:user_alpha ${COUNTED}`, [
      "-c",
      `${two} 3`,
    ]);
    expect(stderr).toBe("");
    expect(called(stdout)).toEqual({ user_alpha: 3 });
  });

  test("an address is that of the symbol, and an offset counts from it", async () => {
    const [{ address }] = liveKernel().binaries(program.path)[0].functions("user_beta");
    const { stdout, stderr } = await trace(`uprobe:${program.path}:0x${address.toString(16)}`);
    expect(stderr).toBe("");
    expect(called(stdout)).toEqual({ user_beta: 10 });
  });

  test("only the process of -p, all of its threads, none of its children", async () => {
    using traced = await waiting(program.path, 6);
    using other = await waiting(program.path, 50);
    const script = `uprobe:user_* ${COUNTED} uprobe:*:user_b* { @all = count(); }`;
    const { stdout, stderr } = await runScript(script, ["-p", String(traced.pid)], async () => {
      await other.go();
      await traced.go();
    });
    expect(stderr).toBe("");
    expect(called(stdout)).toEqual({ user_alpha: 6, user_beta: 12, user_hidden: 6, user_in_thread: 6 });
    expect(stdout).toContain("@all: 12\n");
  });

  test("one function alone keeps to the process of -p as well", async () => {
    using traced = await waiting(program.path, 6);
    using other = await waiting(program.path, 50);
    const { stdout, stderr } = await runScript(
      `uretprobe:${program.path}:user_in_thread ${COUNTED}`,
      ["-p", String(traced.pid)],
      async () => {
        await other.go();
        await traced.go();
      },
    );
    expect(stderr).toBe("");
    expect(called(stdout)).toEqual({ [ofReturn("user_in_thread", "in_thread")]: 6 });
  });

  test("without -p every process", async () => {
    using one = await waiting(program.path, 2);
    using two = await waiting(program.path, 3);
    const { stdout } = await runScript(
      `uprobe:${program.path}:user_* { @[probe] = count(); }`,
      [],
      async () => {
        await one.go();
        await two.go();
      },
    );
    const shown = (name: string) => `uprobe:${program.path}:user_${name}`;
    expect(called(stdout)).toEqual({
      [shown("alpha")]: 5,
      [shown("beta")]: 10,
      [shown("hidden")]: 5,
      [shown("in_thread")]: 5,
      [shown("in_child")]: 5,
    });
  });

  test("a program whose file was removed, by the path that it had", async () => {
    const path = join(realpathSync(folder), "removed");
    copyFileSync(program.path, path);
    using traced = await waiting(path, 4);
    rmSync(path);
    const gone = await runScript(`uprobe:${path}:user_alpha ${COUNTED}`);
    expect(gone.status).toBe(1);
    expect(gone.stderr).toContain("deleted ones are found with -p PID");
    const { stdout, stderr } = await runScript(
      `uprobe:${path}:user_alpha, uprobe:user_beta { @[probe] = count(); }`,
      ["-p", String(traced.pid)],
      () => traced.go(),
    );
    expect(stderr).toBe("");
    expect(Object.values(called(stdout)).sort()).toEqual([4, 8]);
  });

  test("a program in a mount namespace of its own, by the paths that it sees", async () => {
    const { path } = variants[2][1];
    const inside = join(realpathSync(folder), "inside");
    mkdirSync(inside);
    const shell = `mount -t tmpfs none ${inside} && cp ${path} ${inside}/contained && PATH=${inside} exec ${inside}/contained "$@"`;
    using traced = await waiting("unshare", 4, ["-m", "sh", "-c", shell, "sh"]);
    const script = [`${inside}/contained:user_alpha`, "contained:user_beta", "user_hidden", "*:user_in_thr*"]
      .map((spec, i) => `uprobe:${spec} { @[${i}] = count(); }`)
      .join(" ");
    const { stdout, stderr } = await runScript(script, ["-p", String(traced.pid)], () => traced.go());
    expect(stderr).toBe("");
    expect(called(stdout)).toEqual({ 0: 4, 1: 8, 2: 4, 3: 4 });
  });

  test("a path may hold what looks like a wildcard", async () => {
    const path = join(folder, "odd[1]{name");
    copyFileSync(program.path, path);
    const { stdout, stderr } = await runScript(`uprobe:"${path}":user_alpha { @ = count(); }`, [
      "-c",
      `'${path}' 2`,
    ]);
    expect(stderr).toBe("");
    expect(stdout).toBe("@: 2\n");
  });
});
