/**
 * Letting go of links. Those that are slow to close are handed over to a child, so that nobody waits at the prompt: with
 * hundreds of tracepoints it would be half a minute.
 */
import { handOver } from "libbpf-ts";
import type { Attached } from "../attach/index.ts";

/** Detaches everything without waiting for the kernel. */
export function detachLinks(links: readonly Attached[]): void {
  const slow = links
    .filter(({ link, slowToClose }) => slowToClose && !link.removesEvent)
    .flatMap(({ link }) => link.fds);
  handOver(slow, () => {
    for (const { link } of links) link.detach();
  });
}
