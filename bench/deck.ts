/**
 * What the deck costs: its start, its memory, and what it takes of the CPU and of the line to the terminal while six panes
 * change. The budget is the screen process's; its engine is a process of its own and has a row of its own.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Figures } from "./frames.ts";
import type { Peers } from "./peers.ts";
import { cpuSeconds, environmentWith, median, residentMegabytes, sleep } from "./process.ts";
import { Pty, SIZE } from "./pty.ts";
import { type Row, table } from "./table.ts";

const SECONDS = 20;
const RATES = [
  { hertz: 1, budget: 1.5 },
  { hertz: 5, budget: 3 },
  { hertz: 10, budget: 5 },
];
const READS = 3;
const KEYS = 200;
const FRAMES = 10_000;

/** Fills a histogram, tables, a chart and the event tail at once; what process `pid` reads changes all of them. */
const busyScript = (pid: number): string => `
tracepoint:raw_syscalls:sys_enter { @syscalls = count(); @by_process[comm, pid] = count(); }
tracepoint:syscalls:sys_enter_read { @sizes = hist(args.count); @by_size[args.count] = count(); }
tracepoint:syscalls:sys_enter_openat /pid == ${pid}/ { printf("%d %s %s\\n", pid, comm, str(args.filename)); }
`;

/** Settings of nobody: what is measured is not a first start. */
function environment(scratch: string, settings: object): NodeJS.ProcessEnv {
  const config = mkdtempSync(join(scratch, "config-"));
  mkdirSync(join(config, "tracedeck"));
  writeFileSync(join(config, "tracedeck/config.json"), JSON.stringify(settings));
  const { CI: _, ...rest } = environmentWith({ XDG_CONFIG_HOME: config, LANG: "C.UTF-8" });
  return rest;
}

function nodeStart(): number {
  const times = Array.from({ length: 7 }, () => {
    const began = performance.now();
    spawnSync(process.execPath, ["-e", "0"], { env: environmentWith({}) });
    return performance.now() - began;
  });
  return median(times);
}

/** The engine that a deck started. */
function engineOf(pid: number): number {
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    const [child] = readFileSync(`/proc/${pid}/task/${task}/children`, "utf8").trim().split(" ");
    if (child) return Number(child);
  }
  throw new Error("the deck has no engine");
}

/** What the deck takes while a script runs in it. */
async function steady(peers: Peers, scratch: string, hertz: number) {
  const script = join(scratch, "busy.bt");
  writeFileSync(script, busyScript(process.pid));
  const deck = new Pty(
    [...peers.tracedeck, "deck", "--run", script],
    environment(scratch, { interval: 1000 / hertz }),
  );
  // All panes change once a frame.
  const work = setInterval(() => {
    for (let i = 0; i < READS; i++) readFileSync("/etc/hostname");
  }, 1000 / hertz);
  await sleep(5000);
  const engine = engineOf(deck.pid);
  const read = () => ({
    bytes: deck.bytes,
    frames: deck.frames,
    screen: cpuSeconds(deck.pid),
    engine: cpuSeconds(engine),
  });
  const before = read();
  await sleep(SECONDS * 1000);
  const after = read();
  clearInterval(work);
  const { now: megabytes } = residentMegabytes(deck.pid);
  deck.write("q");
  await deck.ended;
  const frames = after.frames - before.frames;
  return {
    frames: frames / SECONDS,
    screen: (100 * (after.screen - before.screen)) / SECONDS,
    engine: (100 * (after.engine - before.engine)) / SECONDS,
    bytes: (after.bytes - before.bytes) / frames,
    megabytes,
  };
}

/** Milliseconds from a cursor key to the bytes that it makes, how many these are, and what is sent when nothing happens. */
async function keys(peers: Peers, scratch: string) {
  const script = join(scratch, "typed.bt");
  writeFileSync(script, "tracepoint:syscalls:sys_enter_openat { @[comm] = count(); }\n".repeat(20));
  const deck = new Pty([...peers.tracedeck, "deck", script], environment(scratch, {}));
  await deck.until(() => deck.frames > 0);
  await deck.quiet(1500);
  const still = deck.bytes;
  await sleep(5000);
  const idle = deck.bytes - still;
  const times: number[] = [];
  const sent = deck.bytes;
  for (let i = 0; i < KEYS; i++) {
    const before = deck.bytes;
    const began = performance.now();
    deck.write(["\x1b[B", "\x1b[C", "\x1b[A", "\x1b[D"][i % 4]!);
    await deck.until(() => deck.bytes > before);
    times.push(performance.now() - began);
    await sleep(20);
  }
  const bytes = (deck.bytes - sent) / KEYS;
  deck.write("\x03");
  await deck.ended;
  times.sort((a, b) => a - b);
  return { idle, bytes, p95: times[Math.floor(KEYS * 0.95)]! };
}

