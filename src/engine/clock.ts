/** A monotonic clock in milliseconds. Node's `performance` loads a family of modules, 2 ms, at its first use. */
export const monotonicMs = (): number => Number(process.hrtime.bigint()) / 1e6;
