/** printf at a fixed rate for two seconds: what is kept, what is lost, and whether the traced process can hold the rate. */
import { spawn } from "node:child_process";
import { openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Peers } from "./peers.ts";
import { environmentWith, sleep } from "./process.ts";
import { type Row, table } from "./table.ts";

const SOURCE = 'tracepoint:syscalls:sys_enter_getppid { printf("%d %s\\n", pid, comm); }';
const SECONDS = 2;

/** Lines of output that came from the workload, and what the tracer said was lost. */
async function flood(
  command: string[],
  ready: string,
  environment: Record<string, string>,
  workload: string,
  rate: number,
) {
  const file = join(tmpdir(), `tracedeck-flood-${process.pid}`);
  const fd = openSync(file, "w");
  const tracer = spawn(command[0]!, command.slice(1), {
    stdio: ["ignore", fd, fd],
    env: environmentWith(environment),
  });
  const ended = new Promise<void>((resolve) => tracer.on("exit", () => resolve()));
  const text = () => readFileSync(file, "latin1");
  while (!text().includes(ready)) await sleep(20);
  await sleep(800);
  const made = await new Promise<number>((resolve) => {
    const work = spawn(workload, ["pace", String(rate), String(SECONDS)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let output = "";
    work.stdout.on("data", (chunk) => {
      output += chunk;
    });
    work.on("close", () => resolve(Number(output)));
  });
  await sleep(500);
  tracer.kill("SIGINT");
  await ended;
  const kept = text().split(" workload\n").length - 1;
  rmSync(file);
  return { made, kept };
}

export async function printfFlood(peers: Peers, workload: string): Promise<void> {
  const rows: Row[] = [];
  for (const rate of [100_000, 300_000, 600_000, 800_000]) {
    const peersToRun: [string, string[], string, Record<string, string>][] = [
      [
        "tracedeck",
        [...peers.tracedeck, "run", "-e", SOURCE],
        "ATTACHED",
        { TRACEDECK_NOTIFY_ATTACHED: "ATTACHED" },
      ],
      ...(peers.bpftrace
        ? [
            ["bpftrace", [...peers.bpftrace, "-e", SOURCE], "Attaching", {}] as [
              string,
              string[],
              string,
              Record<string, string>,
            ],
          ]
        : []),
    ];
    for (const [name, command, ready, environment] of peersToRun) {
      const { made, kept } = await flood(command, ready, environment, workload, rate);
      rows.push([
        name,
        `${(rate / 1000).toFixed(0)} k/s`,
        `${(made / SECONDS / 1000).toFixed(0)} k/s`,
        `${((100 * kept) / made).toFixed(2)} %`,
        String(made - kept),
      ]);
    }
  }
  table("printf for two seconds", ["", "asked", "reached", "kept", "lost"], rows);
}
