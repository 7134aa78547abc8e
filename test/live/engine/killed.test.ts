import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { afterAll, beforeAll, expect, it } from "vitest";
import { bundle } from "./bundle.ts";
import { leftAfter } from "./programs.ts";

let victim: Awaited<ReturnType<typeof bundle>>;
beforeAll(async () => {
  victim = await bundle("test/live/engine/victim.ts");
});
afterAll(() => victim.remove());

async function start(command = ""): Promise<{ child: ChildProcess; programs: number[] }> {
  const child = spawn(process.execPath, [victim.path, command], { stdio: ["ignore", "pipe", "inherit"] });
  const [chunk] = (await once(child.stdout!, "data")) as [Buffer];
  return { child, programs: (JSON.parse(chunk.toString()) as { programs: number[] }).programs };
}

it.each(["SIGKILL", "SIGTERM"] as const)("nothing stays in the kernel after %s", async (signal) => {
  const { child, programs } = await start();
  expect(programs.length).toBe(1);
  child.kill(signal);
  await once(child, "exit");
  expect(await leftAfter(programs, 20_000)).toEqual([]);
});
