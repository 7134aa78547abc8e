/** What is measured against what. A peer that is not installed leaves its column empty. */
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

export interface Peers {
  tracedeck: string[];
  bpftrace?: string[];
}

const onPath = (command: string): string | undefined =>
  (process.env.PATH ?? "")
    .split(delimiter)
    .map((dir) => join(dir, command))
    .find((path) => existsSync(path));

export function findPeers(root: string): Peers {
  const bpftrace = onPath("bpftrace");
  return {
    tracedeck: [join(root, "dist/cli.js")],
    ...(bpftrace ? { bpftrace: [bpftrace] } : {}),
  };
}
