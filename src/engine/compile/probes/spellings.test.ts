import { describe, expect, it } from "vitest";
import type { CompileOptions } from "../index.ts";
import { checked, checkSource, fullKernel } from "../testing/check.ts";
import { shownPath } from "./shownPath.ts";

const attachOf = (spec: string, options: CompileOptions = {}) =>
  checked(`${spec} { @ = count(); }`, options).actions.flatMap(({ probes }) =>
    probes.map((one) => one.attach),
  );

/** What a refusal says: its message, hint and notes. */
function refusal(spec: string, options: CompileOptions = {}): string {
  const { diagnostics } = checkSource(`${spec} { @ = count(); }`, options, fullKernel());
  const error = diagnostics.find(({ severity }) => severity === "error");
  return [error?.message, error?.hint, ...(error?.notes ?? []).map((note) => note.message)].join(" | ");
}

describe("attach points are understood however they are spelled", () => {
  it.each<[string, object[]]>([
    ["Begin", [{ kind: "begin" }]],
    ["end:*", [{ kind: "end" }]],
    ["SELF:signal:SIGUSR1", [{ kind: "self" }]],
    ["Interval:s:2", [{ kind: "interval", period: 2_000_000_000n }]],
    ["profile:hz:0x64", [{ kind: "profile", period: 10_000_000n }]],
    ["profile:hz:0b1010", [{ kind: "profile", period: 100_000_000n }]],
    ["profile:hz:0144", [{ kind: "profile", period: 10_000_000n }]],
    ["profile:hz:100ull", [{ kind: "profile", period: 10_000_000n }]],
    ["interval:1_000_000", [{ kind: "interval", period: 1_000_000n }]],
    ["interval:2h", [{ kind: "interval", period: 7_200_000_000_000n }]],
    ["software:faults:*", [{ kind: "software", period: 100n }]],
    ["software:faults:0", [{ kind: "software", period: 100n }]],
    ["software:faults:1e3", [{ kind: "software", period: 1000n }]],
    ["UPROBE:/usr/lib/x86_64-linux-gnu/libc.so.6:malloc", [{ kind: "uprobe", symbol: "malloc" }]],
    ["tracepoint:sched_w*", [{ category: "sched", event: "sched_wakeup" }]],
    ["KProbe:vfs_read+0x4", [{ kind: "kprobe", function: "vfs_read", offset: 4 }]],
    ["kprobe:vfs_read+0b100", [{ kind: "kprobe", function: "vfs_read", offset: 4 }]],
  ])("%s", (spec, attach) => expect(attachOf(spec)).toMatchObject(attach));

  it.each<[string, string[]]>([
    ["kprobe::vfs_read", ["kprobe:vfs_read"]],
    ["fentry::vfs_read", ["fentry:vmlinux:vfs_read"]],
    ["*:sched:sched_switch", ["tracepoint:sched:sched_switch"]],
    ["*tracepoint:sched_switch", ["rawtracepoint:vmlinux:sched_switch"]],
    ["k*:vfs_read", ["kprobe:vfs_read"]],
    ["soft*:cs:", ["software:cs:"]],
    ["*:/usr/lib/x86_64-linux-gnu/libc.so.6:*mallo?", ["uprobe:/usr/lib/x86_64-linux-gnu/libc.so.6:malloc"]],
    [
      "u*:/usr/lib/x86_64-linux-gnu/libc.so.6:setjm?",
      ["usdt:/usr/lib/x86_64-linux-gnu/libc.so.6:libc:setjmp"],
    ],
  ])("%s means %j", (spec, names) =>
    expect(
      checked(`${spec} { @ = count(); }`).actions.flatMap(({ probes }) => probes.map(({ name }) => name)),
    ).toEqual(names),
  );

  it("a wildcard may find nothing where others find something", () => {
    const source = "kprobe:vfs_read, kprobe:qqq*, t:sched:qqq* { @ = count(); }";
    const { program, diagnostics } = checkSource(source, {}, fullKernel());
    expect(program?.actions.flatMap(({ probes }) => probes.map(({ name }) => name))).toEqual([
      "kprobe:vfs_read",
    ]);
    expect(diagnostics.map(({ severity, code }) => `${severity} ${code}`)).toEqual([
      "warning no-match",
      "warning no-match",
    ]);
  });

  it("a name of the script's own is what probe gives", () => {
    const [action] = checked(
      'tick=interval:s:1 { if (probe == "tick") { @a = 1; } else { @b = 1; } }',
    ).actions;
    expect(action.probes[0]).toMatchObject({ name: "interval:s:1", label: "tick" });
    expect(JSON.stringify(action.body, (_, v) => (typeof v === "bigint" ? `${v}` : v))).not.toContain("@b");
  });
});

it("a quote that is not closed is said once", () => {
  const { diagnostics } = checkSource('interval:s:"1 { exit(); }', {}, fullKernel());
  expect(diagnostics.map(({ code }) => code)).not.toContain("probe-syntax");
  expect(diagnostics.map(({ code }) => code)).toContain("unterminated-string");
});

