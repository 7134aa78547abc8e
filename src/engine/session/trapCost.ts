/**
 * What a hit costs before its program runs: for some kinds of probes the processor traps into the kernel, which takes
 * longer than most programs do and is no part of the kernel's statistics.
 */
import { measureTrap } from "libbpf-ts";
import type { Plan } from "../compile/plan.ts";
import type { Attach } from "../compile/typed.ts";

/** Traps that lead to one hit. */
export function trapsOf(attach: Attach): number {
  switch (attach.kind) {
    case "uprobe":
      return attach.return ? 2 : 1;
    case "usdt":
    case "watchpoint":
      return 1;
    default:
      return 0;
  }
}

/** Of each program: all that it serves are of one kind. */
export const trapsOfPrograms = ({ programs, probes }: Plan): number[] =>
  programs.map((_, i) => {
    const served = probes.find(({ program }) => program === i);
    return served ? trapsOf(served.attach) : 0;
  });

/** Nanoseconds, where nobody has measured. */
const USUAL = 1000;
/** Traps a second from which on it matters how long they take: measuring takes some milliseconds. */
const MANY = 10_000;

let measured: number | undefined;

/** Nanoseconds of a trap on this machine, measured once there are many. */
export function trapTime(perSecond: number): number {
  if (measured === undefined && perSecond >= MANY) {
    try {
      measured = Math.round(measureTrap());
    } catch {
      measured = USUAL;
    }
  }
  return measured ?? USUAL;
}
