/**
 * The messages between a screen and an engine, and the only file of the engine that screens may import. On the wire
 * each is a u32 little-endian length and a MessagePack map. Both ends ignore kinds and fields that they do not know.
 */

export const PROTOCOL_VERSION = 1;

/** A problem in a script, placed by line and column (from 1) as well as by offset. */
export interface ScriptDiagnostic {
  severity: "error" | "warning";
  code: string;
  message: string;
  hint?: string;
  notes?: string[];
  file: string;
  start: number;
  end: number;
  line: number;
  column: number;
  endLine: number;
  endColumn: number;
}

export interface StartOptions {
  fileName?: string;
  positional?: string[];
  named?: Record<string, string | true>;
  unsafe?: boolean;
  pid?: number;
  command?: string;
  /** Percent of all CPUs' time; a script that takes more is stopped. */
  maxOverhead?: number;
}

export type ClientMessage =
  | { kind: "hello"; version: number }
  /** `session` is a number that the client chooses. */
  | { kind: "start"; session: number; source: string; options: StartOptions }
  | { kind: "stop"; session: number }
  | { kind: "interval"; milliseconds: number }
  /** For the sessions there are; without `maxOverhead` they may take what they take. */
  | { kind: "guard"; maxOverhead?: number }
  /** What the panes of a session want to see of a map: top rows by a column, and histograms of these keys. */
  | {
      kind: "view";
      session: number;
      map: string;
      rows: number;
      order: "value" | "key" | "rate";
      descending: boolean;
      filter?: string;
    }
  /** Compile only. The answer is a `checked` with the same id. */
  | { kind: "check"; id: number; source: string; options?: StartOptions }
  | { kind: "list"; id: number; pattern: string; verbose: boolean; limit: number };

/** Why the engine cannot trace, each with what to do. Empty: it can. */
export interface Obstacle {
  what: string;
  fix: string;
}

export type EngineMessage =
  | {
      kind: "hello";
      version: number;
      host: string;
      kernel: string;
      arch: string;
      cpus: number;
      user: string;
      obstacles: Obstacle[];
    }
  | { kind: "checked"; id: number; diagnostics: ScriptDiagnostic[]; shape?: ScriptShape }
  | { kind: "listed"; id: number; probes: string[]; total: number }
  | {
      kind: "state";
      session: number;
      state: SessionState;
      shape?: ScriptShape;
      /** Why it failed; of a session that ended: why the engine ended it. */
      error?: string;
      diagnostics?: ScriptDiagnostic[];
      exitCode?: number;
      probes?: number;
    }
  | { kind: "snapshot"; session: number; snapshot: Snapshot }
  /** New lines of output since the last message, oldest first; `skipped`: counted but not formatted, before these. */
  | { kind: "output"; session: number; lines: OutputLine[]; skipped: number }
  | { kind: "engine-error"; message: string };

export type SessionState = "compiling" | "attaching" | "running" | "stopping" | "ended" | "failed";

/** What a script declares: panes are chosen from it. */
export interface ScriptShape {
  maps: MapShape[];
  /** It prints something other than maps. */
  prints: boolean;
  probes: string[];
  options: { name: string; type: "bool" | "int" | "string"; default: string; description?: string }[];
}

export type MapKind =
  | "count"
  | "sum"
  | "avg"
  | "stats"
  | "min"
  | "max"
  | "hist"
  | "lhist"
  | "tseries"
  | "integer"
  | "string"
  | "other";

export interface MapShape {
  name: string;
  kind: MapKind;
  /** Key columns, by what they are ("pid", "comm", "int", "string", "stack"); empty for scalars. */
  keys: string[];
}

export interface OutputLine {
  /** Milliseconds since the epoch. */
  time: number;
  /** May hold anything a traced program chose: sanitize before drawing. */
  text: string;
  kind: "printf" | "print" | "map" | "error" | "warning" | "time";
  /** Of the process or cgroup that it prints. */
  container?: ContainerInfo;
}

/** The state of a session's maps at one moment. What it holds does not grow with the maps. */
export interface Snapshot {
  /** Milliseconds since the epoch, and since the last snapshot. */
  time: number;
  elapsed: number;
  maps: MapSnapshot[];
  cost: Cost;
  losses: Losses;
}

export interface MapSnapshot {
  name: string;
  kind: MapKind;
  /** All keys of the map; `rows` holds the first of them in the order that was asked for. */
  total: number;
  /** Sum over all keys of what the value column shows, and its change per second: for charts. */
  sum: number;
  rate: number;
  rows: RowSnapshot[];
  /** Keys that were found full since the start. */
  full: boolean;
}

/** Whom a process or a cgroup belongs to. All texts are unsanitized. */
export interface ContainerInfo {
  /** A unit is a service or session of systemd, where there is no container. */
  kind: "container" | "unit";
  /** "docker", "containerd", "cri-o", "podman", "lxc", "nspawn", …, "unknown". */
  runtime: string;
  /** What the runtime knows it by, or the unit's name. */
  id: string;
  /** The container's name ("web", "shop/web-5d4c/nginx"), else the first part of its id. */
  name: string;
  /** Uid of its Kubernetes pod. */
  pod?: string;
}

export interface RowSnapshot {
  /** One text per key column; stacks have newlines. Unsanitized. */
  key: string[];
  value: number;
  /** The exact value as bpftrace prints it. */
  text: string;
  /** Change per second since the last snapshot. */
  rate: number;
  /** Of the process or cgroup in its key. */
  container?: ContainerInfo;
  /** avg, stats. */
  count?: number;
  average?: number;
  total?: number;
  histogram?: HistogramSnapshot;
}

/** Buckets from the first to the last that is not empty. `low` inclusive, `high` exclusive; ±Infinity at the ends. */
export interface HistogramSnapshot {
  scale: "log2" | "linear";
  buckets: { low: number; high: number; count: number; label: string }[];
}

/** What tracing costs over the last interval, by the kernel's own statistics and what they leave out. */
export interface Cost {
  /** Percent of one CPU. */
  cpuPercent: number;
  eventsPerSecond: number;
  events: number;
  /** `trapNs`: how much of `nsPerEvent` are traps into the kernel. */
  probes: { name: string; events: number; nsPerEvent: number; trapNs: number; cpuPercent: number }[];
}

/** Since the start. */
export interface Losses {
  eventsLost: number;
  mapsFull: { map: string; count: number }[];
  stacksLost: number;
  /** Of skboutput(). */
  packetsLost: number;
  missed: number;
  stringsTruncated: number;
  /** Of processes that start, execute and map code: user addresses may have no names for it. */
  processEventsLost: number;
}

export const NO_LOSSES: Losses = {
  eventsLost: 0,
  mapsFull: [],
  stacksLost: 0,
  packetsLost: 0,
  missed: 0,
  stringsTruncated: 0,
  processEventsLost: 0,
};
