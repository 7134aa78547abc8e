/** Why a stack has no frames, in a few words for a cell of the screen. */
import { processStat } from "../kernel/processes.ts";

const E2BIG = -7n;
const ENOMEM = -12n;
const EFAULT = -14n;
const PF_KTHREAD = 0x200000;

/** Kernel threads have no memory of their own. */
function isKernelThread(pid: number): boolean {
  return pid === 0 || ((processStat(pid)?.flags ?? 0) & PF_KTHREAD) !== 0;
}

export function whyNoStack(space: "kernel" | "user", pid: number, id: bigint): string {
  if (id > 0n) return "the stack is gone";
  if (id === E2BIG) return "lost: the table of stacks is full";
  if (id === ENOMEM) return "lost: no memory for another stack";
  if (id < 0n && !(space === "user" && id === EFAULT)) return "lost: the kernel was busy with other stacks";
  if (space === "kernel") return "no kernel stack: in user mode";
  return isKernelThread(pid) ? "no user stack: a kernel thread" : "no user stack";
}
