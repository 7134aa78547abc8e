import { describe, expect, it } from "vitest";
import { checked, checkSource } from "../testing/check.ts";
import type { Attach } from "../typed.ts";
import { wildcard } from "./wildcard.ts";

const attachOf = (source: string, options = {}): Attach =>
  checked(source, options).actions[0].probes[0].attach;
const namesOf = (spec: string, options = {}): string[] =>
  checked(`${spec} { @ = count(); }`, options).actions.flatMap((action) =>
    action.probes.map((probe) => probe.name),
  );

describe("wildcards", () => {
  it.each([
    ["vfs_*", "vfs_read", true],
    ["vfs_*", "xvfs_read", false],
    ["*read", "vfs_read", true],
    ["vfs_?ead", "vfs_read", true],
    ["vfs_[a-r]ead", "vfs_read", true],
    ["vfs_[a-c]ead", "vfs_read", false],
    ["{read,write}v", "writev", true],
    ["a.b", "axb", false],
  ])("%s and %s: %s", (pattern, name, matches) => expect(wildcard(pattern)(name)).toBe(matches));
});

describe("attach points", () => {
  it.each<[string, Attach]>([
    ["BEGIN {@=1}", { kind: "begin" }],
    ["interval:s:2 {@=1}", { kind: "interval", period: 2_000_000_000n }],
    ["i:ms:10 {@=1}", { kind: "interval", period: 10_000_000n }],
    ["interval:1m {@=1}", { kind: "interval", period: 60_000_000_000n }],
    ["profile:hz:100 {@=1}", { kind: "profile", period: 10_000_000n }],
    ["p:us:100 {@=1}", { kind: "profile", period: 100_000n }],
    ["s:faults:5 {@=1}", { kind: "software", event: "page-faults", config: 2, period: 5n }],
    ["software:cpu-clock: {@=1}", { kind: "software", event: "cpu-clock", config: 0, period: 1_000_000n }],
    [
      "hardware:cache-misses:1e6 {@=1}",
      { kind: "hardware", event: "cache-misses", config: 3, period: 1_000_000n },
    ],
    ["kr:vfs_read {@=1}", { kind: "kprobe", function: "vfs_read", offset: 0, return: true }],
    ["k:vfs_read+4 {@=1}", { kind: "kprobe", function: "vfs_read", offset: 4, return: false }],
    [
      "ur:libc:malloc {@=1}",
      {
        kind: "uprobe",
        path: "/usr/lib/x86_64-linux-gnu/libc.so.6",
        symbol: "malloc",
        offset: 0x98930,
        return: true,
      },
    ],
    ["self:signal:SIGUSR1 {@=1}", { kind: "self", signal: "SIGUSR1" }],
    ["watchpoint:0x1000:8:rw {@=1}", { kind: "watchpoint", address: 0x1000n, length: 8, mode: "rw" }],
  ])("%s", (source, attach) => expect(attachOf(source)).toEqual(attach));

  it("say which syscall a tracepoint is of", () => {
    expect(attachOf("t:syscalls:sys_enter_openat {@=1}")).toMatchObject({
      syscall: { number: 257, exit: false },
    });
    expect(attachOf("t:syscalls:sys_exit_openat {@=1}")).toMatchObject({
      syscall: { number: 257, exit: true },
    });
    expect(attachOf("t:sched:sched_switch {@=1}")).not.toHaveProperty("syscall");
  });

  it("take parameters in their parts", () => {
    expect(namesOf("tracepoint:sched:sched_$1", { positional: ["switch"] })).toEqual([
      "tracepoint:sched:sched_switch",
    ]);
    expect(attachOf("interval:s:$1 {@=1}", { positional: ["3"] })).toMatchObject({ period: 3_000_000_000n });
  });

  it("may be a parameter altogether", () => {
    expect(namesOf("$1", { positional: ["t:sched:sched_switch"] })).toEqual([
      "tracepoint:sched:sched_switch",
    ]);
  });

  it("have their full names", () => {
    expect(namesOf("t:sched:sched_wakeup")).toEqual(["tracepoint:sched:sched_wakeup"]);
    expect(namesOf("u:libc:*alloc")).toEqual([
      "uprobe:/usr/lib/x86_64-linux-gnu/libc.so.6:malloc",
      "uprobe:/usr/lib/x86_64-linux-gnu/libc.so.6:calloc",
      "uprobe:/usr/lib/x86_64-linux-gnu/libc.so.6:realloc",
    ]);
    expect(namesOf("usdt:libc:setjmp")).toEqual(["usdt:/usr/lib/x86_64-linux-gnu/libc.so.6:libc:setjmp"]);
    expect(namesOf("BEGIN")).toEqual(["begin"]);
  });

  it("are ignored for bench and test outside their mode", () => {
    expect(checkSource("bench:a { @ = count(); } begin { exit(); }").program!.actions).toHaveLength(1);
    expect(namesOf("bench:a", { mode: "bench" })).toEqual(["bench:a"]);
  });
});

