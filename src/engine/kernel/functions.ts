/** The kernel's functions that can be traced, and those that must be left alone. */
import { readFileSync } from "node:fs";
import { type Kallsyms, tracefsPath } from "libbpf-ts";

/** Functions by their modules, "vmlinux" for the kernel proper. */
export type FunctionNames = ReadonlyMap<string, readonly string[]>;

/** Takes names and modules one by one. */
function collected(each: (add: (name: string, module: string) => void) => void): FunctionNames {
  const found = new Map<string, string[]>();
  each((name, module) => {
    const names = found.get(module);
    if (names) names.push(name);
    else found.set(module, [name]);
  });
  return found;
}

const NEWLINE = 10;
/** What the list has for places whose function is gone. */
const NO_FUNCTION = "__ftrace_invalid_address__";

/** The kernel's own list, or one like it: "name" or "name [module]" a line; on some kernels not even root may read theirs. */
export function traceableFunctions(path = `${tracefsPath()}/available_filter_functions`): FunctionNames {
  const text = readFileSync(path);
  return collected((add) => {
    for (let begin = 0; begin < text.length; ) {
      const newline = text.indexOf(NEWLINE, begin);
      const end = newline < 0 ? text.length : newline;
      // A string of its own: parts of one long string take twice as long to sort.
      const line = text.toString("latin1", begin, end);
      begin = end + 1;
      if (line.startsWith(NO_FUNCTION)) continue;
      const space = line.indexOf(" ");
      if (space < 0) add(line, "vmlinux");
      else add(line.slice(0, space), /\[(.*)\]/.exec(line)?.[1] ?? "vmlinux");
    }
  });
}

/** Every function there is, where the kernel does not say which can be traced. */
export const allFunctions = (kallsyms: Kallsyms): FunctionNames =>
  collected((add) => kallsyms.forEachFunction((name, module) => add(name, module || "vmlinux")));

/** Functions in which the kernel permits no kprobe: a line has the range of addresses and the name. Needs debugfs. */
export function kprobeBlacklist(): Set<string> {
  const text = readFileSync("/sys/kernel/debug/kprobes/blacklist", "latin1");
  return new Set(text.split("\n").flatMap((line) => line.split(/\s+/)[1] ?? []));
}
