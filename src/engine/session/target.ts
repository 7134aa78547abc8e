/**
 * The process a script is run for: the child of -c, which waits before its exec until everything is attached, or the
 * process of -p.
 */
import type { ChildProcess } from "node:child_process";
import type { Duplex, Readable } from "node:stream";
import { isAlive } from "../kernel/processes.ts";

export interface Target {
  pid: number;
  /** The child of -c waits to be let go. */
  ready?: Promise<void>;
  /** Lets the child of -c run. */
  release(): void;
  /** Ends the child of -c, when the script ends before it. */
  kill(): void;
}

/**
 * The shell says on descriptor 3 that it is up, waits for a line there and then becomes the command: nothing of its own
 * start counts as the command's. When the engine is killed before, it reads the end of the pipe instead and goes away.
 */
const WAIT_THEN_EXEC = "echo >&3; read -r _ <&3 || exit 126; exec 3<&-; exec ";

/**
 * Says that it is up, too, and ends the command when the engine is killed later: its input ends without a line then. A
 * command that is stopped takes the signal once it goes on.
 */
const GUARD = 'echo; read -r _ || { kill -TERM "$1"; kill -CONT "$1"; }';

/**
 * Starts `command` stopped. `onEnd` gets the exit code once it has ended (128 + signal when killed). Its output is ours,
 * or goes to `onOutput`, where ours is a protocol's.
 */
export function startChild(
  command: string,
  onEnd: (code: number) => void,
  onOutput?: (text: string) => void,
): Target {
  // Loaded here, as only -c needs it.
  const { spawn } = process.getBuiltinModule("node:child_process");
  const child: ChildProcess = spawn("/bin/sh", ["-c", WAIT_THEN_EXEC + command], {
    stdio: onOutput ? ["ignore", "pipe", "pipe", "pipe"] : ["inherit", "inherit", "inherit", "pipe"],
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => onOutput?.(text));
  }
  if (child.pid === undefined) throw new Error(`cannot start "${command}": no shell could be started`);
  // In a session of its own: the terminal's signals are not for it.
  const guard = spawn("/bin/sh", ["-c", GUARD, "sh", String(child.pid)], {
    stdio: ["pipe", "pipe", "ignore"],
    detached: true,
    cwd: "/",
  });
  guard.stdin.on("error", () => {});
  let ended = false;
  child.on("exit", (code, signal) => {
    ended = true;
    onEnd(code ?? 128 + (signal ? 1 : 0));
    guard.stdin.end("\n");
  });
  child.on("error", () => onEnd(127));
  const gate = child.stdio[3] as Duplex;
  gate.on("error", () => {});
  const isUp = (shell: ChildProcess, said: Readable) =>
    new Promise<void>((resolve) => {
      said.once("data", () => resolve());
      shell.once("exit", () => resolve());
      shell.once("error", () => resolve());
    });
  const guarded = isUp(guard, guard.stdout).then(() => {
    guard.stdout.destroy();
    guard.unref();
  });
  return {
    pid: child.pid,
    ready: Promise.all([isUp(child, gate), guarded]).then(() => {}),
    release: () => void gate.end("\n"),
    kill: () => {
      if (!ended) child.kill("SIGTERM");
    },
  };
}

const CHECK_EVERY = 50;

/** Watches the process of -p. */
export function watchProcess(pid: number, onEnd: () => void): Target & Disposable {
  const timer = setInterval(() => {
    if (isAlive(pid)) return;
    clearInterval(timer);
    onEnd();
  }, CHECK_EVERY);
  return { pid, release: () => {}, kill: () => {}, [Symbol.dispose]: () => clearInterval(timer) };
}