/** Starts of a deck that has the code of the last one. */
async function starts(peers: Peers, scratch: string) {
  const list: { bytes: number; firstBytes: number; firstFrame: number; megabytes: number }[] = [];
  for (let i = 0; i < 8; i++) {
    const deck = new Pty(peers.tracedeck, environment(scratch, {}));
    await deck.until(() => !Number.isNaN(deck.firstFrame));
    const { firstBytes, firstFrame, firstFrameBytes: bytes } = deck;
    const { peak: megabytes } = residentMegabytes(deck.pid);
    list.push({ bytes, firstBytes, firstFrame, megabytes });
    deck.write("\x03");
    await deck.ended;
  }
  const middle = (of: (start: (typeof list)[number]) => number) => median(list.slice(1).map(of));
  return {
    bytes: middle(({ bytes }) => bytes),
    firstBytes: middle(({ firstBytes }) => firstBytes),
    firstFrame: middle(({ firstFrame }) => firstFrame),
    megabytes: middle(({ megabytes }) => megabytes),
  };
}

async function fastFrames(scratch: string): Promise<Figures> {
  const report = join(scratch, "frames.json");
  const bundle = join(import.meta.dirname, "bench-frames.cjs");
  const command = [process.execPath, "--expose-gc", bundle, report, String(FRAMES)];
  await new Pty(command, environment(scratch, {})).ended;
  return JSON.parse(readFileSync(report, "utf8"));
}

export async function deck(peers: Peers): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), "tracedeck-deck-"));
  const rows: Row[] = [];
  const figure = (name: string, value: number, digits: number, unit: string, budget?: number) =>
    rows.push([
      name,
      `${value.toFixed(digits)} ${unit}`,
      budget === undefined ? "" : `${budget.toFixed(budget % 1 ? 1 : 0)} ${unit}`,
      budget === undefined || value <= budget ? "" : "over",
    ]);
  try {
    const node = nodeStart();
    const start = await starts(peers, scratch);
    figure("an empty Node", node, 0, "ms");
    figure("first bytes on the screen", start.firstBytes, 0, "ms", Math.round(node + 15));
    figure("first full frame", start.firstFrame, 0, "ms", Math.round(node + 120));
    figure("memory until the first frame, at most", start.megabytes, 0, "MB", 65);
    figure("bytes of the first frame", start.bytes, 0, "B", 25_000);

    const typed = await keys(peers, scratch);
    figure("bytes in 5 s in which nothing changes", typed.idle, 0, "B", 0);
    figure("bytes for a cursor key", typed.bytes, 0, "B", 300);
    figure("cursor key to its bytes, 95th percentile", typed.p95, 1, "ms", 20);

    for (const { hertz, budget } of RATES) {
      const at = await steady(peers, scratch, hertz);
      figure(`six panes at ${hertz} Hz: frames`, at.frames, 1, "/s");
      figure("  CPU of the screen", at.screen, 1, "%", budget);
      figure("  CPU of the engine", at.engine, 1, "%");
      figure("  CPU of the screen for a frame", (10 * at.screen) / at.frames, 1, "ms");
      figure("  bytes of a frame", at.bytes, 0, "B", 5000);
      figure("  memory", at.megabytes, 0, "MB", 90);
    }

    const fast = await fastFrames(scratch);
    figure(`${fast.frames} frames in a row: CPU for one`, fast.cpu.best, 1, "ms", 5);
    figure("  median", fast.cpu.median, 1, "ms");
    figure("  bytes of a frame", fast.bytes, 0, "B", 5000);
    figure("  growth of the heap for a frame", fast.heap, 0, "B", 100);
  } finally {
    rmSync(scratch, { recursive: true });
  }
  table(`The deck at ${SIZE.cols}×${SIZE.rows}`, ["", "measured", "budget", ""], rows);
}
