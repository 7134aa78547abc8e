/** Where the bundled scripts are: beside package.json, in a checkout as well as where the package is installed. */
import { existsSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";

const FOLDER = "scripts-library";

/** Up from each start; undefined when no folder above holds the library. */
export function libraryFolder(starts: readonly string[] = ownFolders()): string | undefined {
  for (const start of starts) {
    for (let at = start; ; at = dirname(at)) {
      if (existsSync(join(at, FOLDER)) && existsSync(join(at, "package.json"))) return join(at, FOLDER);
      if (dirname(at) === at) break;
    }
  }
  return undefined;
}

/** This file's own, wherever it was bundled to, and the program's. */
function ownFolders(): string[] {
  const folders: string[] = [];
  const folder: string | undefined = import.meta.dirname;
  if (folder) folders.push(folder);
  try {
    // A command on the PATH is a link into the package.
    folders.push(dirname(realpathSync(process.argv[1])));
  } catch {
    // Started without a file.
  }
  return folders;
}
