/** POSIX paths as text: what expansion needs of them without touching a file system. */

export function directoryOf(path: string): string {
  const slash = path.lastIndexOf("/");
  if (slash < 0) return ".";
  return slash === 0 ? "/" : path.slice(0, slash);
}

/** `path` as seen from `directory`, with "." and ".." resolved where that needs no file system. */
export function resolvePath(directory: string, path: string): string {
  const whole = path.startsWith("/") ? path : `${directory}/${path}`;
  const absolute = whole.startsWith("/");
  const parts: string[] = [];
  for (const part of whole.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === ".." && parts.length > 0 && parts.at(-1) !== "..") parts.pop();
    else if (part !== ".." || !absolute) parts.push(part);
  }
  return (absolute ? "/" : "") + parts.join("/") || ".";
}
