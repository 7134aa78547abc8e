import { execFileSync, spawn } from "node:child_process";
import { closeSync, openSync, readdirSync, readlinkSync } from "node:fs";
import { describe, expect, it, vi } from "vitest";
import { Containers } from "../../../src/engine/containers/resolver.ts";
import { Engine } from "../../../src/engine/engine.ts";
import { liveKernel } from "../../../src/engine/kernel/live.ts";
import type { EngineMessage, Snapshot } from "../../../src/engine/protocol.ts";
import { commandPath } from "../../support/cli.ts";
import { slowness } from "../../support/slowness.ts";
import { program } from "../work/support.ts";
import { built, Conversation, type Of } from "./conversation.ts";
import { leftAfter, programsOf } from "./programs.ts";

const work = program("work.c");

const row = (snapshot: Snapshot, map: string, key: string) =>
  snapshot.maps.find((m) => m.name === map)?.rows.find((r) => r.key[0] === key);

describe("the cost guard", () => {
  const COSTLY =
    "tracepoint:syscalls:sys_enter_getppid { @[kstack, pid] = count(); @b[kstack(3), comm] = count(); }";

  function busyProgram(): Disposable {
    const child = spawn(work.path, ["calls", "2000000000"], { stdio: "ignore" });
    return { [Symbol.dispose]: () => void child.kill("SIGKILL") };
  }

  it("ends a costly script, saying so, and keeps its maps in the last snapshot", async () => {
    using _ = busyProgram();
    using engine = new Conversation();
    engine.start(1, COSTLY, { maxOverhead: 0.2 });
    const ended = await engine.state(1, "ended");
    expect(ended.error).toMatch(
      /^stopped: the script took .*, and may take 0.2%; most of it .*sys_enter_getppid/,
    );
    const last = engine.messages.findLast((message) => message.kind === "snapshot") as Of<"snapshot">;
    expect(last.snapshot.maps.find(({ name }) => name === "@b")!.total).toBeGreaterThan(0);
  });

  it("takes a limit for what already runs", async () => {
    using _ = busyProgram();
    using engine = new Conversation();
    engine.start(1, COSTLY);
    await engine.state(1, "running");
    await engine.snapshot(1, (snapshot) => snapshot.cost.cpuPercent > 0);
    expect(engine.messages.some((m) => m.kind === "state" && m.state === "ended")).toBe(false);
    engine.send({ kind: "guard", maxOverhead: 0.2 });
    expect((await engine.state(1, "ended")).error).toMatch(/may take 0.2%/);
  });

  const setpriv = commandPath("setpriv");
  it.skipIf(!setpriv)("says what holds where the kernel's statistics are not permitted", async () => {
    // BPF_ENABLE_STATS takes CAP_SYS_ADMIN; loading and attaching do not.
    using engine = new Conversation([setpriv!, "--bounding-set", "-sys_admin", "--inh-caps", "-sys_admin"]);
    const source = "tracepoint:syscalls:sys_enter_write { @[comm] = count(); }";
    const said = (session: number, text: string) =>
      engine.next("output", (m) => m.session === session && m.lines.some((line) => line.text.includes(text)));
    engine.start(1, source, { maxOverhead: 50 });
    await said(1, "it is stopped at twice its share only");
    // Programs that were loaded without a limit do not watch themselves.
    engine.start(2, source);
    await engine.state(2, "running");
    engine.send({ kind: "guard", maxOverhead: 50 });
    await said(2, "it is not stopped, having been started without a limit");
  });
});

