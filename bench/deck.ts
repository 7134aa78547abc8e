/** What the deck costs: time to its first frame, memory, CPU and bytes to the terminal at one frame a second, six panes. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawn } from "@lydell/node-pty";
import type { Peers } from "./peers.ts";
import { cpuSeconds, environmentWith, median, residentMegabytes, sleep } from "./process.ts";
import { type Row, table } from "./table.ts";

const SIZE = { cols: 200, rows: 50 };
const SECONDS = 20;

/** Fills a histogram, tables, a chart and the event tail at once. */
const BUSY = `
tracepoint:raw_syscalls:sys_enter { @syscalls = count(); @by_process[comm, pid] = count(); }
tracepoint:syscalls:sys_enter_read { @sizes = hist(args.count); }
tracepoint:syscalls:sys_enter_openat { printf("%d %s %s\\n", pid, comm, str(args.filename)); }
`;

/** Milliseconds until `seen` finds what it looks for in what the program wrote, on a pty of its own. */
async function firstFrame(command: string[], seen: (output: string) => boolean): Promise<number> {
  const began = performance.now();
  const pty = spawn(command[0]!, command.slice(1), { ...SIZE, name: "xterm-256color", env: plain() });
  let output = "";
  const time = await new Promise<number>((resolve) => {
    pty.onData((data) => {
      output += data;
      if (seen(output)) resolve(performance.now() - began);
    });
    pty.onExit(() => resolve(Number.NaN));
    setTimeout(() => resolve(Number.NaN), 10_000).unref();
  });
  pty.kill("SIGKILL");
  return time;
}

/** Settings of nobody, kept between runs: what is measured is not a first start. */
const SETTINGS = join(tmpdir(), "tracedeck-bench-config");

const plain = (): Record<string, string> => {
  const { CI: _, ...rest } = environmentWith({ XDG_CONFIG_HOME: SETTINGS });
  return rest as Record<string, string>;
};

function nodeStart(): number {
  const times = Array.from({ length: 7 }, () => {
    const began = performance.now();
    spawnSync(process.execPath, ["-e", "0"], { env: plain() });
    return performance.now() - began;
  });
  return median(times);
}

export async function deck(peers: Peers): Promise<void> {
  const node = nodeStart();
  const skeletons: number[] = [];
  const frames: number[] = [];
  for (let i = 0; i < 5; i++) {
    skeletons.push(await firstFrame(peers.tracedeck, (output) => output.length > 0));
    frames.push(
      await firstFrame(peers.tracedeck, (output) => output.includes("\x1b[?1049h") && output.length > 2000),
    );
  }

  const scratch = mkdtempSync(join(tmpdir(), "tracedeck-deck-"));
  const script = join(scratch, "busy.bt");
  writeFileSync(script, BUSY);
  const command = [...peers.tracedeck, "deck", "--run", script];
  const pty = spawn(command[0]!, command.slice(1), { ...SIZE, name: "xterm-256color", env: plain() });
  let bytes = 0;
  pty.onData((data) => {
    bytes += Buffer.byteLength(data);
  });
  await sleep(5000);
  const before = { bytes, cpu: cpuSeconds(pty.pid) };
  const work = setInterval(() => spawnSync("cat", ["/etc/hostname"], { stdio: "ignore" }), 50);
  await sleep(SECONDS * 1000);
  clearInterval(work);
  const after = { bytes, cpu: cpuSeconds(pty.pid) };
  const memory = residentMegabytes(pty.pid);
  pty.write("q");
  await sleep(300);
  try {
    process.kill(pty.pid, "SIGTERM");
  } catch {}
  rmSync(scratch, { recursive: true });

  const rows: Row[] = [
    ["an empty Node", `${node.toFixed(0)} ms`, ""],
    ["first bytes on the screen", `${median(skeletons).toFixed(0)} ms`, `${(node + 15).toFixed(0)} ms`],
    ["first full frame", `${median(frames).toFixed(0)} ms`, `${(node + 120).toFixed(0)} ms`],
    ["CPU at one frame a second", `${((100 * (after.cpu - before.cpu)) / SECONDS).toFixed(1)} %`, "1.5 %"],
    [
      "bytes to the terminal",
      `${((after.bytes - before.bytes) / SECONDS / 1000).toFixed(1)} KB/s`,
      "5.0 KB/s",
    ],
    ["resident memory", `${memory.now.toFixed(0)} MB`, "90 MB"],
  ];
  table(`The deck at ${SIZE.cols}×${SIZE.rows}`, ["", "measured", "budget"], rows);
}
