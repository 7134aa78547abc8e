/** A monotonic clock in milliseconds. Node's `performance` loads a family of modules, 2 ms, at its first use. */
export const monotonicMs = (): number => Number(process.hrtime.bigint()) / 1e6;

/** Milliseconds of CPU that this process has taken: other work on the machine does not lengthen what they measure. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
