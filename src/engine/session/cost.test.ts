import { describe, expect, it } from "vitest";
import { shortProbeName } from "./cost.ts";
import { trapsOf } from "./trapCost.ts";

describe("what leads to a program", () => {
  const uprobe = { kind: "uprobe", path: "/bin/sh", symbol: "main", offset: 0 } as const;
  it("is a trap for functions of programs, and two for their returns", () => {
    expect(trapsOf({ ...uprobe, return: false })).toBe(1);
    expect(trapsOf({ ...uprobe, return: true })).toBe(2);
  });
  it("is none for what calls its programs itself", () => expect(trapsOf({ kind: "begin" })).toBe(0));
});

describe("probe names for people", () => {
  it.each([
    ["uprobe:/usr/lib/x86_64-linux-gnu/libc.so.6:malloc", "uprobe:…/libc.so.6:malloc"],
    ["usdt:/opt/service/current/bin/server:http:request", "usdt:…/server:http:request"],
    ["uprobe:/bin/bash:readline", "uprobe:/bin/bash:readline"],
    ["tracepoint:syscalls:sys_enter_openat", "tracepoint:syscalls:sys_enter_openat"],
    ["kprobe:vfs_read", "kprobe:vfs_read"],
  ])("%s is %s", (name, short) => expect(shortProbeName(name)).toBe(short));
});
