/**
 * Probe types: names, how a probe of each is written, what its action can use, and what turns a spec into attach points.
 * The checker, completion, `tracedeck list` and the docs read these rows.
 */

import { expandIter } from "../probes/iter.ts";
import { expandKernelFunction } from "../probes/kernelFunction.ts";
import { expandPerfEvent } from "../probes/perfEvent.ts";
import { expandRawTracepoint } from "../probes/rawTracepoint.ts";
import type { Expand } from "../probes/request.ts";
import { expandBeginEnd, expandBench, expandSelf } from "../probes/special.ts";
import { expandTimer } from "../probes/timer.ts";
import { expandTracepoint } from "../probes/tracepoint.ts";
import { expandUsdt } from "../probes/usdt.ts";
import { expandUprobe } from "../probes/userFunction.ts";
import { expandWatchpoint } from "../probes/watchpoint.ts";
import type { Attach } from "../typed.ts";
import type { AddressSpace } from "../types.ts";

export interface ProbeTypeRow {
  name: string;
  /** Short names and older names. */
  aliases: readonly string[];
  syntax: readonly string[];
  help: string;
  /** `args.NAME`. */
  args?: true;
  /** `arg0`, `arg1`, … */
  argN?: true;
  retval?: true;
  /** `reg("ip")`, and what else needs the registers at the probe. */
  registers?: true;
  /** Where pointers lead that come from here: syscall tracepoints say otherwise themselves. */
  space: AddressSpace;
  /** A wildcard in the place of the type stands for it: where a process or a path is named ("user"), or elsewhere. */
  wild?: "kernel" | "user";
  /** What `probetype` gives. */
  shownType?: string;
  expand: Expand;
}

