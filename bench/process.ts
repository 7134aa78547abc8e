/** Runs whole processes and asks the kernel what they took. */
import { spawn, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

export interface Run {
  seconds: number;
  /** Peak resident memory of the process, in MB. */
  megabytes: number;
}

/**
 * Environment of everything measured, without what this machine tells every Node: a company's NODE_EXTRA_CA_CERTS, parsed at
 * each start, would double it.
 */
const ENVIRONMENT = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !name.startsWith("NODE_")),
);

export const environmentWith = (more: Record<string, string>): NodeJS.ProcessEnv => ({
  ...ENVIRONMENT,
  ...more,
});

/** Wall time and peak memory of one command, by GNU time. Throws when it cannot be started. */
export function measure(command: string[], environment: Record<string, string> = {}): Run {
  const began = process.hrtime.bigint();
  const result = spawnSync("/usr/bin/time", ["-f", "%M", ...command], {
    encoding: "utf8",
    stdio: ["ignore", "ignore", "pipe"],
    env: environmentWith(environment),
  });
  const seconds = Number(process.hrtime.bigint() - began) / 1e9;
  if (result.error) throw result.error;
  const kilobytes = Number(result.stderr.trim().split("\n").at(-1));
  return { seconds, megabytes: kilobytes / 1024 };
}

export const median = (values: number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
};

/**
 * Two commands in turn, A B A B …, so that a drift of the machine's speed hits both. Of their runs the fastest count, as
 * only other work on the machine makes one slower.
 */
export function pair(a: string[], b: string[], runs: number): { a: Run; b: Run } {
  const results: { a: Run[]; b: Run[] } = { a: [], b: [] };
  measure(a);
  if (runs > 1) measure(b);
  for (let i = 0; i < runs; i++) {
    results.a.push(measure(a));
    results.b.push(measure(b));
  }
  const best = (list: Run[]): Run => ({
    seconds: Math.min(...list.map((run) => run.seconds)),
    megabytes: median(list.map((run) => run.megabytes)),
  });
  return { a: best(results.a), b: best(results.b) };
}

/** A tracer that runs in the background until `stop`. */
export interface Tracer {
  pid: number;
  output: () => string;
  stop: () => Promise<void>;
}

/** Starts a tracer and waits until `ready` says that it is attached. */
export async function startTracer(
  command: string[],
  ready: (output: string, pid: number) => boolean | Promise<boolean>,
  environment: Record<string, string> = {},
): Promise<Tracer> {
  const child = spawn(command[0]!, command.slice(1), {
    stdio: ["ignore", "pipe", "pipe"],
    env: environmentWith(environment),
  });
  let output = "";
  const add = (chunk: Buffer) => {
    if (output.length < 1_000_000) output += chunk.toString("latin1");
  };
  child.stdout.on("data", add);
  child.stderr.on("data", add);
  const ended = new Promise<void>((resolve) => child.on("exit", () => resolve()));
  const deadline = Date.now() + 60_000;
  while (!(await ready(output, child.pid!))) {
    if (Date.now() > deadline || child.exitCode !== null) {
      child.kill("SIGKILL");
      throw new Error(`not attached: ${command.join(" ")}\n${output}`);
    }
    await sleep(20);
  }
  return {
    pid: child.pid!,
    output: () => output,
    stop: async () => {
      // A peer may miss one that comes while it is busy.
      const asking = setInterval(() => child.kill("SIGINT"), 2000);
      child.kill("SIGINT");
      await ended;
      clearInterval(asking);
    },
  };
}

export const sleep = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

/** CPU seconds (user and system) that a process has used. */
export function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Resident memory of a process in MB: now, and at its peak. */
export function residentMegabytes(pid: number): { now: number; peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const of = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]) / 1024;
  return { now: of("VmRSS"), peak: of("VmHWM") };
}
