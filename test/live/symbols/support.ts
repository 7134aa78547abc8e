/** The program of known stacks, whole and stripped in every way, and scripts that record them. */
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as wait } from "node:timers/promises";
import { isRoot } from "../../support/cli.ts";
import { canBuildWith, canCompile, cProgram, type Program } from "../../support/programs.ts";

export const canTraceC = isRoot && canCompile;
/** Whether stripped programs can be had. */
export const canStrip = canTraceC && canBuildWith("objcopy") && canBuildWith("xz");

/** Emulated processors, as in the virtual machine, take their time. */
export const emulated = process.env.TRACEDECK_TEST_PROGRAMS !== undefined;

const variant = (after?: string, flags: readonly string[] = []): Program =>
  cProgram(join(import.meta.dirname, "known.c"), {
    flags: [
      "-fno-omit-frame-pointer",
      "-mno-omit-leaf-frame-pointer",
      "-fno-optimize-sibling-calls",
      "-pthread",
      ...flags,
    ],
    after,
  });

export const whole = variant();
/** Needs no other file. */
export const alone = variant(undefined, ["-static"]);
/** Always at the same addresses. */
export const fixed = variant(undefined, ["-no-pie"]);
/** The same addresses, other functions. */
export const alike = cProgram(
  `#include <unistd.h>
int main(void) { char line[8]; return write(1, "ready\\n", 6) < 0 || read(0, line, sizeof line) < 0; }
${Array.from({ length: 200 }, (_, i) => `int alike${i}(int a) { return a * ${i + 3}; }`).join("\n")}`,
  { name: "alike", flags: ["-no-pie"] },
);
export const stripped = variant('strip "$OUT"');
/** Its symbols are in `known.debug` beside it, which it names. */
export const linked = variant(
  'objcopy --only-keep-debug "$OUT" known.debug; strip "$OUT"; objcopy --add-gnu-debuglink=known.debug "$OUT"',
);
/** The same without a build id: the debug file is known by its checksum. */
export const linkedByChecksum = variant(
  'objcopy --only-keep-debug "$OUT" known.debug; strip "$OUT"; objcopy --add-gnu-debuglink=known.debug "$OUT"',
  ["-Wl,--build-id=none"],
);
/** The same without naming it. */
export const separate = variant('objcopy --only-keep-debug "$OUT" known.debug; strip "$OUT"');
/** Its symbols are packed into .gnu_debugdata, as Fedora does. */
export const packed = variant(
  'objcopy --only-keep-debug "$OUT" full; objcopy --strip-debug full mini; xz -f mini; ' +
    'strip "$OUT"; objcopy --add-section .gnu_debugdata=mini.xz "$OUT"; rm full mini.xz',
);

/** A program of known.c that runs: it waits to be told to go on, and says so. */
export interface Known {
  readonly pid: number;
  readonly child: ChildProcess;
  /** Resolves once it waits, since the start or the last `go`. */
  ready(): Promise<void>;
  go(): void;
  /** Ends its input, and waits for its end. */
  end(): Promise<void>;
}

export function start(command: string, ...args: string[]): Known {
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
  child.stdin.on("error", () => {});
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const over = new Promise((done) => child.on("close", done));
  return {
    pid: child.pid!,
    child,
    async ready() {
      const { value } = await lines.next();
      if (value !== "ready") throw new Error(`${command} ${args.join(" ")} does not wait, but says ${value}`);
    },
    go: () => void child.stdin.write("go\n"),
    async end() {
      child.stdin.end();
      await over;
    },
  };
}

/** Long enough for scripts of this process to look at what was recorded: their timers are this process's. */
export const looks = () => wait(400);

/** Starts a program that waits when its work is done, and lets it end once scripts of this process have looked. */
export async function looked(command: string, ...args: string[]): Promise<void> {
  const program = start(command, ...args);
  await program.ready();
  await looks();
  await program.end();
}

export const GETPPID = process.arch === "x64" ? 110 : 173;

/** Started by this process, or by what that started: others may run the program, too. */
const OURS = `comm == "known" && (ppid == ${process.pid} || pcomm == "known")`;

/** Runs the action at each of the program's system calls, or at those of every process of that name. */
export const atCalls = (action: string, comm?: string): string =>
  `tracepoint:raw_syscalls:sys_enter /args.id == ${GETPPID} && ${comm ? `comm == "${comm}"` : OURS}/ { ${action} }`;

/** The frames of every stack that was printed, without offsets: "leaf middle outer main" → how often. */
export function stacksOf(stdout: string): Map<string, number> {
  const stacks = new Map<string, number>();
  for (const [, frames, count] of stdout.matchAll(/^@\w*\[\n((?: {8}.*\n)*)\]: (\d+)$/gm)) {
    const names = frames
      .trim()
      .split("\n")
      .map((frame) => frame.trim().replace(/\+\d+( \[.*\])?$/, ""))
      .join(" ");
    stacks.set(names, (stacks.get(names) ?? 0) + Number(count));
  }
  return stacks;
}
