/** Processes in containers: whose they are in snapshots, their cgroups by id and path, and pids of their own namespace. */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, type TestContext, vi } from "vitest";
import type { RowSnapshot, Snapshot } from "../../../src/engine/protocol.ts";
import { CLI, commandPath, finish, isRoot } from "../../support/cli.ts";
import { runScript } from "../../support/script.ts";
import { Conversation } from "../engine/conversation.ts";

/** Of its own: others may run this test, too, and one that was killed leaves its cgroup. */
const ID = randomBytes(32).toString("hex");
const NAME = `docker-${ID}.scope`;
const python = commandPath("python3");
const LOOP = "import os, time\nwhile True:\n  os.getppid()\n  time.sleep(0.002)";

const unified = readFileSync("/proc/mounts", "utf8")
  .split("\n")
  .map((line) => line.split(" "))
  .find(([, , type]) => type === "cgroup2")?.[1];

const cgroup = unified === undefined ? undefined : join(unified, NAME);
let refused: string | undefined = cgroup === undefined ? "cgroup v2 is not mounted" : undefined;
const children: ChildProcess[] = [];

beforeAll(() => {
  if (cgroup === undefined || !isRoot) return;
  try {
    mkdirSync(cgroup);
  } catch (error) {
    refused = `no cgroup can be made: ${(error as Error).message}`;
  }
});

afterAll(async () => {
  for (const child of children) {
    const gone = new Promise((resolve) => child.once("exit", resolve));
    if (child.exitCode === null && child.signalCode === null && child.kill("SIGKILL")) await gone;
  }
  // What they started may be on its way out.
  if (cgroup !== undefined && refused === undefined && isRoot)
    await vi.waitFor(() => rmdirSync(cgroup), { timeout: 10_000 });
});

/** A program that calls getppid all the time, in the test's cgroup or outside. */
function busy(inside: boolean): ChildProcess & { pid: number } {
  const child = spawn(python!, ["-c", LOOP], { stdio: "ignore" });
  children.push(child);
  if (inside) writeFileSync(join(cgroup!, "cgroup.procs"), String(child.pid));
  return child as ChildProcess & { pid: number };
}

function needsCgroup(context: TestContext): void {
  if (refused !== undefined) context.skip(refused);
}

const rowOf = (snapshot: Snapshot, map: string, key: string): RowSnapshot | undefined =>
  snapshot.maps.find(({ name }) => name === map)?.rows.find((row) => row.key.includes(key));

