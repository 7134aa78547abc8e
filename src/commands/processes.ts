/** The process of -p. */
import { isAlive } from "../engine/kernel/processes.ts";
import { UsageError } from "./options.ts";

/** Throws UsageError where there is none. */
export function requireProcess(pid: number | undefined): void {
  if (pid !== undefined && !isAlive(pid)) throw new UsageError(`there is no process ${pid}`);
}
