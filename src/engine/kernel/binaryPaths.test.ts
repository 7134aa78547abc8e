import { spawn } from "node:child_process";
import { expect, test } from "vitest";
import { pathsOf } from "./binaryPaths.ts";
import { ProcessError } from "./processes.ts";

test("a path of a process that has ended is not ours", async () => {
  const child = spawn("true");
  await new Promise((done) => child.on("close", done));
  expect(pathsOf("/bin/sh", "x64")).toEqual(["/bin/sh"]);
  for (const name of ["/bin/sh", "sh", "libc", "/bin/*sh"]) {
    const look = () => pathsOf(name, "x64", child.pid);
    expect(look, name).toThrow(ProcessError);
    expect(look, name).toThrow(`process ${child.pid} has ended`);
  }
});
