/**
 * Frames of the deck as fast as they can be drawn: the real store, panes, Ink and painter on the terminal that this runs
 * in, six panes that all change with every frame, fed with messages as an engine sends them. Started by `deck.ts` with
 * --expose-gc; the figures go as JSON into the file that it names.
 */
import { writeFileSync } from "node:fs";
import { encodeFrame, FrameReader } from "../src/engine/framing.ts";
import {
  type EngineMessage,
  type MapSnapshot,
  NO_LOSSES,
  type OutputLine,
  type ScriptShape,
  type Snapshot,
} from "../src/engine/protocol.ts";
import { LOG_LIMIT } from "../src/panes/events/log.ts";
import { mountDeck } from "../src/tui/mount.tsx";

export interface Figures {
  /** Milliseconds of CPU for one frame, of a hundred in a row: the fastest of them, as other work slows them, and the median. */
  cpu: { best: number; median: number };
  /** Bytes of one frame. */
  bytes: number;
  /** Growth of the heap per frame, after collecting garbage. */
  heap: number;
  frames: number;
}

const BATCH = 100;
const WARM_BATCHES = 20;

const SHAPE: ScriptShape = {
  maps: [
    { name: "@calls", kind: "count", keys: [] },
    { name: "@by_process", kind: "count", keys: ["comm", "pid"] },
    { name: "@sizes", kind: "hist", keys: [] },
    { name: "@by_size", kind: "count", keys: ["int"] },
  ],
  prints: true,
  probes: ["tracepoint:raw_syscalls:sys_enter"],
  options: [],
};

/** The same numbers in every run. */
let seed = 1;
const random = (limit: number): number => {
  seed = (seed * 48271) % 0x7fffffff;
  return seed % limit;
};

const totals = new Map<string, number>();
/** Counts that only grow, some fast and some hardly. */
const grown = (name: string, scale: number): number => {
  const value = (totals.get(name) ?? 0) + random(scale);
  totals.set(name, value);
  return value;
};

function keyed(name: string, keys: string[][]): MapSnapshot {
  const rows = keys
    .map((key, i) => {
      const value = grown(`${name}${key.join()}`, 10 + 900 / (i + 1));
      return { key, value, text: String(value), rate: random(1000) };
    })
    .sort((a, b) => b.value - a.value);
  const sum = rows.reduce((total, { value }) => total + value, 0);
  return { name, kind: "count", total: keys.length, sum, rate: random(1000), rows, full: false };
}

const PROCESSES = Array.from({ length: 40 }, (_, i) => [`process-${i}`, String(1000 + 7 * i)]);
const SIZES = Array.from({ length: 40 }, (_, i) => [String(2 ** (i % 16) + i)]);

function snapshot(frame: number): Snapshot {
  const calls = grown("@calls", 5000);
  const buckets = Array.from({ length: 18 }, (_, i) => ({
    low: 2 ** i,
    high: 2 ** (i + 1),
    count: grown(`bucket${i}`, 100 * (9 - Math.abs(9 - i)) + 10),
    label: `[${2 ** i}, ${2 ** (i + 1)})`,
  }));
  const sum = buckets.reduce((total, { count }) => total + count, 0);
  const scalar = { key: [], rate: random(5000) };
  return {
    time: 1_700_000_000_000 + frame * 1000,
    elapsed: 1000,
    maps: [
      {
        name: "@calls",
        kind: "count",
        total: 1,
        sum: calls,
        rate: random(5000),
        rows: [{ ...scalar, value: calls, text: String(calls) }],
        full: false,
      },
      keyed("@by_process", PROCESSES),
      {
        name: "@sizes",
        kind: "hist",
        total: 1,
        sum,
        rate: random(1000),
        rows: [{ ...scalar, value: sum, text: String(sum), histogram: { scale: "log2", buckets } }],
        full: false,
      },
      keyed("@by_size", SIZES),
    ],
    cost: { cpuPercent: random(100) / 100, eventsPerSecond: random(5000), events: calls, probes: [] },
    losses: NO_LOSSES,
  };
}

const printed = (frame: number): OutputLine => ({
  time: frame,
  kind: "printf",
  text: `${1000 + random(9000)} cat /etc/file-${random(1e6)}`,
});

/** What an engine sends for one frame, as it arrives. */
function arriving(frame: number): Uint8Array {
  const messages: EngineMessage[] = [
    { kind: "output", session: 0, skipped: 0, lines: [printed(frame)] },
    { kind: "snapshot", session: 0, snapshot: snapshot(frame) },
  ];
  return Buffer.concat(messages.map(encodeFrame));
}

async function main(report: string, frames: number): Promise<void> {
  const lazy = { library: async () => [], saveSettings: async () => {} };
  const { store, terminal } = mountDeck(lazy, (saved) => {
    saved.focus = "editor";
  });
  const reader = new FrameReader<EngineMessage>();
  const receive = (bytes: Uint8Array) => {
    for (const message of reader.push(bytes)) store.dispatch({ type: "engine", message });
  };
  store.dispatch({ type: "open", source: "// The script of these maps.\n", name: "frames.bt" });
  receive(encodeFrame({ kind: "state", session: 0, state: "running", shape: SHAPE, probes: 1 }));
  // A tail that is full grows no more.
  const lines = Array.from({ length: LOG_LIMIT }, (_, i) => printed(i));
  receive(encodeFrame({ kind: "output", session: 0, skipped: 0, lines }));

  const { stats } = terminal.painter;
  const next = () => new Promise((resolve) => setImmediate(resolve));
  const drained = async () => {
    await next();
    while (process.stdout.writableLength > 0) await next();
  };
  const costs: number[] = [];
  const collect = globalThis.gc!;
  let heap = 0;
  let bytes = 0;
  const batches = WARM_BATCHES + frames / BATCH;
  for (let batch = 0; batch < batches; batch++) {
    if (batch === WARM_BATCHES) {
      collect();
      heap = process.memoryUsage().heapUsed;
      bytes = stats.bytes;
    }
    const input = Array.from({ length: BATCH }, (_, i) => arriving(batch * BATCH + i));
    const before = process.cpuUsage();
    for (const chunk of input) {
      receive(chunk);
      store.draw();
      await drained();
    }
    const { user, system } = process.cpuUsage(before);
    if (batch >= WARM_BATCHES) costs.push((user + system) / 1000 / BATCH);
  }
  collect();
  costs.sort((a, b) => a - b);
  const figures: Figures = {
    cpu: { best: costs[0], median: costs[costs.length >> 1] },
    bytes: (stats.bytes - bytes) / frames,
    heap: (process.memoryUsage().heapUsed - heap) / frames,
    frames: stats.writes,
  };
  terminal.close();
  writeFileSync(report, JSON.stringify(figures));
  process.exit(0);
}

void main(process.argv[2], Number(process.argv[3]));
