import { describe, expect, it } from "vitest";
import { shortProbeName } from "./cost.ts";

describe("probe names for people", () => {
  it.each([
    ["uprobe:/usr/lib/x86_64-linux-gnu/libc.so.6:malloc", "uprobe:…/libc.so.6:malloc"],
    ["usdt:/opt/service/current/bin/server:http:request", "usdt:…/server:http:request"],
    ["uprobe:/bin/bash:readline", "uprobe:/bin/bash:readline"],
    ["tracepoint:syscalls:sys_enter_openat", "tracepoint:syscalls:sys_enter_openat"],
    ["kprobe:vfs_read", "kprobe:vfs_read"],
  ])("%s is %s", (name, short) => expect(shortProbeName(name)).toBe(short));
});
