/** Programs built without frame pointers, in every way that programs are built. */
import { join } from "node:path";
import { kernelAtLeast } from "libbpf-ts";
import { isRoot } from "../../support/cli.ts";
import { canCompile, cProgram, type Program } from "../../support/programs.ts";
import { emulated } from "../symbols/support.ts";

/** dw_ustack() is for x86-64, and needs bpf_loop. */
export const canUnwind = isRoot && canCompile && process.arch === "x64" && kernelAtLeast("5.17");

/** Milliseconds that programs wait until what they have mapped is known. */
process.env.UNWIND_LINGER = emulated ? "4000" : "1000";

const FLAGS = ["-O2", "-fomit-frame-pointer", "-fno-optimize-sibling-calls", "-pthread", "-rdynamic"];
const variant = (flags: readonly string[], after?: string): Program =>
  cProgram(join(import.meta.dirname, "unwound.c"), { flags: [...FLAGS, ...flags], after });

export const pie = variant([]);
export const fixed = variant(["-no-pie"]);
export const alone = variant(["-static"]);
/** Its names are those that it exports. */
export const stripped = variant([], 'strip "$OUT"');
/** Calls go through a procedure linkage table that looks names up at the first call. */
export const lazy = variant(["-Wl,-z,lazy", "-fcf-protection=none"]);

export const library = cProgram(
  `volatile int plugs;
__attribute__((noinline)) void inner(void (*back)(void)) { back(); plugs++; }
void plugged(void (*back)(void)) { inner(back); plugs++; }`,
  { name: "plugin.so", flags: ["-O2", "-fomit-frame-pointer", "-shared", "-fPIC"] },
);

const GETPPID = 110;
export const QUIET = "config = { unstable_dw_ustack=enable }";

/** Runs the action at each system call of `leaf`, of these processes or of the command: a script that warns of nothing. */
export const atLeaf = (action: string, ...pids: (number | undefined)[]): string => {
  const whose = pids.length > 0 ? pids.map((pid) => `pid == ${pid}`).join(" || ") : "pid == cpid";
  return `${QUIET} tracepoint:raw_syscalls:sys_enter /(${whose}) && args.id == ${GETPPID}/ { ${action} }`;
};

/** How a chain goes up to where the program begins; libc's own functions have other names in other versions. */
export const CHAIN = /^leaf compare (?:\S+ ){1,3}sorter sized aligned roomy chains main (?:\S+ )+_start$/;
