/** Why this process can't trace, each reason with what to do about it. Cheap: nothing is loaded to find out. */
import { readFileSync } from "node:fs";
import { kernelAtLeast, lockdownMode } from "libbpf-ts";
import { tracefsObstacle } from "./kernel/live.ts";
import type { Obstacle } from "./protocol.ts";

/** Bits of /proc/PID/status CapEff. */
const CAPABILITY = { sysAdmin: 21n, perfmon: 38n, bpf: 39n } as const;

function effectiveCapabilities(): bigint {
  const line = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "latin1"));
  return line ? BigInt(`0x${line[1]}`) : 0n;
}

const OLDEST = "5.8";

export function obstacles(): Obstacle[] {
  const found: Obstacle[] = [];
  const capabilities = effectiveCapabilities();
  const may = (bit: bigint) => ((capabilities >> bit) & 1n) === 1n;
  if (!may(CAPABILITY.sysAdmin) && !(may(CAPABILITY.bpf) && may(CAPABILITY.perfmon))) {
    const root = process.geteuid?.() === 0;
    found.push({
      what: root
        ? "root without the capabilities CAP_BPF and CAP_PERFMON: this is a container that was not given them"
        : "not root, and without the capabilities CAP_BPF and CAP_PERFMON",
      fix: root ? "docker run --privileged --pid=host …" : "sudo tracedeck",
    });
  }
  if (!kernelAtLeast(OLDEST)) {
    found.push({ what: "the kernel has no BPF ring buffer", fix: `boot Linux ${OLDEST} or newer` });
  }
  if (lockdownMode() === "confidentiality") {
    found.push({
      what: "kernel lockdown is in confidentiality mode, which forbids reading kernel memory",
      fix: "boot without lockdown=confidentiality, or switch Secure Boot off",
    });
  }
  const tracefs = found.length === 0 ? tracefsObstacle() : undefined;
  if (tracefs) found.push({ what: tracefs, fix: "mount -t tracefs tracefs /sys/kernel/tracing" });
  return found;
}
