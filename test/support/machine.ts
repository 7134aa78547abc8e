/** What the rest of the machine does to a test: the time that others take, and what only one test may do at a time. */
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { setTimeout as wait } from "node:timers/promises";

/** Milliseconds that a process's first thread has been ready to run and did not: other work had the CPUs. */
export function waitedForCpu(pid: number | "self" = "self"): number {
  return (
    Number(
      readFileSync(`/proc/${pid}/task/${pid === "self" ? process.pid : pid}/schedstat`, "latin1").split(
        " ",
      )[1],
    ) / 1e6
  );
}

/** Milliseconds of CPU that programs took which this process started and waited for while `work` ran. */
export async function cpuOfChildren(work: () => Promise<unknown>): Promise<number> {
  const before = childTicks();
  await work();
  return (childTicks() - before) * 10;
}

/** In hundredths of a second, whatever the kernel's own clock. */
function childTicks(): number {
  const stat = readFileSync("/proc/self/stat", "latin1");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(fields[13]) + Number(fields[14]);
}

/** Listens under a name of the machine's; undefined: another process does. */
const listening = (name: string) =>
  new Promise<Server | undefined>((done, fail) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) =>
      error.code === "EADDRINUSE" ? done(undefined) : fail(error),
    );
    server.listen(`\0tracedeck-test-${name}`, () => done(server));
  });

/**
 * Does what changes the whole machine while no other test on it does the same. The lock is a name that goes with its
 * process.
 */
export async function alone<T>(what: string, work: () => Promise<T>): Promise<T> {
  let lock = await listening(what);
  while (!lock) {
    await wait(100);
    lock = await listening(what);
  }
  try {
    return await work();
  } finally {
    lock.close();
  }
}
