/** Functions of the kernel that it lets programs call (kfuncs), against what the same kernel tells by other ways. */
import { describe, expect, test } from "vitest";
import { liveKernel } from "../../../src/engine/kernel/live.ts";
import { SessionError } from "../../../src/engine/session/error.ts";
import { isRoot } from "../../support/cli.ts";
import { runScript } from "../../support/script.ts";
import { prints, type Row } from "./rows.ts";

const kernel = liveKernel();
type Program = Parameters<NonNullable<typeof kernel.kfuncAllowed>>[1];
/** Kernels differ in which there are, and in who may call them. */
const may = (name: string, type: Program): boolean => isRoot && !!kernel.kfuncAllowed?.(name, type);
const where = (name: string, type: Program, ...rows: Row[]): Row[] => (may(name, type) ? rows : []);

prints("what there is", [
  ['print((kfunc_exist("no_such_function"), kfunc_allowed("no_such_function")))', "(false, false)"],
  ['if comptime (kfunc_exist("no_such_function")) { no_such_function(1) } else { print("none") }', "none"],
  ['print(kfunc_allowed("vfs_read"))', "false"],
  ...where("bpf_strcmp", "raw_tracepoint", [
    'print((kfunc_exist("bpf_strcmp"), kfunc_allowed("bpf_strcmp")))',
    "(true, true)",
  ]),
]);

prints("text", [
  ...where("bpf_strcmp", "raw_tracepoint", [
    'print((bpf_strcmp("abc", "abc"), bpf_strcmp("abc", "abd"), bpf_strcmp(comm, comm)))',
    "(0, -1, 0)",
  ]),
  ...where("bpf_strnlen", "raw_tracepoint", [
    '$s = "hello"; print((bpf_strlen("hello"), bpf_strlen($s), bpf_strnlen("hello", 3)))',
    "(5, 5, 3)",
  ]),
  ['print(!kfunc_allowed("bpf_strlen") || kfunc_exist("bpf_strlen"))', "true"],
]);

const end = "if (@n++ > 50) { exit() }";
const [counted, all] = [/^@\[true\]: \d+\n@n: \d+\n$/, /^@\[true\]: \d+\n$/];

prints("tasks", [
  ...where(
    "bpf_task_from_pid",
    "perf_event",
    [
      `interval:ms:5 { $t = bpf_task_from_pid(${process.pid}); if ($t != 0) { print(($t.pid, $t.tgid)); bpf_task_release($t); } exit() }`,
      `(${process.pid}, ${process.pid})`,
    ],
    [
      "interval:ms:5 { $t = bpf_task_from_pid(4194304); if ($t) { bpf_task_release($t); print(1) } else { print(0) } exit() }",
      "0",
    ],
  ),
  ...where(
    "bpf_task_acquire",
    "tracing",
    [
      `rawtracepoint:sched_switch { $t = bpf_task_acquire(args.next); if ($t) { @[$t.pid == args.next.pid] = count(); bpf_task_release($t) } ${end} }`,
      counted,
    ],
    // A member on the way, loaded as the verifier can follow it.
    [
      "iter:task { $t = bpf_task_acquire(ctx.task.group_leader); if ($t) { @[$t.pid == ctx.task.tgid] = count(); bpf_task_release($t) } }",
      all,
    ],
    [
      `rawtracepoint:sched_switch, rawtracepoint:sched_wakeup { $t = bpf_task_acquire(curtask); if ($t) { @[$t.pid == tid(init)] = count(); bpf_task_release($t) } ${end} }`,
      counted,
    ],
    [
      `rawtracepoint:sched_switch { $t = bpf_task_acquire(args.next); if ($t) { for ($i : 0..3) { @[$t.pid == args.next.pid] = count(); } bpf_task_release($t) } ${end} }`,
      counted,
    ],
  ),
  ...where("bpf_cgroup_from_id", "tracing", [
    "rawtracepoint:sched_switch { $c = bpf_cgroup_from_id(1); if ($c) { print(($c.level, bpf_task_under_cgroup(args.next, $c))); bpf_cgroup_release($c) } exit() }",
    "(0, 1)",
  ]),
  ...where("bpf_cpumask_create", "perf_event", [
    "interval:ms:5 { $c = bpf_cpumask_create(); if ($c) { bpf_cpumask_set_cpu(1, $c); bpf_cpumask_set_cpu(0, $c); print((bpf_cpumask_weight($c), bpf_cpumask_test_cpu(1, $c), bpf_cpumask_first($c))); bpf_cpumask_release($c) } exit() }",
    "(2, true, 0)",
  ]),
  ['print(!kfunc_allowed("bpf_task_release") || kfunc_exist("bpf_task_release"))', "true"],
]);

/** What only the verifier can tell, the text that it is about, and what is said. */
const REFUSED: readonly (readonly [script: string, at: string, message: RegExp, hint: RegExp])[] = [
  [
    "interval:ms:5 { $t = bpf_task_from_pid(1); if ($t != 0) { print($t.comm) } exit() }",
    "$t = bpf_task_from_pid(1)",
    /bpf_task_from_pid\(\) gives is not given back/,
    /bpf_task_release/,
  ],
  [
    "interval:ms:5 { $t = bpf_task_from_pid(1); print($t.comm); bpf_task_release($t) }",
    "print($t.comm)",
    /may be null/,
    /check it first/,
  ],
  [
    "interval:ms:5 { bpf_task_release(curtask) }",
    "bpf_task_release(curtask)",
    /bpf_task_release\(\) is given/,
    /./,
  ],
  [
    "interval:ms:5 { $p = curtask.real_parent; $t = bpf_task_acquire($p); if ($t) { bpf_task_release($t) } }",
    "$t = bpf_task_acquire($p)",
    /bpf_task_acquire\(\) is given a pointer that the kernel cannot vouch for/,
    /curtask/,
  ],
];

describe.skipIf(!may("bpf_task_from_pid", "perf_event"))("what the verifier refuses", () => {
  test.each(REFUSED)("%s", async (script, at, message, hint) => {
    const error = await runScript(script).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(SessionError);
    const { diagnostic } = error as SessionError;
    expect(script.slice(diagnostic!.span.start, diagnostic!.span.end)).toBe(at);
    expect(diagnostic!.message).toMatch(message);
    expect(diagnostic!.hint).toMatch(hint);
  });
});