describe("binaries are shown as the script names them", () => {
  it.each([
    ["./app", "/home/me/app", "./app"],
    ["/bin/bash", "/usr/bin/bash", "/bin/bash"],
    ["bash", "/usr/bin/bash", "/usr/bin/bash"],
    ["libc", "/usr/lib/libc.so.6", "/usr/lib/libc.so.6"],
    ["./app*", "/home/me/app-2", "./app-2"],
    ["./link*", "/home/me/app", "/home/me/app"],
    ["/usr/lib/*/libc.so.6", "/usr/lib/x/libc.so.6", "/usr/lib/x/libc.so.6"],
    ["/bin/app", "/proc/7/root/bin/app", "/proc/7/root/bin/app"],
    ["/proc/7/exe", "/usr/bin/app", "/proc/7/exe"],
    ["*", "/usr/bin/app", "/usr/bin/app"],
    ["/usr/bin/[", "/usr/bin/[", "/usr/bin/["],
  ])("%s, which is %s: %s", (target, path, shown) => expect(shownPath(target, path)).toBe(shown));
});

describe("what is no attach point is refused with what to do", () => {
  it.each<[string, string]>([
    ["profile:hz:0", "a rate is at least 1 a second | less often by a period: profile:s:10"],
    ["profile:hz:1e10", "more than once in a nanosecond | for example profile:s:1"],
    ["profile:hz", "profile:hz lacks its number | for example profile:hz:99"],
    ["profile:hz:", "profile lacks its number | for example"],
    ["profile:hz:-1", "-1 is no whole number above 0 | for example"],
    ["profile:5ns", "5ns is a period of 5 ns; 1000 ns is the least | for example"],
    ["profile:99", "1000 ns is the least | with a unit: profile:ms:99 or profile:99ms"],
    ["interval:s:1ms", "1ms has a unit of its own | write interval:1ms"],
    ["interval:s:99999999999", "longer than the kernel's timers run"],
    ["interval::1", "knows no unit (empty) | units are hz"],
    [
      "software:faults:99999999999999999999",
      "is no count: a whole number of events | for example software:faults:100",
    ],
    ["tracepoint::sched_switch", "tracepoint:CATEGORY:EVENT | did you mean tracepoint:sched:sched_switch?"],
    ["tracepoint:qqqq:x", "no tracepoint category qqqq in this kernel | list them"],
    ["rawtracepoint:qqqq", "no raw tracepoint qqqq in this kernel | list them"],
    ["iter:task:*", "iter takes no wildcards | name one kind of object"],
    ["watchpoint:f+arg0:8:w", "f+arg0 is no address | the address is to be known beforehand"],
    ["watchpoint:0x1000:3:w", "1, 2, 4 or 8 bytes long, not 3 | for example watchpoint:0x1000:8:w"],
    ["watchpoint:0x1001:8:w", "0x1001 is no multiple of 8 | watch 8 bytes from 0x1000, or fewer"],
    ["watchpoint:0x1000:8:r", "not r | watchpoint:0x1000:8:rw"],
    ["watchpoint:0x1ffffffffffffffff:8:w", "is no address"],
    ["asyncwatchpoint:0x1000:8:w", "no probe type asyncwatchpoint | it went with watchpoint:FUNCTION+argN"],
    ["self:signal:SIGHUP", "SIGUSR1 or SIGUSR2, not SIGHUP | others end the tracer"],
    ["usdt:setjmp", "needs a process: -p PID or -c COMMAND | or name the binary; usdt:*:setjmp"],
    ["usdt::libc:setjmp", "needs a process: -p PID or -c COMMAND | or name the binary; usdt:*:libc:setjmp"],
    [
      "usdt:libc:lbc:setjmp",
      "no USDT probe lbc:setjmp in /usr/lib/x86_64-linux-gnu/libc.so.6 | did you mean libc:setjmp?",
    ],
    ["kprobe:qqq*, kprobe:qqr*", "no kernel function that can be traced matches qqq* | list them"],
    ["kprobe:vfs_read, kprobe:qqq", "no kernel function qqq that can be traced"],
    ["kprobe:vfs_read+1+2", "1+2 is no offset | for example kprobe:vfs_read+4"],
    ["kprobe:vfs_read+", "(empty) is no offset"],
    ["fentry:bpf", "fentry:bpf:NAME"],
    ["t:sched:qqq*", "matches tracepoint:sched:qqq* | list them: tracedeck list 'tracepoint:sched:*'"],
    [
      "*:qqq:qqq",
      "no tracepoint, rawtracepoint, kprobe, fentry, software, hardware, iter probe matches *:qqq:qqq",
    ],
    ["uprobe:libc:malloc+1+2", "1+2 is no offset | bytes from the function's beginning"],
    ["uretprobe:libc:malloc+4", "uretprobe takes no offset"],
    ["uprobe:./app@main.c", "uprobe:BINARY@FILE:LINE"],
    ["uprobe:./app@main.c:x", "uprobe:BINARY@FILE:LINE"],
    [
      "interval:s:$1",
      "interval lacks its number | for example interval:s:1, interval:hz:99 or interval:100ms | no parameter was given for $1",
    ],
  ])("%s", (spec, words) => expect(refusal(spec)).toContain(words));
});