describe("a session that fails while it runs", () => {
  const openFiles = () =>
    readdirSync("/proc/self/fd").flatMap((fd) => {
      try {
        return [{ fd: Number(fd), target: readlinkSync(`/proc/self/fd/${fd}`) }];
      } catch {
        return [];
      }
    });

  it("says so, and the others go on", async () => {
    const messages: EngineMessage[] = [];
    const engine = new Engine({
      kernel: liveKernel(),
      containers: new Containers(),
      send: (message) => void messages.push(message),
      ready: () => true,
    });
    const states = (id: number) =>
      messages.flatMap((m) => (m.kind === "state" && m.session === id ? [m.state] : []));
    const until = (holds: () => boolean) =>
      vi.waitFor(() => expect(holds()).toBe(true), { timeout: 20_000 * slowness });
    const source = "tracepoint:syscalls:sys_enter_write { @[comm] = count(); }";
    const before = new Set(openFiles().map(({ fd }) => fd));
    engine.receive({ kind: "start", session: 1, source, options: {} });
    await until(() => states(1).includes("running"));
    const maps = openFiles().filter(({ fd, target }) => !before.has(fd) && target === "anon_inode:bpf-map");
    engine.receive({ kind: "start", session: 2, source, options: {} });
    await until(() => states(2).includes("running"));
    // Something else is where the first script's maps were.
    const others: number[] = [];
    for (const { fd } of maps) closeSync(fd);
    while (maps.some(({ fd }) => !others.includes(fd))) others.push(openSync("/dev/null", "r"));
    await until(() => states(1).includes("failed"));
    const failed = messages.find((m) => m.kind === "state" && m.session === 1 && m.state === "failed");
    expect(failed).toMatchObject({ error: expect.stringMatching(/^bpf\(BPF_MAP_/) });
    for (const fd of others.filter((one) => !maps.some(({ fd }) => fd === one))) closeSync(fd);
    engine.receive({ kind: "stop", session: 2 });
    await until(() => states(2).includes("ended"));
    engine.close();
  });
});

describe("the engine process", () => {
  it("says what it runs on", async () => {
    using engine = new Conversation();
    const hello = await engine.next("hello");
    expect(hello.kernel).toMatch(/^\d+\.\d+/);
    expect(hello.cpus).toBeGreaterThan(0);
    expect(hello.obstacles).toEqual([]);
  });

  it("checks without running", async () => {
    using engine = new Conversation();
    engine.send({ kind: "check", id: 1, source: "tracepoint:sched:nope { @ = count(); }" });
    engine.send({ kind: "check", id: 2, source: "begin { @a[pid] = count(); }" });
    const bad = await engine.next("checked", (message) => message.id === 1);
    expect(bad.diagnostics[0]).toMatchObject({ severity: "error", line: 1, column: 1 });
    expect(bad.shape).toBeUndefined();
    const good = await engine.next("checked", (message) => message.id === 2);
    expect(good.diagnostics).toEqual([]);
    expect(good.shape?.maps).toEqual([{ name: "@a", kind: "count", keys: ["pid"] }]);
  });

  it("lists probes, as many as were asked for", async () => {
    using engine = new Conversation();
    engine.send({ kind: "list", id: 7, pattern: "tracepoint:sched:*", verbose: false, limit: 3 });
    const listed = await engine.next("listed", (message) => message.id === 7);
    expect(listed.probes).toHaveLength(3);
    expect(listed.total).toBeGreaterThan(3);
    expect(listed.probes[0]).toMatch(/^tracepoint:sched:/);
  });

  it("runs a script from start to stop and shows its map", async () => {
    using engine = new Conversation();
    engine.send({ kind: "interval", milliseconds: 100 });
    engine.start(1, "tracepoint:syscalls:sys_enter_openat { @[comm] = count(); }");
    const running = await engine.state(1, "running");
    expect(running.probes).toBe(1);
    for (let i = 0; i < 3; i++) execFileSync("cat", ["/dev/null"]);
    const snapshot = await engine.snapshot(1, (s) => (row(s, "@", "cat")?.value ?? 0) >= 3);
    expect(row(snapshot, "@", "cat")?.text).toBe(String(row(snapshot, "@", "cat")?.value));
    expect(snapshot.cost.events).toBeGreaterThan(0);
    expect(snapshot.losses.eventsLost).toBe(0);
    engine.send({ kind: "stop", session: 1 });
    await engine.state(1, "ended");
  });

  it("shows what a view asks for", async () => {
    using engine = new Conversation();
    engine.send({ kind: "interval", milliseconds: 100 });
    engine.start(
      1,
      "begin { @[1] = 10; @[2] = 30; @[12] = 20; @h = hist(5); } interval:ms:50 { @n = count(); }",
    );
    await engine.snapshot(1, (s) => s.maps[0].total === 3);
    engine.send({ kind: "view", session: 1, map: "@", rows: 2, order: "value", descending: true });
    const top = await engine.snapshot(1, (s) => s.maps[0].rows.length === 2);
    expect(top.maps[0].rows.map((r) => [r.key, r.value])).toEqual([
      [["2"], 30],
      [["12"], 20],
    ]);
    expect(top.maps[0]).toMatchObject({ total: 3, sum: 60, kind: "integer" });
    engine.send({
      kind: "view",
      session: 1,
      map: "@",
      rows: 9,
      order: "key",
      descending: false,
      filter: "1",
    });
    const filtered = await engine.snapshot(1, (s) => s.maps[0].rows[0]?.key[0] === "1");
    expect(filtered.maps[0].rows.map((r) => r.key[0])).toEqual(["1", "12"]);
    const histogram = filtered.maps.find((m) => m.name === "@h")?.rows[0].histogram;
    expect(histogram?.buckets).toEqual([{ low: 4, high: 8, count: 1, label: "[4, 8)" }]);
  });

  it("sends the tail of output in order, and an exit code", async () => {
    using engine = new Conversation();
    engine.start(
      1,
      'begin { @a = 5; printf("one "); printf("two\\n"); print(@a); print((1, "x")); exit(4); }',
    );
    const ended = await engine.state(1, "ended");
    expect(ended.exitCode).toBe(4);
    const lines = engine.messages.flatMap((m) => (m.kind === "output" ? m.lines : []));
    expect(lines.map((line) => [line.kind, line.text])).toEqual([
      ["printf", "one two"],
      ["map", "@a: 5"],
      ["print", "(1, x)"],
    ]);
  });

  it("counts what a flood prints and formats only the end", async () => {
    using engine = new Conversation();
    engine.start(
      1,
      'begin { printf("first\\n"); } tracepoint:syscalls:sys_enter_getppid { printf("%d\\n", pid); @ = count(); }',
    );
    await engine.state(1, "running");
    execFileSync(work.path, ["calls", "100000"]);
    engine.send({ kind: "stop", session: 1 });
    await engine.state(1, "ended");
    const output = engine.messages.filter((m) => m.kind === "output");
    const shown = output.reduce((sum, m) => sum + m.lines.length, 0);
    const skipped = output.reduce((sum, m) => sum + m.skipped, 0);
    expect(skipped).toBeGreaterThan(10_000 / slowness);
    const snapshots = engine.messages.filter((m) => m.kind === "snapshot");
    const last = snapshots.at(-1)!.snapshot;
    expect(last.losses.eventsLost + shown + skipped).toBe(last.maps[0].sum + 1);
  });

  it("runs sessions side by side, and tells failures apart", async () => {
    using engine = new Conversation();
    engine.send({ kind: "interval", milliseconds: 100 });
    engine.start(1, "interval:ms:20 { @a = count(); }");
    engine.start(2, "interval:ms:20 { @b = count(); }");
    engine.start(3, "interval:ms:20 { @c = nonsense; }");
    const failed = await engine.state(3, "failed");
    expect(failed.diagnostics?.[0].message).toContain("nonsense");
    await engine.snapshot(1, (s) => s.maps[0].name === "@a" && s.maps[0].sum > 2);
    await engine.snapshot(2, (s) => s.maps[0].name === "@b" && s.maps[0].sum > 2);
    engine.send({ kind: "stop", session: 1 });
    await engine.state(1, "ended");
    const seen = engine.messages.length;
    await engine.snapshot(2, (s) =>
      engine.messages.slice(seen).some((m) => m.kind === "snapshot" && m.snapshot === s),
    );
  });

  it("runs a child and ends with it", async () => {
    using engine = new Conversation();
    engine.start(1, "tracepoint:syscalls:sys_enter_execve /pid == cpid/ { @ = count(); }", {
      command: "/bin/echo from the child",
    });
    const ended = await engine.state(1, "ended");
    expect(ended.exitCode).toBe(0);
    const snapshots = engine.messages.filter((m) => m.kind === "snapshot");
    expect(snapshots.at(-1)!.snapshot.maps[0].sum).toBe(1);
    const output = await engine.next("output");
    expect(output.lines[0].text).toBe("from the child");
  });
});

describe("its end", () => {
  const script = "tracepoint:syscalls:sys_enter_mount,tracepoint:sched:sched_process_exit { @ = count(); }";

  async function attachedEngine(): Promise<{ child: ReturnType<typeof spawn>; programs: number[] }> {
    const { encodeFrame } = await import("../../../src/engine/framing.ts");
    const child = spawn(process.execPath, [built.path], { stdio: ["pipe", "pipe", "inherit"] });
    child.stdin!.write(encodeFrame({ kind: "start", session: 1, source: script, options: {} }));
    const deadline = performance.now() + 20_000 * slowness;
    let said = "";
    child.stdout!.on("data", (chunk: Buffer) => {
      said += chunk.toString("latin1");
    });
    while (!said.includes("running") && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(said).toContain("running");
    return { child, programs: programsOf(child.pid!) };
  }

  it.each<[string, (child: ReturnType<typeof spawn>) => void]>([
    ["its input ends", (child) => child.stdin!.end()],
    ["SIGINT", (child) => void child.kill("SIGINT")],
    ["SIGTERM", (child) => void child.kill("SIGTERM")],
    ["SIGHUP", (child) => void child.kill("SIGHUP")],
    ["SIGKILL", (child) => void child.kill("SIGKILL")],
  ])("comes soon when %s, with nothing left attached", async (_, end) => {
    const { child, programs } = await attachedEngine();
    expect(programs.length).toBeGreaterThan(0);
    const begun = performance.now();
    const ended = new Promise((resolve) => child.on("exit", resolve));
    end(child);
    await ended;
    expect(performance.now() - begun).toBeLessThan(10_000 * slowness);
    expect(await leftAfter(programs, 20_000)).toEqual([]);
  });
});
