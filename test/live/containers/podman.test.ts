/** A real container: whose its processes are, by the runtime's own files, and the names in its stacks. */
import { spawn, spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { commandPath } from "../../support/cli.ts";
import { Conversation } from "../engine/conversation.ts";
import { alone, atCalls, canTraceC } from "../symbols/support.ts";

const NAME = `tracedeck-test-${process.pid}`;
const PODMAN = ["--cgroup-manager=cgroupfs", "--storage-driver=vfs"];
/** What the sandboxes permit that tests run in. */
const PERMITTED = ["--network=none", "--ulimit=nofile=1024:1024", "--ulimit=nproc=1000:1000"];

const folder = mkdtempSync(join(tmpdir(), "tracedeck-podman-"));
afterAll(() => {
  if (commandPath("podman")) spawnSync("podman", [...PODMAN, "rm", "--force", NAME]);
  rmSync(folder, { recursive: true, force: true });
});

/** Runs the program in a container, until it was looked at; what was said where that is refused. */
async function contained(
  runtime: string,
  lookedAt: () => Promise<unknown>,
  ...work: string[]
): Promise<string | undefined> {
  const command = ["--name", NAME, ...PERMITTED, "--interactive", "--rootfs", folder, "/known", ...work];
  const child = spawn("podman", [...PODMAN, "--runtime", runtime, "run", "--replace", ...command]);
  child.stdin.on("error", () => {});
  const end = () => void child.stdin.end();
  child.stdout.once("data", () => lookedAt().then(end, end));
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => {
    said += chunk;
  });
  const status = await new Promise((resolve) => child.on("close", resolve));
  return status === 0 ? undefined : said.trim() || `podman ended with ${status}`;
}

describe.skipIf(!canTraceC || !commandPath("podman"))("podman (skipped where it is not installed)", () => {
  it("rows and events have the container's name, and stacks the names of its program", {
    timeout: 60_000,
  }, async (context) => {
    for (const place of ["proc", "sys", "dev", "etc", "run", "tmp"]) mkdirSync(join(folder, place));
    copyFileSync(alone.path, join(folder, "known"));
    using engine = new Conversation();
    engine.start(1, atCalls('@[ustack(4), pid] = count(); printf("%d\\n", pid);', "known"));
    await engine.state(1, "running");
    const seen = () => engine.snapshot(1, ({ maps }) => maps[0].rows[0]?.value === 3);
    let refused: string | undefined = "neither crun nor runc is installed";
    for (const runtime of ["crun", "runc"].filter(commandPath)) {
      refused = await contained(runtime, seen, "linger", "3");
      if (refused === undefined) break;
    }
    if (refused !== undefined) context.skip(refused);
    const { maps } = await seen();
    const [{ key, container, value }] = maps[0].rows;
    expect(container).toMatchObject({ kind: "container", runtime: "podman", name: NAME });
    expect(key[0].match(/\w+(?=\+\d+)/g)).toEqual(["leaf", "middle", "outer", "main"]);
    expect(value).toBe(3);
    const names = () =>
      engine.messages
        .flatMap((message) => (message.kind === "output" ? message.lines : []))
        .map((line) => line.container?.name);
    await expect.poll(names).toEqual([NAME, NAME, NAME]);
  });
});
