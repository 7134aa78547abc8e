// Which test files run in the virtual machine, and why others do not.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { path } from "../build-plugins.mjs";

/** Files that have nothing to tell there, and why; on one kernel alone, if one is named. */
const LEFT_OUT = [
  ["test/side-by-side/sideBySide", "the language side by side needs no other kernel"],
  ["test/live/run/commands", "the command line's words need no other kernel"],
  ["test/live/run/run", "the command line's words need no other kernel"],
  ["test/live/run/trials", "bench and test probes are loaded like others"],
  ["test/live/run/faults", "what a fault ends is let go of the same on every kernel"],
  ["test/live/engine/engine", "the protocol needs no other kernel"],
  [
    "test/live/work/costGuard",
    "the guard takes what any kernel counts, and an emulated processor distorts it",
  ],
  ["test/live/symbols/followed", "perf's records of processes are the same on every kernel"],
  ["test/live/compile/emit", "encoding needs no other kernel"],
  ["test/live/functions/archive", "archives are read the same on every kernel"],
  ["test/live/functions/dwarf", "debug info is read the same on every kernel"],
  ["test/live/functions/names", "names of C++ and Rust are read the same on every kernel"],
  ["test/live/functions/userLimits", "what is refused is refused before the kernel is asked"],
  ["test/live/libbpf/readme", "the README's program needs no other kernel"],
  ["test/live/engine/handover", "the protocol needs no other kernel"],
  ["test/live/symbols/files", "ELF files are read the same on every kernel"],
  ["test/live/symbols/processes", "perf's records of processes are the same on every kernel"],
  ["test/live/symbols/served", "there is no FUSE in the machine"],
  ["test/live/symbols/speed", "an emulated processor tells nothing of speed"],
  ["test/live/containers/", "there is no Python in the machine, whose processes it traces"],
  ...["control", "printf", "settings", "structs"].map((name) => [
    `test/live/language/${name}.`,
    "Linux 6.1 takes the same code as newer kernels for it",
    "6.1",
  ]),
];

/** What only another kernel can show, and one file of each way into it: the lane fails if one of them has not run. */
const MUST = [
  "test/side-by-side/",
  "test/live/functions/kernel",
  "test/live/compile/kernelFunctions",
  // Long, and so not at the end, where one machine would wait for the other.
  "test/live/library/",
  "test/live/compile/",
  ...["link", "program"].map((name) => `test/live/libbpf/${name}`),
  ...["functions", "processes", "syscalls", "packets"].map((name) => `test/live/work/${name}`),
  "test/live/language/kfuncs",
];
/** The others, those that tell least of another kernel last: where a slow host leaves no time, they are reported as not run. */
const OTHERS = [
  "test/live/unwind/",
  ...["functions", "engine", "libbpf"].map((name) => `test/live/${name}/`),
  ...["events", "iterators", "stacks", "usdt", "watchpoints", "losses"].map(
    (name) => `test/live/work/${name}`,
  ),
  "test/live/work/",
  "test/live/symbols/",
];
const placeIn = (prefixes, file) => {
  const place = prefixes.findIndex((prefix) => file.startsWith(prefix));
  return place < 0 ? prefixes.length : place;
};
/** Whether the lane may end without having run the file. */
export const isSpare = (file) => placeIn(MUST, file) === MUST.length;
const rank = (file) => (isSpare(file) ? MUST.length + placeIn(OTHERS, file) : placeIn(MUST, file));

/** Tests that run bpftrace beside tracedeck. */
export const needsBpftrace = (file) => file.startsWith("test/side-by-side/");

/**
 * Test files under test/live and test/side-by-side by prefixes of their paths; without prefixes all but those left out.
 * `kernel` is "6.1" for the kernel of the lane that must end soon.
 */
export function chooseFiles(prefixes, kernel) {
  const files = ["test/live", "test/side-by-side"]
    .flatMap((folder) =>
      readdirSync(path(folder), { recursive: true })
        .filter((name) => name.endsWith(".test.ts"))
        .map((name) => join(folder, name)),
    )
    .sort()
    .sort((a, b) => rank(a) - rank(b));
  if (prefixes.length > 0) {
    const chosen = files.filter((file) => prefixes.some((prefix) => file.startsWith(prefix)));
    return { chosen, leftOut: [] };
  }
  const leftOut = LEFT_OUT.filter(([, , only]) => !only || only === kernel).flatMap(([prefix, why]) =>
    files.filter((file) => file.startsWith(prefix)).map((file) => ({ file, why })),
  );
  return { chosen: files.filter((file) => !leftOut.some((left) => left.file === file)), leftOut };
}
