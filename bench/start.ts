/** From the command line to the prompt: wall time and peak memory of whole runs, side by side. */

import type { Peers } from "./peers.ts";
import { measure, pair, type Run } from "./process.ts";
import { type Row, ratio, table } from "./table.ts";

const SCRIPTS = [
  { name: "BEGIN { exit(); }", source: "BEGIN { exit(); }", runs: 9 },
  {
    name: "one tracepoint",
    source: "tracepoint:syscalls:sys_enter_openat { @[comm] = count(); } interval:ms:1 { exit(); }",
    runs: 9,
  },
  {
    name: "every syscalls:sys_enter_*",
    source: "tracepoint:syscalls:sys_enter_* { @ = count(); } interval:ms:1 { exit(); }",
    // bpftrace takes half a minute for it.
    runs: 1,
  },
];

const cells = (run: Run | undefined): string[] =>
  run ? [`${run.seconds.toFixed(3)} s`, `${run.megabytes.toFixed(0)} MB`] : ["–", "–"];

export function start(peers: Peers): void {
  const rows: Row[] = SCRIPTS.map(({ name, source, runs }) => {
    const ours = [...peers.tracedeck, "run", "-q", "-e", source];
    if (!peers.bpftrace) {
      measure(ours);
      return [name, ...cells(measure(ours)), ...cells(undefined), "–", "–"];
    }
    const both = pair(ours, [...peers.bpftrace, "-q", "-e", source], runs);
    return [
      name,
      ...cells(both.a),
      ...cells(both.b),
      ratio(both.a.seconds, both.b.seconds),
      ratio(both.a.megabytes, both.b.megabytes),
    ];
  });
  table("Start to exit", ["script", "tracedeck", "", "bpftrace", "", "time", "memory"], rows);
}
