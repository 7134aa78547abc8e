/** Running a test or bench probe's program, without anything that fires it. */
import type { BpfProgram } from "libbpf-ts";
import { monotonicMs } from "../clock.ts";

/** An empty Ethernet frame, the least that the kernel runs a program for packets on. */
const FRAME = new Uint8Array(14);

/** What the program returned, and how long one of `repeat` runs took. Only bench programs are repeated. */
export function runTrial(program: BpfProgram, repeat: number): { returned: number; nanoseconds: number } {
  if (program.type === "xdp") return program.trial({ data: FRAME, repeat });
  const begin = monotonicMs();
  const returned = program.testRun();
  return { returned, nanoseconds: Math.round((monotonicMs() - begin) * 1e6) };
}