describe("groups", () => {
  const groups = (source: string): number[] => checked(source).actions.map((action) => action.probes.length);

  it.each([
    [
      "every syscall is one program when the body does not look at arguments",
      "t:syscalls:sys_enter_* { @[probe] = count(); }",
      1,
    ],
    ["entries and exits differ", "t:syscalls:sys_enter_read,t:syscalls:sys_exit_read { @ = count(); }", 2],
    ["arguments that lie alike are shared", "t:syscalls:sys_exit_* { @ = hist(args.ret); }", 1],
    [
      "comparing probe takes a program for each",
      't:sched:sched_w*,t:sched:sched_switch { if (probe == "x") { @ = 1; } @b = 1; }',
      2,
    ],
    ["types of probes never share", "k:vfs_read,kr:vfs_read { @ = count(); }", 2],
    ["functions share", "k:vfs_* { @[func] = sum(arg2); }", 1],
  ])("%s", (_, source, count) => expect(groups(source)).toHaveLength(count));

  it("splits by where an argument lies", () => {
    const source = "tracepoint:sched:sched_wakeup,tracepoint:sched:sched_process_exec { @ = args.pid; }";
    expect(groups(source)).toEqual([1, 1]);
  });

  it("knows the probe's name where it is compared", () => {
    const program = checked(
      't:sched:sched_switch,t:sched:sched_wakeup { if (probe == "tracepoint:sched:sched_switch") { @a = 1; } else { @b = 1; } }',
    );
    const maps = program.actions.map((action) =>
      JSON.stringify(action.body, (_, v) => (typeof v === "bigint" ? `${v}` : v)),
    );
    expect(maps[0]).toContain('"@a"');
    expect(maps[0]).not.toContain('"@b"');
    expect(maps[1]).toContain('"@b"');
  });
});

describe("arguments", () => {
  const value = (source: string) => {
    const [statement] = checked(source).actions[0].body.statements;
    return statement.op === "set-map" ? statement.value : undefined;
  };

  it.each<[string, object]>([
    [
      "t:syscalls:sys_enter_openat { @ = args.filename }",
      { op: "context-field", syscallArg: 1, type: { kind: "pointer", space: "user" } },
    ],
    [
      "t:syscalls:sys_exit_read { @ = args.ret }",
      { op: "context-field", syscallArg: -1, type: { kind: "int", signed: true } },
    ],
    ["t:syscalls:sys_enter_read { @ = args.__syscall_nr }", { op: "context-field", syscallArg: -2 }],
    [
      "t:sched:sched_process_exec { @ = args.filename }",
      { op: "context-field", field: { dataLoc: true }, type: { kind: "string", size: 1024 } },
    ],
    [
      "t:sched:sched_switch { @ = args.prev_comm }",
      { op: "context-field", type: { kind: "string", size: 16 } },
    ],
    [
      "t:raw_syscalls:sys_enter { @ = args.args[1] }",
      { op: "index", type: { kind: "int", size: 8, signed: false } },
    ],
    [
      "rt:sched_switch { @ = args.next.pid }",
      { op: "field", base: { op: "cast", operand: { op: "arg", index: 2 } } },
    ],
    ["rt:sched_switch { @ = arg1 }", { op: "arg", index: 1 }],
    [
      "fexit:vfs_read { @ = retval }",
      { op: "cast", operand: { op: "retval", slot: 4 }, type: { kind: "int", size: 8, signed: true } },
    ],
    ["ur:libc:malloc { @ = retval }", { op: "retval", type: { kind: "int", size: 8, signed: false } }],
    ["usdt:libc:setjmp { @ = arg1 }", { op: "usdt-arg", spec: "-4@%esi", type: { size: 8, signed: true } }],
  ])("%s", (source, expected) => expect(value(source)).toMatchObject(expected));

  it("as a whole are a record", () => {
    const [statement] = checked("t:sched:sched_wakeup { print(args); }").actions[0].body.statements;
    expect(statement).toMatchObject({
      op: "emit",
      arguments: [{ op: "tuple", type: { names: ["comm", "pid", "prio", "target_cpu"] } }],
    });
  });
});
