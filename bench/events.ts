/**
 * What an event costs the traced system: nanoseconds per hit by the kernel's own statistics, less what an empty program
 * on the same event costs, so that the statistics' own share is gone. Of several rounds the cheapest counts: what makes a
 * round dearer is other work on the machine.
 */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { enableStats, programInfoById } from "libbpf-ts";
import type { Peers } from "./peers.ts";
import { sleep, startTracer } from "./process.ts";
import { type Row, ratio, table } from "./table.ts";

const READ = "tracepoint:syscalls:sys_enter_read";
const READ_EXIT = "tracepoint:syscalls:sys_exit_read";

/** Turns of tracedeck and bpftrace, and how often each turn repeats the work. */
const TURNS = 2;
const ROUNDS = 5;
const READS = 150_000;
/** Rounds with fewer hits say nothing. */
const LEAST_HITS = 5000;

interface Action {
  name: string;
  source: string;
  programs?: number;
  reads?: number;
}

const EMPTY: Action = { name: "nothing", source: `${READ} { }` };

const ACTIONS: Action[] = [
  { name: "@ = count()", source: `${READ} { @ = count(); }` },
  { name: "@[pid] = count()", source: `${READ} { @[pid] = count(); }` },
  { name: "@[comm] = count()", source: `${READ} { @[comm] = count(); }` },
  { name: "@ = hist(args.count)", source: `${READ} { @ = hist(args->count); }` },
  { name: "@[pid, comm] = hist(args.count)", source: `${READ} { @[pid, comm] = hist(args->count); }` },
  {
    name: "latency pair",
    source: `${READ} { @start[tid] = nsecs; } ${READ_EXIT} /@start[tid]/ { @ns = hist(nsecs - @start[tid]); delete(@start[tid]); }`,
    programs: 2,
  },
  {
    name: 'printf("%d %s\\n", pid, comm)',
    source: `${READ} { printf("%d %s\\n", pid, comm); }`,
    reads: 20_000,
  },
];

/** Ids of the programs that a process holds. */
function programsOf(pid: number): number[] {
  const ids = readdirSync(`/proc/${pid}/fdinfo`).map((fd) => {
    const info = readFileSync(`/proc/${pid}/fdinfo/${fd}`, "utf8");
    return Number(/^prog_id:\s*(\d+)/m.exec(info)?.[1] ?? 0);
  });
  return [...new Set(ids)].filter((id) => id > 0);
}

/** Run time by hit of every program of a tracer, cheapest round each, added up. */
async function cost(command: string[], environment: Record<string, string>, work: string[]): Promise<number> {
  const notified = environment.TRACEDECK_NOTIFY_ATTACHED;
  const tracer = await startTracer(
    command,
    async (output, pid) => {
      if (notified) return output.includes(notified);
      if (!output.includes("Attaching") || programsOf(pid).length === 0) return false;
      // bpftrace does not say when it has attached.
      await sleep(700);
      return true;
    },
    environment,
  );
  try {
    const cheapest = new Map<number, number>();
    for (let round = 0; round < ROUNDS; round++) {
      const before = programsOf(tracer.pid).map((id) => programInfoById(id));
      spawnSync(work[0]!, work.slice(1), { stdio: "ignore" });
      for (const { id, runCnt, runTimeNs } of before) {
        const after = programInfoById(id);
        const hits = Number(after.runCnt - runCnt);
        const each = Number(after.runTimeNs - runTimeNs) / hits;
        if (hits > LEAST_HITS) cheapest.set(id, Math.min(each, cheapest.get(id) ?? each));
      }
    }
    return [...cheapest.values()].reduce((sum, each) => sum + each, 0);
  } finally {
    await tracer.stop();
  }
}

export async function events(peers: Peers, workload: string): Promise<void> {
  using _stats = enableStats();
  const measure = async ({ source, reads = READS }: Action) => {
    const work = [workload, "reads", String(reads)];
    const notify = { TRACEDECK_NOTIFY_ATTACHED: "ATTACHED" };
    const ours: number[] = [];
    const theirs: number[] = [];
    for (let turn = 0; turn < TURNS; turn++) {
      ours.push(await cost([...peers.tracedeck, "run", "-e", source], notify, work));
      if (peers.bpftrace) theirs.push(await cost([...peers.bpftrace, "-e", source], {}, work));
    }
    return { ours: Math.min(...ours), theirs: theirs.length > 0 ? Math.min(...theirs) : undefined };
  };
  const empty = await measure(EMPTY);
  const base = Math.min(empty.ours, empty.theirs ?? empty.ours);
  const rows: Row[] = [[EMPTY.name, empty.ours.toFixed(0), empty.theirs?.toFixed(0) ?? "–"]];
  for (const action of ACTIONS) {
    const { ours, theirs } = await measure(action);
    const net = (cost: number) => Math.max(0, cost - base * (action.programs ?? 1));
    rows.push([
      action.name,
      ours.toFixed(0),
      theirs?.toFixed(0) ?? "–",
      net(ours).toFixed(0),
      theirs === undefined ? "–" : net(theirs).toFixed(0),
      theirs === undefined ? "–" : ratio(net(ours), net(theirs)),
    ]);
  }
  table(
    "Nanoseconds per event (net: less an empty program)",
    ["action", "tracedeck", "bpftrace", "net", "net", "net ratio"],
    rows,
  );
}
