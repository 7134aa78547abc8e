/** `npm run bench [start|events|flood|deck …]`: the measurements, each side by side with a peer where one is installed. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deck } from "./deck.ts";
import { events } from "./events.ts";
import { printfFlood } from "./flood.ts";
import { findPeers, type Peers } from "./peers.ts";
import { start } from "./start.ts";

const root = process.cwd();
const scratch = mkdtempSync(join(tmpdir(), "tracedeck-bench-"));

function buildWorkload(): string {
  const path = join(scratch, "workload");
  const { status } = spawnSync("gcc", ["-O2", "-o", path, join(root, "bench/workload.c")], {
    stdio: "inherit",
  });
  if (status !== 0) throw new Error("the workload needs gcc");
  return path;
}

const SECTIONS: Record<string, (peers: Peers) => void | Promise<void>> = {
  start,
  events: (peers) => events(peers, buildWorkload()),
  flood: (peers) => printfFlood(peers, buildWorkload()),
  deck: (peers) => deck(peers),
};

const peers = findPeers(root);
if (!peers.bpftrace) console.log("bpftrace is not installed (Debian: bpftrace): its columns stay empty.");
const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !(name in SECTIONS));
if (unknown.length > 0) {
  console.error(`unknown section: ${unknown.join(", ")}; there are: ${Object.keys(SECTIONS).join(", ")}`);
  process.exit(2);
}
try {
  for (const name of asked.length > 0 ? asked : Object.keys(SECTIONS)) await SECTIONS[name]!(peers);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