describe.skipIf(!isRoot || !python)("containers", () => {
  it("rows of processes and cgroups say whose they are, also when the process is gone", async (context) => {
    needsCgroup(context);
    const inside = busy(true);
    const outside = busy(false);
    using engine = new Conversation();
    engine.send({ kind: "interval", milliseconds: 100 });
    engine.start(
      1,
      "tracepoint:syscalls:sys_enter_getppid { @by_pid[comm, pid] = count(); @by_cgroup[cgroup] = count(); @by_number[pid + 0] = count(); }",
    );
    const both = await engine.snapshot(
      1,
      (snapshot) =>
        [inside, outside].every(({ pid }) => rowOf(snapshot, "@by_pid", String(pid)) !== undefined) &&
        snapshot.maps[1].rows.length > 1,
    );
    const container = { kind: "container", runtime: "docker", id: ID, name: ID.slice(0, 12) };
    expect(rowOf(both, "@by_pid", String(inside.pid))?.container).toEqual(container);
    expect(rowOf(both, "@by_pid", String(outside.pid))?.container?.id).not.toBe(ID);
    const id = statSync(cgroup!, { bigint: true }).ino;
    expect(rowOf(both, "@by_cgroup", String(id))?.container).toEqual(container);
    // A sum is a number like any other.
    expect(rowOf(both, "@by_number", String(inside.pid))?.container).toBeUndefined();

    inside.kill("SIGKILL");
    await new Promise((resolve) => inside.once("exit", resolve));
    const seen = engine.messages.length;
    const later = await engine.next(
      "snapshot",
      (message) => engine.messages.indexOf(message) > seen + 3 && message.session === 1,
    );
    expect(rowOf(later.snapshot, "@by_pid", String(inside.pid))?.container).toEqual(container);
  });

  it("processes that end at once are whose their parent is, in rows and in events", async (context) => {
    needsCgroup(context);
    const forks = `import os, sys
print("ready", flush=True)
sys.stdin.readline()
for i in range(50):
  if os.fork() == 0:
    os.getppid()
    os._exit(0)
  os.wait()
sys.stdin.readline()`;
    const parent = spawn(python!, ["-c", forks], { stdio: ["pipe", "pipe", "inherit"] });
    children.push(parent);
    // What is named python3 may be a shell script at first, whose children ask for their parents, too.
    await once(parent.stdout, "data");
    writeFileSync(join(cgroup!, "cgroup.procs"), String(parent.pid));
    using engine = new Conversation();
    engine.start(
      1,
      `tracepoint:syscalls:sys_enter_getppid / ppid == ${parent.pid} / { @[pid] = count(); printf("%d\\n", pid); }`,
    );
    await engine.state(1, "running");
    engine.send({ kind: "view", session: 1, map: "@", rows: 1000, order: "value", descending: true });
    parent.stdin!.write("go\n");
    const owned = (rows: readonly { container?: { id: string } }[]) =>
      rows.filter(({ container }) => container?.id === ID).length;
    await engine.snapshot(1, ({ maps }) => owned(maps[0].rows) === 50);
    const lines = () =>
      engine.messages.flatMap((message) => (message.kind === "output" ? message.lines : []));
    await expect.poll(() => owned(lines())).toBe(50);
  });

  it("a filter finds keys by their container", async (context) => {
    needsCgroup(context);
    const inside = busy(true);
    busy(false);
    using engine = new Conversation();
    engine.start(1, "tracepoint:syscalls:sys_enter_getppid { @[pid] = count(); }");
    await engine.state(1, "running");
    engine.send({
      ...{ kind: "view", session: 1, map: "@", rows: 10, order: "value", descending: true },
      filter: ID.slice(0, 12),
    });
    // Others of the container may have been there sooner: python3 may be a shell script at first.
    await engine.snapshot(1, (snapshot) => {
      const [map] = snapshot.maps;
      return (
        map.total > 1 &&
        map.rows.every((row) => row.container?.id === ID) &&
        rowOf(snapshot, "@", String(inside.pid)) !== undefined
      );
    });
  });

  it("cgroupid() and cgroup_path() tell ids and paths", async (context) => {
    needsCgroup(context);
    const inside = busy(true);
    const id = statSync(cgroup!, { bigint: true }).ino;
    const { stdout, stderr } = await runScript(
      `tracepoint:syscalls:sys_enter_getppid / pid == ${inside.pid} && cgroup == cgroupid("${cgroup}") / {
        print((pid, cgroup)); print(cgroup_path(cgroup, "unified")); exit();
      }`,
    );
    expect(stderr).toBe("");
    expect(stdout).toContain(`(${inside.pid}, ${id})\nunified:/${NAME}\n`);
    const missing = await runScript('begin { print(cgroupid("/no/such/cgroup")); }');
    expect(missing.stderr).toMatch(/there is no cgroup at \/no\/such\/cgroup/);
  });

  it("pid and tid are those of the tracer's own pid namespace, unless the initial one is asked for", async (context) => {
    const unshare = commandPath("unshare");
    if (!unshare) context.skip("unshare is not installed");
    const script = `tracepoint:syscalls:sys_enter_getppid / pid == cpid / {
      print((pid, tid, pid(curr_ns), tid(curr_ns), pid(init) > pid, tid(init) > tid)); exit();
    }`;
    const command = [
      unshare!,
      "--pid",
      "--fork",
      "--mount-proc",
      ...CLI,
      "run",
      "-q",
      "-c",
      `${python} -c 'import os; os.getppid()'`,
      "-e",
      script,
    ];
    const { stdout, stderr } = await finish(command);
    if (/Operation not permitted/.test(stderr)) context.skip(`unshare: ${stderr.trim()}`);
    expect(stderr).toBe("");
    const [, pid, tid, current, currentTid] =
      /^\((\d+), (\d+), (\d+), (\d+), true, true\)$/m.exec(stdout) ?? [];
    expect(Number(pid)).toBeLessThan(100);
    expect([tid, current, currentTid]).toEqual([pid, pid, pid]);
  });
});
