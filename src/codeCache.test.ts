import { spawnSync } from "node:child_process";
import { expect, it } from "vitest";
import { COMPILE_LATER } from "./codeCache.ts";

it("sets only flags that this V8 knows: it complains of others on the terminal", () => {
  const flags = COMPILE_LATER[Number.parseInt(process.versions.v8, 10)] ?? "";
  const set = `require("node:v8").setFlagsFromString(${JSON.stringify(flags)})`;
  const { stdout, stderr, status } = spawnSync(process.execPath, ["-e", set], { encoding: "utf8" });
  expect({ stdout, stderr, status }).toEqual({ stdout: "", stderr: "", status: 0 });
});
