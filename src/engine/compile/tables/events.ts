/** Events of perf_event_open(2): names, the kernel's numbers, and after how many events a probe fires by default. */
export interface EventRow {
  name: string;
  aliases: readonly string[];
  config: number;
  period: bigint;
  help: string;
}

export const SOFTWARE_EVENTS: readonly EventRow[] = [
  {
    name: "cpu-clock",
    aliases: ["cpu"],
    config: 0,
    period: 1_000_000n,
    help: "A timer per CPU; the count is in nanoseconds.",
  },
  {
    name: "task-clock",
    aliases: [],
    config: 1,
    period: 1n,
    help: "Time that a task runs, in nanoseconds.",
  },
  { name: "page-faults", aliases: ["faults"], config: 2, period: 100n, help: "Page faults of any kind." },
  { name: "context-switches", aliases: ["cs"], config: 3, period: 1000n, help: "Switches between tasks." },
  { name: "cpu-migrations", aliases: [], config: 4, period: 1n, help: "A task moved to another CPU." },
  { name: "minor-faults", aliases: [], config: 5, period: 100n, help: "Page faults that needed no I/O." },
  { name: "major-faults", aliases: [], config: 6, period: 1n, help: "Page faults that read from storage." },
  {
    name: "alignment-faults",
    aliases: [],
    config: 7,
    period: 1n,
    help: "Unaligned accesses that the kernel fixed up.",
  },
  {
    name: "emulation-faults",
    aliases: [],
    config: 8,
    period: 1n,
    help: "Instructions that the kernel emulated.",
  },
  { name: "dummy", aliases: [], config: 9, period: 1n, help: "Counts nothing." },
  { name: "bpf-output", aliases: [], config: 10, period: 1n, help: "Output of BPF programs." },
];

export const HARDWARE_EVENTS: readonly EventRow[] = [
  { name: "cpu-cycles", aliases: ["cycles"], config: 0, period: 1_000_000n, help: "CPU cycles." },
  { name: "instructions", aliases: [], config: 1, period: 1_000_000n, help: "Instructions retired." },
  {
    name: "cache-references",
    aliases: [],
    config: 2,
    period: 1_000_000n,
    help: "Last-level cache accesses.",
  },
  { name: "cache-misses", aliases: [], config: 3, period: 1_000_000n, help: "Last-level cache misses." },
  {
    name: "branch-instructions",
    aliases: ["branches"],
    config: 4,
    period: 100_000n,
    help: "Branches retired.",
  },
  { name: "branch-misses", aliases: [], config: 5, period: 100_000n, help: "Branches predicted wrongly." },
  { name: "bus-cycles", aliases: [], config: 6, period: 100_000n, help: "Bus cycles." },
  {
    name: "frontend-stalls",
    aliases: [],
    config: 7,
    period: 1_000_000n,
    help: "Cycles stalled fetching instructions.",
  },
  {
    name: "backend-stalls",
    aliases: [],
    config: 8,
    period: 1_000_000n,
    help: "Cycles stalled on resources.",
  },
  { name: "ref-cycles", aliases: [], config: 9, period: 1_000_000n, help: "Cycles at a constant rate." },
];
