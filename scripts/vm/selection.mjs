// Which test files run in the virtual machine, and why others do not.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { path } from "../build-plugins.mjs";

/** Files that have nothing to tell there, and why. */
const LEFT_OUT = [];

/** Tests that run bpftrace beside tracedeck. */
export const needsBpftrace = (file) => file.startsWith("test/side-by-side/");

/** Test files under test/live and test/side-by-side by prefixes of their paths; all without prefixes. */
export function chooseFiles(prefixes) {
  const files = ["test/live", "test/side-by-side"].flatMap((folder) =>
    readdirSync(path(folder), { recursive: true })
      .filter((name) => name.endsWith(".test.ts"))
      .map((name) => join(folder, name)),
  );
  const chosen =
    prefixes.length > 0 ? files.filter((file) => prefixes.some((prefix) => file.startsWith(prefix))) : files;
  return chosen.filter((file) => !LEFT_OUT.some(([prefix]) => file.startsWith(prefix))).sort();
}
