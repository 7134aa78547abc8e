/**
 * Letting go of links that are slow to close. Closing a tracepoint or uprobe perf event waits for RCU, 80 ms and more
 * each; with hundreds of them a prompt would wait for half a minute. A child inherits the descriptors and does nothing but
 * wait for the end of its input: once it is there the parent closes its own copies at no cost, the child sees the end of
 * its input, exits, and the kernel detaches behind it.
 */
import { setCloseOnExec } from "libbpf-ts";
import type { Attached } from "../attach/index.ts";

function closeAll(links: readonly Attached[]): void {
  for (const { link } of links) link.detach();
}

/** Detaches everything without waiting for the kernel. */
export function detachLinks(links: readonly Attached[]): void {
  closeAll(links.filter((attached) => !attached.slowToClose));
  const slow = links.filter((attached) => attached.slowToClose);
  const descriptors = slow.flatMap(({ link }) => link.fds);
  if (descriptors.length === 0) return;
  for (const fd of descriptors) setCloseOnExec(fd, false);
  // Loaded here: most scripts leave without it, and it costs milliseconds.
  const { spawn } = process.getBuiltinModule("node:child_process");
  const holder = spawn("/bin/sh", ["-c", "read -r _"], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
    env: {},
    cwd: "/",
  });
  holder.on("error", () => {});
  holder.stdin.on("error", () => {});
  closeAll(slow);
  holder.stdin.end();
  holder.unref();
}
