/**
 * What an event costs the traced system: nanoseconds per hit by the kernel's own statistics, less what an empty program
 * on the same event costs, so that the statistics' own share is gone.
 */
import { spawnSync } from "node:child_process";
import { enableStats, listPrograms, programInfoById } from "libbpf-ts";
import type { Peers } from "./peers.ts";
import { median, sleep, startTracer } from "./process.ts";
import { type Row, ratio, table } from "./table.ts";

const READ = "tracepoint:syscalls:sys_enter_read";
const READ_EXIT = "tracepoint:syscalls:sys_exit_read";

const ACTIONS = [
  { name: "nothing", source: `${READ} { }`, empty: true },
  { name: "@ = count()", source: `${READ} { @ = count(); }` },
  { name: "@[pid] = count()", source: `${READ} { @[pid] = count(); }` },
  { name: "@[comm] = count()", source: `${READ} { @[comm] = count(); }` },
  { name: "@ = hist(args.count)", source: `${READ} { @ = hist(args->count); }` },
  { name: "@[pid, comm] = hist(args.count)", source: `${READ} { @[pid, comm] = hist(args->count); }` },
  {
    name: "latency pair",
    source: `${READ} { @start[tid] = nsecs; } ${READ_EXIT} /@start[tid]/ { @ns = hist(nsecs - @start[tid]); delete(@start[tid]); }`,
  },
  {
    name: 'printf("%d %s\\n", pid, comm)',
    source: `${READ} { printf("%d %s\\n", pid, comm); }`,
    reads: 60_000,
  },
];

/** Sum over a tracer's programs of run time / hits, while the work runs. */
async function cost(command: string[], notify: Record<string, string>, work: string[]): Promise<number> {
  const before = new Set(listPrograms());
  const own = () => listPrograms().filter((id) => !before.has(id));
  const tracer = await startTracer(
    command,
    async (output) => {
      if (notify.TRACEDECK_NOTIFY_ATTACHED) return output.includes("ATTACHED");
      if (!output.includes("Attaching") || own().length === 0) return false;
      await sleep(700);
      return true;
    },
    notify,
  );
  try {
    const start = new Map(own().map((id) => [id, programInfoById(id)]));
    spawnSync(work[0]!, work.slice(1), { stdio: "ignore" });
    let total = 0;
    for (const [id, first] of start) {
      const last = programInfoById(id);
      const hits = Number(last.runCnt - first.runCnt);
      if (hits > 10_000) total += Number(last.runTimeNs - first.runTimeNs) / hits;
    }
    return total;
  } finally {
    await tracer.stop();
  }
}

export async function events(peers: Peers, workload: string): Promise<void> {
  using _stats = enableStats();
  const rows: Row[] = [];
  const base: { ours: number; theirs: number } = { ours: 0, theirs: 0 };
  const rounds = 3;
  for (const action of ACTIONS) {
    const work = [workload, "reads", String(action.reads ?? 500_000)];
    const ours: number[] = [];
    const theirs: number[] = [];
    for (let i = 0; i < rounds; i++) {
      ours.push(
        await cost(
          [...peers.tracedeck, "run", "-e", action.source],
          { TRACEDECK_NOTIFY_ATTACHED: "ATTACHED" },
          work,
        ),
      );
      if (peers.bpftrace) theirs.push(await cost([...peers.bpftrace, "-e", action.source], {}, work));
    }
    const a = median(ours);
    const b = theirs.length > 0 ? median(theirs) : 0;
    if (action.empty) Object.assign(base, { ours: a, theirs: b });
    const programs = action.name === "latency pair" ? 2 : 1;
    const empty = Math.min(base.ours, base.theirs || base.ours) * programs;
    rows.push([
      action.name,
      a.toFixed(0),
      peers.bpftrace ? b.toFixed(0) : "–",
      Math.max(0, a - empty).toFixed(0),
      peers.bpftrace ? Math.max(0, b - empty).toFixed(0) : "–",
      peers.bpftrace && !action.empty ? ratio(a - empty, b - empty) : "–",
    ]);
  }
  table(
    "Nanoseconds per event (net: less an empty program)",
    ["action", "tracedeck", "bpftrace", "net", "net", "net ratio"],
    rows,
  );
}
