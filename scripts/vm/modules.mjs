// Kernel modules for the virtual machine: those that tests trace, with what they depend on, in modprobe's order.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join, relative } from "node:path";

/** Small ones whose functions, tracepoints and types tests may name. */
const WANTED = ["dummy", "veth", "loop", "xt_mark", "nf_conntrack", "tun", "overlay", "ext4"];

const nameOf = (path) =>
  basename(path)
    .replace(/\.ko.*$/, "")
    .replaceAll("-", "_");

/** A module's bytes: since trixie, Debian packs them. */
const unpacked = (path) =>
  path.endsWith(".xz")
    ? execFileSync("xz", ["--decompress", "--stdout", path], { maxBuffer: 1 << 28 })
    : readFileSync(path);

/** Names of the modules that a module needs, from its .modinfo section. */
function dependencies(bytes) {
  const at = bytes.indexOf("\0depends=");
  if (at < 0) return [];
  return bytes
    .toString("latin1", at + 9, bytes.indexOf(0, at + 9))
    .split(",")
    .filter(Boolean);
}

/** Adds them to an archive under /lib/modules, with the modules.dep that modprobe reads. `folder` is …/modules/RELEASE. */
export function addModules(archive, folder) {
  const all = new Map();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (/\.ko(\.xz)?$/.test(entry.name))
      all.set(nameOf(entry.name), join(entry.parentPath ?? entry.path, entry.name));
  }
  const contents = new Map();
  const bytesOf = (name) => {
    if (!contents.has(name)) contents.set(name, unpacked(all.get(name)));
    return contents.get(name);
  };
  /** What a module needs, the deepest last. */
  const closure = (name, seen = new Set()) => {
    for (const needed of all.has(name) ? dependencies(bytesOf(name)) : []) {
      if (seen.has(needed)) continue;
      seen.add(needed);
      closure(needed, seen);
    }
    return [...seen];
  };
  const lines = [];
  const taken = new Set(WANTED.filter((name) => all.has(name)).flatMap((name) => [name, ...closure(name)]));
  const target = join("/usr/lib/modules", basename(folder));
  const pathOf = (name) => relative(folder, all.get(name)).replace(/\.xz$/, "");
  for (const name of [...taken].filter((module) => all.has(module))) {
    archive.text(join(target, pathOf(name)), bytesOf(name));
    const needed = closure(name).filter((module) => all.has(module));
    lines.push(`${pathOf(name)}: ${needed.map(pathOf).join(" ")}`.trimEnd());
  }
  archive.text(join(target, "modules.dep"), `${lines.join("\n")}\n`);
  for (const name of ["modules.builtin", "modules.order"]) {
    if (existsSync(join(folder, name))) archive.file(join(target, name), join(folder, name));
  }
}
