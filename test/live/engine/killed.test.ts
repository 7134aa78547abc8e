import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { expect, it } from "vitest";
import { isAlive } from "../../../src/engine/kernel/processes.ts";
import { nodeProgram } from "../../support/programs.ts";
import { slowness } from "../../support/slowness.ts";
import { leftAfter } from "./programs.ts";

const program = nodeProgram("test/live/engine/victim.ts");

interface Said {
  programs: number[];
  /** Of the command. */
  child?: number;
}

async function start(command = ""): Promise<Said & { victim: ChildProcess }> {
  const child = spawn(process.execPath, [program.path, command], { stdio: ["ignore", "pipe", "inherit"] });
  const [chunk] = (await once(child.stdout!, "data")) as [Buffer];
  return { victim: child, ...(JSON.parse(chunk.toString()) as Said) };
}

it.each(["SIGKILL", "SIGTERM"] as const)("nothing stays in the kernel after %s", async (signal) => {
  const { victim, programs } = await start();
  expect(programs.length).toBe(1);
  victim.kill(signal);
  await once(victim, "exit");
  expect(await leftAfter(programs, 20_000 * slowness)).toEqual([]);
});

it.each([
  ["runs", "SIGCONT"],
  ["is stopped", "SIGSTOP"],
] as const)("the command of -c, which %s, ends with a tracer that is killed", async (_, signal) => {
  const { victim, child } = await start("sleep 1000");
  expect(isAlive(child!)).toBe(true);
  process.kill(child!, signal);
  victim.kill("SIGKILL");
  await expect.poll(() => isAlive(child!), { timeout: 20_000 * slowness, interval: 50 }).toBe(false);
});
