import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { expect, it } from "vitest";
import { nodeProgram } from "../../support/programs.ts";
import { slowness } from "../../support/slowness.ts";
import { leftAfter } from "./programs.ts";

const victim = nodeProgram("test/live/engine/victim.ts");

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
  expect(await leftAfter(programs, 20_000 * slowness)).toEqual([]);
});
