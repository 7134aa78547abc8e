/** The kernel's functions that can be traced, and those that must be left alone. */
import { readFileSync } from "node:fs";
import { type Kallsyms, tracefsPath } from "libbpf-ts";

export interface KernelFunction {
  name: string;
  /** "vmlinux" for the kernel proper. */
  module: string;
}

/** What the list has for places whose function is gone. */
const NO_FUNCTION = "__ftrace_invalid_address__";

/** The kernel's own list, "name" or "name [module]" a line; on some kernels not even root may read it. */
export function traceableFunctions(): KernelFunction[] {
  const text = readFileSync(`${tracefsPath()}/available_filter_functions`, "latin1");
  const found: KernelFunction[] = [];
  for (let begin = 0; begin < text.length; ) {
    const end = text.indexOf("\n", begin);
    const line = text.slice(begin, end < 0 ? undefined : end);
    begin = end < 0 ? text.length : end + 1;
    if (line.startsWith(NO_FUNCTION)) continue;
    const space = line.indexOf(" ");
    if (space < 0) found.push({ name: line, module: "vmlinux" });
    else found.push({ name: line.slice(0, space), module: /\[(.*)\]/.exec(line)?.[1] ?? "vmlinux" });
  }
  return found;
}

/** Every function there is, where the kernel does not say which can be traced. */
export function allFunctions(kallsyms: Kallsyms): KernelFunction[] {
  const found: KernelFunction[] = [];
  kallsyms.forEachFunction((name, module) => void found.push({ name, module: module || "vmlinux" }));
  return found;
}

/** Functions in which the kernel permits no kprobe: a line has the range of addresses and the name. Needs debugfs. */
export function kprobeBlacklist(): Set<string> {
  const text = readFileSync("/sys/kernel/debug/kprobes/blacklist", "latin1");
  return new Set(text.split("\n").flatMap((line) => line.split(/\s+/)[1] ?? []));
}
