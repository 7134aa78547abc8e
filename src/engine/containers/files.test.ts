import { spawn } from "node:child_process";
import { expect, it } from "vitest";
import { readSmallFile } from "./files.ts";

it("reads files of /proc whole, up to its limit", async () => {
  const child = spawn("sleep", ["60"], { env: { PATH: process.env.PATH, LONG: "x".repeat(20_000) } });
  try {
    await new Promise((resolve) => child.once("spawn", resolve));
    const environment = `/proc/${child.pid}/environ`;
    expect(readSmallFile(environment, 1 << 20)).toContain("x".repeat(20_000));
    expect(readSmallFile(environment, 10_000)).toBeUndefined();
    expect(readSmallFile("/proc/self/comm", 1 << 20)).toMatch(/^.+\n$/);
    expect(readSmallFile("/dev/null", 1 << 20)).toBeUndefined();
  } finally {
    child.kill("SIGKILL");
  }
});
