/** Builtins, read where their value is known. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { cpus, hostname, userInfo } from "node:os";
import { kernelAtLeast } from "libbpf-ts";
import { prints, warns } from "./rows.ts";

const ownCgroup = (): string => {
  const path = /^0::(.*)$/m.exec(readFileSync("/proc/self/cgroup", "utf8"))?.[1] ?? "/";
  return String(statSync(`/sys/fs/cgroup${path}`, { bigint: true }).ino);
};

const possible = /(\d+)\s*$/.exec(readFileSync("/sys/devices/system/cpu/possible", "utf8"))?.[1] ?? "0";
const unified = existsSync("/sys/fs/cgroup/cgroup.procs") && readdirSync("/sys/fs/cgroup").length > 0;

prints("the current process", [
  ["print(pid)", String(process.pid)],
  ["print((pid(), pid == pid(curr_ns)))", `(${process.pid}, true)`],
  ["print(pid(init) > 0 && tid(init) > 0)", "true"],
  ["print((tid > 0, tid() == tid))", "(true, true)"],
  ["print((uid, gid))", `(${process.getuid!()}, ${process.getgid!()})`],
  ["print(username)", userInfo().username],
  ["print(comm)", readFileSync("/proc/self/comm", "utf8").trim().slice(0, 15)],
  ["print((ppid, ppid()))", `(${process.ppid}, ${process.ppid})`],
  ["print(pcomm)", readFileSync(`/proc/${process.ppid}/comm`, "utf8").trim()],
  ["print(leader_tid)", String(process.pid)],
  ["print(leader_comm)", readFileSync(`/proc/${process.pid}/comm`, "utf8").trim()],
  ["print((sizeof(comm), strlen(comm) < 16))", "(16, true)"],
  ["print(has_cpid)", "false"],
  ["print(curtask.nsproxy.uts_ns.name.nodename)", hostname()],
  ...(unified ? ([["print(cgroup)", ownCgroup()]] as const) : []),
]);

const init = readFileSync("/proc/1/comm", "utf8").trim();
const known =
  "iter:task { if (comm(ctx.task.pid) != ctx.task.comm) { @wrong[ctx.task.pid] = ctx.task.comm; } @ = count(); }";

prints("other processes", [
  ["print((comm(1), comm((int8)1)))", `(${init}, ${init})`],
  ["$p = pid(init); print((comm($p) == comm, comm(ppid(curtask)) == pcomm))", "(true, true)"],
  ["print(sizeof(comm(1)))", "17"],
  // Every thread of the machine, by the kernel's own list of them.
  [known, /^@: [1-9]\d+\n$/],
  [
    "tracepoint:sched:sched_switch /args.next_pid/ { if (comm(args.next_pid) != args.next_comm) { @ = args.next_comm } @n++; if (@n == 100) { exit() } }",
    /^@n: \d+\n$/,
  ],
  ["for ($i : 1..3) { print(comm($i)) }", new RegExp(`^${init}\nkthreadd\n$`)],
]);

warns("processes that there are not", [
  [
    "print((comm(4194305), comm((int64)-1)))",
    "(N/A, N/A)",
    /WARNING: there is no process 4194305\n[\s\S]*process -1/,
  ],
]);

prints("the processor and the clock", [
  ["print(ncpus)", String(Number(possible) + 1)],
  ["print(cpu < ncpus)", "true"],
  ["print((cpu <= 1024, numaid < 64))", "(true, true)"],
  ["print((rand == rand, rand == rand))", /^\((true|false), (true|false)\)\n$/],
  ["$a = rand; $b = rand; $c = rand; print($a != $b || $b != $c)", "true"],
  ["print(rand % 10 < 10)", "true"],
  ["print((nsecs > 0, elapsed > 0, jiffies > 0))", "(true, true, true)"],
  [`print(ncpus >= ${cpus().length})`, "true"],
]);

prints("the probe", [
  ["print((probe, probetype))", "(begin, special)"],
  ["end { print((probe, probetype)) }", "(end, special)"],
  ["interval:ms:1 { print((probe, probetype)); exit() }", "(interval:ms:1, interval)"],
  [
    "tracepoint:sched:sched_switch { @[probe, probetype] = 1; exit() }",
    "@[tracepoint:sched:sched_switch, tracepoint]: 1",
  ],
  ...(process.arch === "x64"
    ? ([
        ["tracepoint:sched:sched_switch { @[usermode] = 1; exit() }", "@[0]: 1"],
        ["rawtracepoint:sched_switch { @[usermode] = 1; exit() }", "@[0]: 1"],
        ["iter:task { @[usermode] = 1; }", "@[0]: 1"],
      ] as const)
    : []),
  ["begin { } tick=interval:ms:1 { print(probe); exit() }", "tick"],
  ['begin { if (probe == "begin") { print("equal") } }', "equal"],
  ["software:cpu-clock:1000000 { @[probetype] = 1; exit() }", "@[software]: 1"],
  ["interval:ms:5 { print(__builtin_pid == pid); exit() }", "true"],
]);

prints("settings as a record", [
  // Keys take at most 512 bytes before Linux 5.11.
  ["print((config.max_strlen, config.max_map_keys))", kernelAtLeast("5.11") ? "(1024, 4096)" : "(200, 4096)"],
  ["config = { max_strlen=64 } begin { print(config.max_strlen) }", "64"],
]);
