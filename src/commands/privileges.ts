/** Whether this user may trace here, and what to type when not. */
import { tracefsObstacle } from "../engine/kernel/live.ts";
import { obstacles } from "../engine/obstacles.ts";

/** The command that was typed, with sudo before it. */
export function sudoCommand(args: readonly string[]): string {
  const quoted = args.map((arg) =>
    /^[\w@%+=:,./-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", "'\\''")}'`,
  );
  return ["sudo", "tracedeck", ...quoted].join(" ");
}

/** What keeps any script from running, and the way out; undefined when nothing does. */
export function tracingObstacle(args: readonly string[]): { what: string; fix: string } | undefined {
  const found = obstacles();
  if (found.length === 0) return undefined;
  // Without tracefs, scripts that use no tracepoint still run: the compiler says which do.
  const obstacle = found.find(({ what }) => what !== tracefsObstacle());
  if (!obstacle) return undefined;
  return { what: obstacle.what, fix: obstacle.fix === "sudo tracedeck" ? sudoCommand(args) : obstacle.fix };
}
