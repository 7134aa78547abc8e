// CPUs as the kernel numbers them. Per-CPU map values have one slot for every *possible* CPU, which can be hundreds on
// a machine with four online ones; perf events are opened on *online* ones.

import { readFileSync } from "node:fs";

/** The numbers in a kernel CPU list, "0-3,8" → [0, 1, 2, 3, 8]. */
export function parseCpuList(text: string): number[] {
  const cpus: number[] = [];
  for (const range of text.trim().split(",")) {
    if (range === "") continue;
    const [first, last = first] = range.split("-").map(Number);
    for (let cpu = first; cpu <= last; cpu++) cpus.push(cpu);
  }
  return cpus;
}

let possible = 0;

/** How many slots a per-CPU value has. */
export function possibleCpus(): number {
  if (possible === 0) {
    const list = parseCpuList(readFileSync("/sys/devices/system/cpu/possible", "latin1"));
    possible = list[list.length - 1] + 1;
  }
  return possible;
}

/** Numbers of the CPUs that are online now. */
export function onlineCpus(): number[] {
  return parseCpuList(readFileSync("/sys/devices/system/cpu/online", "latin1"));
}