export const PROBE_TYPES: readonly ProbeTypeRow[] = [
  {
    name: "begin",
    aliases: ["BEGIN"],
    syntax: ["begin"],
    help: "Runs once before other probes are attached.",
    space: "kernel",
    shownType: "special",
    expand: expandBeginEnd,
  },
  {
    name: "end",
    aliases: ["END"],
    syntax: ["end"],
    help: "Runs once after other probes are detached.",
    space: "kernel",
    shownType: "special",
    expand: expandBeginEnd,
  },
  {
    name: "self",
    aliases: [],
    syntax: ["self:signal:SIGUSR1"],
    help: "Runs when the tracer itself gets the signal.",
    space: "kernel",
    shownType: "special",
    expand: expandSelf,
  },
  {
    name: "bench",
    aliases: [],
    syntax: ["bench:NAME"],
    help: "Measures what its action costs; runs in bench mode only.",
    space: "kernel",
    expand: expandBench,
  },
  {
    name: "test",
    aliases: [],
    syntax: ["test:NAME"],
    help: "Passes when its action returns 0; runs in test mode only.",
    space: "kernel",
    expand: expandBench,
  },
  {
    name: "tracepoint",
    aliases: ["t"],
    syntax: ["tracepoint:CATEGORY:EVENT"],
    help: "The kernel's own instrumentation points, with named arguments: the most stable interface there is.",
    args: true,
    space: "kernel",
    wild: "kernel",
    expand: expandTracepoint,
  },
  {
    name: "rawtracepoint",
    aliases: ["rt"],
    syntax: ["rawtracepoint:EVENT", "rawtracepoint:MODULE:EVENT"],
    help: "The same points with the arguments as the kernel passes them: cheaper, and less stable.",
    args: true,
    argN: true,
    space: "kernel",
    wild: "kernel",
    expand: expandRawTracepoint,
  },
  {
    name: "kprobe",
    aliases: ["k"],
    syntax: ["kprobe:FUNCTION", "kprobe:MODULE:FUNCTION", "kprobe:FUNCTION+OFFSET", "kprobe:ADDRESS"],
    help: "Entry of almost any kernel function, or an instruction in it. Arguments are arg0, arg1, …",
    argN: true,
    registers: true,
    space: "kernel",
    wild: "kernel",
    expand: expandKernelFunction,
  },
  {
    name: "kretprobe",
    aliases: ["kr"],
    syntax: ["kretprobe:FUNCTION", "kretprobe:MODULE:FUNCTION", "kretprobe:ADDRESS"],
    help: "Return from a kernel function. The result is retval.",
    retval: true,
    registers: true,
    space: "kernel",
    expand: expandKernelFunction,
  },
  {
    name: "fentry",
    aliases: ["f", "kfunc"],
    syntax: ["fentry:FUNCTION", "fentry:MODULE:FUNCTION", "fentry:bpf:NAME", "fentry:bpf:PROGRAM-ID:NAME"],
    help: "Entry of a kernel function, or of a BPF program's, through BTF: typed arguments in args, and next to no cost.",
    args: true,
    argN: true,
    space: "kernel",
    wild: "kernel",
    expand: expandKernelFunction,
  },
  {
    name: "fexit",
    aliases: ["fr", "kretfunc"],
    syntax: ["fexit:FUNCTION", "fexit:MODULE:FUNCTION", "fexit:bpf:NAME", "fexit:bpf:PROGRAM-ID:NAME"],
    help: "Return from a kernel function through BTF: the arguments in args and the typed result in retval.",
    args: true,
    argN: true,
    retval: true,
    space: "kernel",
    expand: expandKernelFunction,
  },
  {
    name: "uprobe",
    aliases: ["u"],
    syntax: [
      "uprobe:BINARY:FUNCTION",
      "uprobe:BINARY:FUNCTION+OFFSET",
      "uprobe:BINARY:ADDRESS",
      "uprobe:LIBRARY:FUNCTION",
      'uprobe:BINARY:cpp:"NAMESPACE::FUNCTION"',
      "uprobe:*:FUNCTION",
      "uprobe:BINARY@FILE:LINE",
      "uprobe:BINARY@FILE:LINE:COLUMN",
    ],
    help: "Entry of a function in a program or library, or an instruction or source line in it. Arguments are arg0, arg1, …; with debug info (-g) also args by name and type.",
    args: true,
    argN: true,
    registers: true,
    space: "user",
    wild: "user",
    expand: expandUprobe,
  },
  {
    name: "uretprobe",
    aliases: ["ur"],
    syntax: [
      "uretprobe:BINARY:FUNCTION",
      "uretprobe:LIBRARY:FUNCTION",
      'uretprobe:BINARY:cpp:"NAMESPACE::FUNCTION"',
    ],
    help: "Return from a function in a program or library. The result is retval.",
    retval: true,
    registers: true,
    space: "user",
    expand: expandUprobe,
  },
  {
    name: "usdt",
    aliases: ["U"],
    syntax: ["usdt:BINARY:PROBE", "usdt:BINARY:PROVIDER:PROBE", "usdt:*:PROVIDER:PROBE", "usdt:PROBE"],
    help: "Instrumentation points that a program's authors put in. Arguments are arg0, arg1, … The binary may be a library's name, * for all that run, or be left out with -p.",
    argN: true,
    registers: true,
    space: "user",
    wild: "user",
    expand: expandUsdt,
  },
  {
    name: "profile",
    aliases: ["p"],
    syntax: [
      "profile:hz:RATE",
      "profile:s:COUNT",
      "profile:ms:COUNT",
      "profile:us:COUNT",
      "profile:DURATION",
    ],
    help: "Fires on every CPU at a fixed rate.",
    registers: true,
    space: "kernel",
    expand: expandTimer,
  },
  {
    name: "interval",
    aliases: ["i"],
    syntax: [
      "interval:s:COUNT",
      "interval:ms:COUNT",
      "interval:us:COUNT",
      "interval:hz:RATE",
      "interval:DURATION",
    ],
    help: "Fires on one CPU at a fixed interval: for printing and for ending a script.",
    space: "kernel",
    expand: expandTimer,
  },
  {
    name: "software",
    aliases: ["s"],
    syntax: ["software:EVENT:", "software:EVENT:COUNT"],
    help: "Events that the kernel counts, such as page faults: fires once in so many.",
    registers: true,
    space: "kernel",
    wild: "kernel",
    expand: expandPerfEvent,
  },
  {
    name: "hardware",
    aliases: ["h"],
    syntax: ["hardware:EVENT:", "hardware:EVENT:COUNT"],
    help: "Events that the processor counts, such as cache misses: fires once in so many.",
    registers: true,
    space: "kernel",
    wild: "kernel",
    expand: expandPerfEvent,
  },
  {
    name: "iter",
    aliases: ["it"],
    syntax: ["iter:task", "iter:task_file", "iter:task_vma", "iter:NAME", "iter:NAME:PIN"],
    help: "Runs once for each object of a kind, such as every task; its fields are in ctx. With a pin, the iterator stays as a file below /sys/fs/bpf.",
    space: "kernel",
    wild: "kernel",
    expand: expandIter,
  },
  {
    name: "watchpoint",
    aliases: ["w"],
    syntax: ["watchpoint:ADDRESS:LENGTH:MODE"],
    help: "Fires when the memory at an address is read, written or executed.",
    registers: true,
    space: "user",
    expand: expandWatchpoint,
  },
];

const BY_NAME = new Map<string, ProbeTypeRow>();
for (const row of PROBE_TYPES) for (const name of [row.name, ...row.aliases]) BY_NAME.set(name, row);

/** Types whose probes another type can serve: what is offered is the server's, what is shown is the script's. */
const STAND_INS: Readonly<Record<string, ProbeTypeRow>> = Object.fromEntries(
  (
    [
      ["fentry", "kprobe", { args: true }],
      ["fexit", "kretprobe", {}],
      ["kprobe", "fentry", { args: undefined }],
      ["kretprobe", "fexit", { args: undefined, argN: undefined }],
    ] as const
  ).map(([type, server, more]) => [type, { ...BY_NAME.get(server)!, ...more, shownType: type }]),
);

/** The row that says what a probe of a type offers, by how it is attached. */
export function offeredRow(row: ProbeTypeRow, attach: Attach): ProbeTypeRow {
  const standsIn = attach.kind === "kprobe" ? attach.typed : attach.kind === "fentry" && attach.untyped;
  return standsIn ? STAND_INS[row.name] : row;
}

const BY_FULL_NAME = new Map(PROBE_TYPES.map((row) => [row.name, row]));

/** A type by any of its names; full names in any case. */
export const probeType = (name: string): ProbeTypeRow | undefined =>
  BY_NAME.get(name) ?? BY_FULL_NAME.get(name.toLowerCase());
