/** What the tests of kernel functions have in common: known work of this process, and kernels seen without a feature. */
import { execFileSync } from "node:child_process";
import { closeSync, openSync, readFileSync, readSync } from "node:fs";
import type { Kernel } from "../../../src/engine/compile/kernel.ts";
import { liveKernel } from "../../../src/engine/kernel/live.ts";
import { commandPath, isRoot } from "../../support/cli.ts";

export const kernel = liveKernel();

export const READS = 20;
export const SIZE = 4321;
/** The filter that leaves the work of this process: PID in scripts. */
export const mine = (script: string): string => script.replaceAll("PID", String(process.pid));

/** One open, READS reads of SIZE bytes each (the file has fewer), one close. Gives the bytes that a read got. */
export function readFile(path = "/proc/version"): number {
  const buffer = Buffer.alloc(SIZE);
  const file = openSync(path, "r");
  let got = 0;
  for (let i = 0; i < READS; i++) got = readSync(file, buffer, 0, SIZE, 0);
  closeSync(file);
  return got;
}

/** The kernel without some of its features. */
export const without = (...missing: string[]): Kernel =>
  new Proxy(kernel, {
    get(target, name) {
      if (name === "has") return (feature: string) => !missing.includes(feature) && target.has(feature);
      const value = Reflect.get(target, name, target) as unknown;
      return typeof value === "function" ? value.bind(target) : value;
    },
  });

export const canKprobe = isRoot && kernel.has("kprobes");
export const canFentry = isRoot && kernel.hasBtf && kernel.has("fentry") && kernel.has("fexit");
/** Names of tests say why they are skipped. */
export const onlyIf = (can: boolean, name: string, why: string): string => (can ? name : `${name} (${why})`);
export const KPROBE = onlyIf(canKprobe, "kprobe and kretprobe", "this kernel has no kprobes");
export const FENTRY = onlyIf(canFentry, "fentry and fexit", "this kernel lets no fentry program attach");

/** Whether the module that makes /dev/net/tun is loaded, or can be. Each open of the file calls tun_chr_open. */
export const hasTun = ((): boolean => {
  if (!isRoot) return false;
  const loaded = () => /^tun /m.test(readFileSync("/proc/modules", "latin1"));
  try {
    if (loaded()) return true;
    if (commandPath("modprobe")) execFileSync("modprobe", ["tun"], { stdio: "ignore" });
    return loaded();
  } catch {
    return false;
  }
})();

export const OPENS = 7;
export function openTun(): void {
  for (let i = 0; i < OPENS; i++) closeSync(openSync("/dev/net/tun", "r+"));
}
