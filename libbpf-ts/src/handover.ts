// Letting go of descriptors without waiting for the kernel. Closing the last descriptor of a tracepoint or uprobe perf event
// waits for RCU, 80 ms and more each. A child that inherits the descriptors takes the wait over:
//
//   parent   ──spawn──┬─ closes its copies (at once: the child has them too), closes the pipe, goes on or exits
//   child             └─ read(pipe) … end of file ─► exit ─► the kernel closes the descriptors, for as long as it takes
//
// posix_spawn, and not Node's child_process, as this is the last thing that a short run does: 2 ms instead of 12.

import { SysError } from "./errno.ts";
import { addressOf, close, cstring, libcFunction, pipe, setCloseOnExec } from "./sys.ts";

const O_RDWR = 2;
const WNOHANG = 1;
/** At least as large as posix_spawn_file_actions_t of any libc. */
const FILE_ACTIONS_SIZE = 256;

/** Ends when its input does. Signals of the terminal are not for it: it would let go too early. */
const HOLDER = ["sh", "-c", "trap '' INT QUIT TERM HUP; read -r _"];

function throwOn(call: string, errno: number): void {
  if (errno !== 0) throw new SysError(call, errno);
}

/** A null-terminated array of strings, with what must stay referenced while it is used. */
function stringArray(texts: readonly string[]): { array: BigUint64Array; held: Uint8Array[] } {
  const held = texts.map(cstring);
  return { array: BigUint64Array.from([...held.map(addressOf), 0n]), held };
}

/** Starts the child with `input` as its standard input; everything that is not close-on-exec is inherited. */
function spawnHolder(input: number): number {
  const actions = new Uint8Array(FILE_ACTIONS_SIZE);
  const at = addressOf(actions);
  const nowhere = cstring("/dev/null");
  libcFunction("posix_spawn_file_actions_init", 1)(at);
  libcFunction("posix_spawn_file_actions_adddup2", 3)(at, input, 0);
  const open = libcFunction("posix_spawn_file_actions_addopen", 5);
  for (const fd of [1, 2]) open(at, fd, addressOf(nowhere), O_RDWR, 0);
  const pid = new Int32Array(1);
  const path = cstring("/bin/sh");
  const argv = stringArray(HOLDER);
  const environment = stringArray([]);
  try {
    const spawn = libcFunction("posix_spawn", 6);
    const result = spawn(
      addressOf(pid),
      addressOf(path),
      at,
      0,
      addressOf(argv.array),
      addressOf(environment.array),
    );
    throwOn("posix_spawn(/bin/sh)", result);
    return pid[0];
  } finally {
    libcFunction("posix_spawn_file_actions_destroy", 1)(at);
  }
}

const REAP_EVERY = 500;
const holders = new Set<number>();
let reaper: NodeJS.Timeout | undefined;

/** Holders of a process that lives on are its children and must be waited for. */
function reap(): void {
  const waitpid = libcFunction("waitpid", 3);
  for (const pid of holders) if (waitpid(pid, 0, WNOHANG) !== 0) holders.delete(pid);
  if (holders.size > 0) return;
  clearInterval(reaper);
  reaper = undefined;
}

/**
 * Runs `release`, which closes the descriptors, while a child holds them too, so that it does not wait for the kernel. Where
 * no child can be started, it waits.
 */
export function handOver(fds: readonly number[], release: () => void): void {
  let input = -1;
  let end = -1;
  if (fds.length > 0) {
    try {
      [input, end] = pipe();
      for (const fd of fds) setCloseOnExec(fd, false);
      holders.add(spawnHolder(input));
      reaper ??= setInterval(reap, REAP_EVERY).unref();
    } catch {
      // Out of processes or descriptors.
    }
  }
  release();
  for (const fd of [input, end]) if (fd >= 0) close(fd);
}
