/** How a probe's name shows its binary: by the path that the script gave, as `probe` and lists have it elsewhere too. */
import { hasWildcard, wildcard } from "./wildcard.ts";

/** `target` is what the script says, `path` the file that it means. Names of libraries and programs become paths. */
export function shownPath(target: string, path: string): string {
  if (!target.includes("/")) return path;
  // Within another process's root, the script's path would be another file here.
  if (path.startsWith("/proc/") && !target.startsWith("/proc/")) return path;
  if (!hasWildcard(target)) return target;
  const end = target.lastIndexOf("/") + 1;
  const [directory, pattern] = [target.slice(0, end), target.slice(end)];
  const name = path.slice(path.lastIndexOf("/") + 1);
  return !hasWildcard(directory) && wildcard(pattern)(name) ? directory + name : path;
}
