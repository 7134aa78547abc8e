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
tracepoint:syscalls:sys_enter_read { @sizes = hist(args.count); @by_size[args.count] = count(); }
tracepoint:syscalls:sys_enter_openat /comm == "cat"/ { printf("%d %s %s\\n", pid, comm, str(args.filename)); }
`;
const FRAME_BEGINS = "\x1b[?2026h";
const FRAME_ENDS = "\x1b[?2026l";

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

/** What the deck takes while a script runs in it. The terminal is read all the time. */
async function steady(command: string[]) {
  const pty = spawn(command[0]!, command.slice(1), { ...SIZE, name: "xterm-256color", env: plain() });
  let bytes = 0;
  let frames = 0;
  pty.onData((data) => {
    bytes += Buffer.byteLength(data);
    frames += data.split(FRAME_BEGINS).length - 1;
  });
  const ended = new Promise<void>((resolve) => pty.onExit(() => resolve()));
  await sleep(5000);
  const before = { bytes, frames, cpu: cpuSeconds(pty.pid) };
  const work = setInterval(() => spawn("cat", ["/etc/hostname"], {}), 1000);
  await sleep(SECONDS * 1000);
  clearInterval(work);
  const result = {
    cpu: (cpuSeconds(pty.pid) - before.cpu) / SECONDS,
    bytes: (bytes - before.bytes) / SECONDS,
    frames: (frames - before.frames) / SECONDS,
    megabytes: residentMegabytes(pty.pid).now,
  };
  pty.write("q");
  await ended;
  return result;
}

export async function deck(peers: Peers): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), "tracedeck-deck-"));
  const script = join(scratch, "busy.bt");
  writeFileSync(script, BUSY);
  const running = await steady([...peers.tracedeck, "deck", "--run", script]);
  rmSync(scratch, { recursive: true });

  const node = nodeStart();
  const skeletons: number[] = [];
  const frames: number[] = [];
  for (let i = 0; i < 7; i++) {
    skeletons.push(await firstFrame(peers.tracedeck, (output) => output.length > 0));
    frames.push(await firstFrame(peers.tracedeck, (output) => output.includes(FRAME_ENDS)));
  }

  const rows: Row[] = [
    ["an empty Node", `${node.toFixed(0)} ms`, ""],
    ["first bytes on the screen", `${median(skeletons).toFixed(0)} ms`, `${(node + 15).toFixed(0)} ms`],
    ["first full frame", `${median(frames).toFixed(0)} ms`, `${(node + 120).toFixed(0)} ms`],
    ["frames a second, six panes", running.frames.toFixed(1), ""],
    ["CPU", `${(100 * running.cpu).toFixed(1)} %`, "1.5 %"],
    ["bytes to the terminal", `${(running.bytes / 1000).toFixed(1)} KB/s`, "5.0 KB/s"],
    ["resident memory", `${running.megabytes.toFixed(0)} MB`, "90 MB"],
  ];
  table(`The deck at ${SIZE.cols}×${SIZE.rows}`, ["", "measured", "budget"], rows);
}
