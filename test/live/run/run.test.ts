/** What `tracedeck run` does besides tracing: output, exit codes, signals, -c, -p, files. */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { CLI, finish, isRoot, startTracedeck, tracedeck } from "../../support/cli.ts";

const folder = mkdtempSync(join(tmpdir(), "tracedeck-run-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = (script: string, ...args: string[]) => tracedeck(["run", ...args, "-e", script]);

describe.skipIf(!isRoot)("tracedeck run", () => {
  test("prints output, blank lines and maps on stdout, its own words on stderr", async () => {
    const { stdout, stderr, status } = await run(
      'begin { printf("hi\\n"); @x = 5; @["a"] = count(); exit(); }',
    );
    expect(stdout).toBe("hi\n\n\n@[a]: 1\n@x: 5\n");
    expect(stderr).toBe("Attached 1 probe\n");
    expect(status).toBe(0);
  });

  test("-q says nothing of its own", async () => {
    expect(await run("begin { @ = 1; exit(); }", "-q")).toEqual({
      stdout: "\n\n@: 1\n",
      stderr: "",
      status: 0,
    });
  });

  test("ends by itself when only begin and end have something to do", async () => {
    const { stdout, status } = await run('begin { printf("a\\n"); } end { printf("b\\n"); }');
    expect(stdout).toBe("a\nb\n\n\n");
    expect(status).toBe(0);
  });

  test("exit code of exit()", async () => {
    expect((await run("begin { exit(69); }")).status).toBe(69);
  });

  test("a script with errors ends with 1 and diagnostics", async () => {
    const { stdout, stderr, status } = await run("begin { prinft(1); }");
    expect(status).toBe(1);
    expect(stdout).toBe("");
    expect(stderr).toMatch(/^stdin:1:9-\d+: ERROR: .*prinft/);
    expect(stderr).toContain("printf");
  });

  test("JSON is one object per line", async () => {
    const script =
      'begin { printf("a\\n"); @x = 5; @h = hist(5); @s = stats(3); @k["a", 1] = count(); print((1, "b")); print(@x); exit(); }';
    const lines = (await run(script, "-f", "json")).stdout.trim().split("\n");
    expect(lines).toEqual([
      '{"type": "attached_probes", "count": 1, "data": {"probes": 1}}',
      '{"type": "printf", "data": "a\\n"}',
      '{"type": "value", "data": [1,"b"]}',
      '{"type": "map", "data": {"@x": 5}}',
      '{"type": "hist", "data": {"@h": [{"min": 4, "max": 7, "count": 1}]}}',
      '{"type": "map", "data": {"@k": {"a,1": 1}}}',
      '{"type": "stats", "data": {"@s": {"count": 1, "average": 3, "total": 3}}}',
      '{"type": "map", "data": {"@x": 5}}',
    ]);
    for (const line of lines) JSON.parse(line);
  });

  test("-o writes to a file", async () => {
    const file = join(folder, "out");
    const { stdout } = await run('begin { printf("to the file\\n"); exit(); }', "-o", file);
    expect(stdout).toBe("");
    expect(readFileSync(file, "utf8")).toBe("to the file\n\n\n");
  });

  test("-o where nothing can be written", async () => {
    const { stderr, status } = await run("begin { exit(); }", "-o", "/nowhere/file");
    expect(status).toBe(1);
    expect(stderr).toContain("/nowhere/file");
  });

  test("output that can't be stored ends the script with a word", async () => {
    const { stderr, status } = await run('interval:ms:5 { printf("x\\n"); }', "-q", "-o", "/dev/full");
    expect(stderr).toMatch(/^ERROR: the output can't be written: ENOSPC/);
    expect(status).toBe(1);
  });

  test("a file, standard input, positional and named parameters", async () => {
    const file = join(folder, "script.bt");
    writeFileSync(file, 'begin { printf("%d %s %d\\n", $1, str($2), getopt("n", 7)); exit(); }');
    expect((await tracedeck(["run", "-q", file, "5", "x", "--", "--n=9"])).stdout).toBe("5 x 9\n\n\n");
    expect(
      (await tracedeck(["run", "-q", "-", "5", "x"], { input: readFileSync(file, "utf8") })).stdout,
    ).toBe("5 x 7\n\n\n");
  });

  test("a file that is not there", async () => {
    const { stderr, status } = await tracedeck(["run", "missing.bt"]);
    expect(stderr).toBe("ERROR: failed to open file 'missing.bt': No such file or directory\n");
    expect(status).toBe(1);
  });

  test("-c runs a command and ends with it", async () => {
    const { stdout, status } = await run(
      "tracepoint:syscalls:sys_enter_exit_group /pid == cpid/ { @[comm] = count(); }",
      "-c",
      "/bin/true",
    );
    expect(stdout).toContain("@[true]: 1\n");
    expect(status).toBe(0);
  });

  test("-p ends with the process", async () => {
    const sleeper = spawn("sleep", ["30"]);
    const tracer = startTracedeck(
      ["run", "-p", String(sleeper.pid), "-e", 'interval:s:60 { } end { printf("over\\n"); }'],
      {
        TRACEDECK_NOTIFY_ATTACHED: "ready",
      },
    );
    await tracer.shows("ready\n");
    sleeper.kill();
    expect((await tracer.finished).stdout).toContain("over\n");
  });

  test("-p of a process that is not there, or no number", async () => {
    expect((await run("begin { exit(); }", "-p", "4000000")).status).not.toBe(0);
    expect((await run("begin { exit(); }", "-p", "12x")).stderr).toContain("12x");
  });

  test("-c of a program that is not there", async () => {
    const { stderr, status } = await run("begin { exit(); }", "-c", "no-such-program 1");
    expect(stderr).toContain("no-such-program");
    expect(status).toBe(1);
  });

  test("-c and -p together", async () => {
    expect((await run("begin { exit(); }", "-p", "1", "-c", "true")).status).toBe(1);
  });

  test("--probe-filter attaches what it finds, and begin and end", async () => {
    const script =
      'begin { @seen = 0; } interval:ms:7 { @bad = 1; } t:syscalls:sys_enter_* { @[probe] = count(); } own=interval:ms:5 { @own = 1; } end { printf("end\\n"); }';
    // Its start reads a library.
    const command = ["-c", "sleep 0.2"];
    const filter = ["--probe-filter", "^own$|sys_enter_(nanosleep|read)$"];
    const { stdout, status } = await run(script, "-q", ...command, ...filter);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^end\n/);
    expect(stdout).toContain("@own: 1\n");
    expect(stdout).not.toContain("@bad");
    const traced = [...stdout.matchAll(/@\[tracepoint:syscalls:sys_enter_(\w+)\]/g)].map(([, name]) => name);
    expect(traced).toContain("read");
    expect(traced.filter((name) => name !== "read" && name !== "nanosleep")).toEqual([]);
  });

  test("--probe-filter that finds nothing", async () => {
    const { stderr, status } = await run("interval:s:1 { exit(); }", "--probe-filter", "kprobe");
    expect(stderr).toContain("no probe of this script matches /kprobe/");
    expect(stderr).toContain("it has interval:s:1");
    expect(status).toBe(1);
  });

  test("SIGINT runs end, prints maps and ends with 0", async () => {
    const tracer = startTracedeck(
      ["run", "-e", 'begin { @a = 1; } interval:s:60 { } end { printf("end\\n"); }'],
      {
        TRACEDECK_NOTIFY_ATTACHED: "__attached",
      },
    );
    await tracer.shows("__attached\n");
    tracer.signal("SIGINT");
    expect(await tracer.finished).toMatchObject({ stdout: "__attached\nend\n\n\n@a: 1\n", status: 0 });
  });

  test("--dry-run prints nothing", async () => {
    expect(await run('begin { printf("hi\\n"); @ = 1; }', "--dry-run")).toEqual({
      stdout: "",
      stderr: "",
      status: 0,
    });
  });

  test("a reader that goes away ends the script", async () => {
    const tracer = startTracedeck(["run", "-e", 'interval:ms:5 { printf("line\\n"); }']);
    await tracer.shows("line\n");
    tracer.signal("SIGINT");
    await tracer.finished;
    const command = '"$0" "$1" run -q -e "interval:ms:2 { printf(\\"line\\\\n\\"); }" | head -2';
    const piped = await finish(["sh", "-c", command, ...CLI]);
    expect(piped).toMatchObject({ stdout: "line\nline\n", stderr: "", status: 0 });
  });

  test.each(["ast", "types", "ir", "bpf"])("-d %s prints the stage and runs nothing", async (stage) => {
    const { stdout, status } = await run('begin { printf("hi\\n"); @x = 1; }', "-d", stage);
    expect(status).toBe(0);
    expect(stdout.length).toBeGreaterThan(20);
    expect(stdout).not.toMatch(/^hi$/m);
  });

  test("-d verifier prints the kernel's words", async () => {
    expect((await run("begin { @x = 1; exit(); }", "-d", "verifier")).stdout).toMatch(/processed \d+ insns/);
  });

  test("system() wants --unsafe", async () => {
    const script = 'begin { system("echo %s", "a b"); exit(); }';
    expect((await run(script)).status).toBe(1);
    expect((await run(script, "-q", "--unsafe")).stdout).toBe("a b\n\n\n\n");
  });

  test("cat, time, strftime and join", async () => {
    const { stdout } = await run(
      'begin { cat("/proc/sys/kernel/ostype"); time("%Y\\n"); printf("%s\\n", strftime("%Y", nsecs)); exit(); }',
      "-q",
    );
    const year = String(new Date().getFullYear());
    expect(stdout).toBe(`Linux\n${year}\n${year}\n\n\n`);
  });

  test("-k reports failed helpers with their line", async () => {
    const { stderr } = await run("begin { delete(@a[2]); @a[1] = 1; exit(); }", "-q", "-k");
    expect(stderr).toMatch(
      /^stdin:1:9-\d+: WARNING: .*\nAdditional Info - helper: map_delete_elem, retcode: -2\n/,
    );
    expect(stderr).toContain("~~~~");
  });

  test("a full map is told at the end", async () => {
    const script = "config = { max_map_keys = 2 } begin { @[1] = 1; @[2] = 1; @[3] = 1; exit(); }";
    const { stdout, stderr } = await run(script, "-q");
    expect(stdout).toBe("\n\n@[1]: 1\n@[2]: 1\n");
    expect(stderr).toContain("Map full; can't update element: @ had no room 1 times");
    expect((await run(script, "-q", "--no-warnings")).stderr).toBe("");
  });

  test("traced bytes reach a pipe unchanged and a terminal visibly", async () => {
    const script = 'begin { printf("%s|\\n", str($1)); @[str($1)] = count(); exit(); }';
    const hostile = "a\u001b[2Jb";
    const piped = await tracedeck(["run", "-q", "-e", script, hostile]);
    expect(piped.stdout).toBe(`${hostile}|\n\n\n@[${hostile}]: 1\n`);
    const { spawn: spawnPty } = await import("@lydell/node-pty");
    const shown = await new Promise<string>((done) => {
      let text = "";
      const pty = spawnPty(CLI[0], [CLI[1], "run", "-q", "-e", script, hostile], { cols: 100, rows: 20 });
      pty.onData((data) => {
        text += data;
      });
      pty.onExit(() => done(text));
    });
    expect(shown.replaceAll("\r\n", "\n")).toBe("a\\x1b[2Jb|\n\n\n@[a\\x1b[2Jb]: 1\n");
  });

  test("a flood of lines is complete", async () => {
    const script =
      'begin { $i = 0; while ($i < 200) { $j = 0; while ($j < 200) { printf("%d %d\\n", $i, $j); $j++; } $i++; } exit(); }';
    const { stdout } = await run(script, "-q");
    const lines = stdout.trimEnd().split("\n");
    expect(lines.length).toBe(40_000);
    expect(lines.at(-1)).toBe("199 199");
  });

  test("errorf and warnf tell their place on stderr", async () => {
    const { stderr } = await run('begin { errorf("bad %d", 10); warnf("odd"); exit(); }', "-q");
    expect(stderr).toMatch(/^stdin:1:9-\d+: ERROR: bad 10\nstdin:1:\d+-\d+: WARNING: odd\n$/);
  });

  test.each([
    [["--quit"], "did you mean '--quiet'?"],
    [["-f", "xml"], "'json'"],
    [["-B", "some"], "'full'"],
    [["-d", "what"], "'bpf'"],
    [["--aot", "x"], "not available"],
    [["--bench", "--test"], "exclude each other"],
  ])("wrong options: %s", async (args, hint) => {
    const { stderr, status } = await run("begin { }", ...args);
    expect(status).toBe(1);
    expect(stderr).toContain(hint);
    expect(stderr).not.toContain("    at ");
  });
});
