// The machine's first and only file system, in parts: what a run shares with the runs before it, bpftrace for tests that
// compare with it, and what is new each time.
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, realpathSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { path, root } from "../build-plugins.mjs";
import { Archive } from "./cpio.mjs";
import { busybox, cache, which } from "./packages.mjs";

/** Commands of this machine that tests run or trace; busybox stands in for all others. */
const COMMANDS = [
  "bash",
  "dash",
  "cat",
  "dd",
  "echo",
  "env",
  "sleep",
  "true",
  "ls",
  "head",
  "unshare",
  "nsenter",
  "nice",
  "setpriv",
];

/** Where programs that were built ahead lie in the machine: beside koffi. */
const PROGRAMS = path("node_modules/.programs");

const INIT = `#!/bin/sh
export PATH=/usr/sbin:/usr/bin HOME=/root
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t tracefs tracefs /sys/kernel/tracing
mount -t debugfs debugfs /sys/kernel/debug
mount -t cgroup2 cgroup2 /sys/fs/cgroup
ip link set lo up
# Debian's 3 keeps perf events from all but CAP_SYS_ADMIN, which tests drop.
echo 2 > /proc/sys/kernel/perf_event_paranoid
hostname -F /etc/hostname
ldconfig
# The line to the host carries bytes, not what a terminal makes of them.
stty -F /dev/ttyS1 raw -echo
# What V8's compilers write, the emulator would have to translate anew: interpreting takes a quarter less.
export NODE_OPTIONS=--jitless
cd ${root} && TRACEDECK_TEST_PROGRAMS=${PROGRAMS} TRACEDECK_TEST_SLOWNESS=10 node /tests/main.mjs /tests/files.json
poweroff -f
`;

const TEXTS = {
  "/etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/sh\n",
  "/etc/group": "root:x:0:\nnogroup:x:65534:\n",
  "/etc/hostname": "tracedeck-vm\n",
  "/etc/hosts": "127.0.0.1 localhost\n::1 localhost\n",
  "/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
};

/** Where /bin and /lib are links to what is under /usr, files go there. */
const merged = (name) => (/^\/(bin|sbin|lib|lib64)\//.test(name) ? `/usr${name}` : name);

/** A program and the libraries it loads. */
function addProgram(archive, program) {
  archive.file(merged(program), realpathSync(program));
  const { stdout } = spawnSync("ldd", [program], { encoding: "utf8" });
  for (const [library] of stdout.matchAll(/\/\S+(?= \()/g)) {
    archive.file(merged(library), realpathSync(library));
  }
}

/** An archive under the cache by the files it is made of. */
function cachedPart(name, sources, fill) {
  const state = sources.map((source) => [source, statSync(source).size, statSync(source).mtimeMs]);
  const text = JSON.stringify([state, fill.toString(), addProgram.toString(), COMMANDS, TEXTS]);
  const part = join(cache, `${name}-${createHash("sha256").update(text).digest("hex").slice(0, 16)}.cpio`);
  if (existsSync(part)) return part;
  mkdirSync(cache, { recursive: true });
  for (const old of readdirSync(cache).filter((file) => file.startsWith(`${name}-`)))
    rmSync(join(cache, old));
  const archive = new Archive(`${part}.${process.pid}`);
  fill(archive);
  archive.close();
  renameSync(`${part}.${process.pid}`, part);
  return part;
}

/** Node, busybox and the commands above. */
export function basePart() {
  const box = busybox();
  const commands = COMMANDS.map(which).filter(Boolean);
  return cachedPart("base", [process.execPath, box, ...commands], (archive) => {
    for (const name of ["bin", "sbin", "lib", "lib64"]) archive.link(`/${name}`, `usr/${name}`);
    for (const folder of ["/proc", "/sys", "/dev", "/root", "/run", "/usr/sbin", "/usr/lib64"]) {
      archive.folder(folder);
    }
    archive.folder("/tmp", 0o1777);
    archive.folder("/var/tmp", 0o1777);
    addProgram(archive, process.execPath);
    archive.link("/usr/bin/node", process.execPath);
    for (const command of commands) addProgram(archive, command);
    archive.link("/usr/bin/sh", "dash");
    archive.file("/usr/bin/busybox", box);
    for (const applet of execFileSync(box, ["--list"], { encoding: "utf8" }).split("\n").filter(Boolean)) {
      archive.link(`/usr/bin/${applet}`, "busybox");
    }
    archive.file("/usr/sbin/ldconfig", ["/sbin/ldconfig.real", "/sbin/ldconfig"].find(existsSync));
    archive.file("/etc/ld.so.conf");
    for (const file of readdirSync("/etc/ld.so.conf.d")) archive.file(`/etc/ld.so.conf.d/${file}`);
    for (const [name, text] of Object.entries(TEXTS)) archive.text(name, text);
  });
}

/** bpftrace with LLVM and Clang: large, so only for tests that need it. */
export function bpftracePart() {
  const program = which("bpftrace");
  return cachedPart("bpftrace", [program], (archive) => addProgram(archive, program));
}

const KEPT = /\.(?!tsx?$)\w+$/;

/** Adds a folder of the project at its own path. */
function addFolder(archive, folder, keep = () => true) {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath ?? entry.path, entry.name);
    if (entry.isFile() && keep(file)) archive.file(file);
  }
}

/** The built program and the tests: bundles, the programs they trace with their libraries, the files beside the tests. */
export function projectPart(to, { bundles, programs, tests }) {
  const archive = new Archive(to);
  archive.folder("/tmp", 0o1777);
  archive.text("/init", INIT, 0o755);
  for (const folder of ["dist", "scripts-library", "docs"]) addFolder(archive, path(folder));
  addFolder(archive, path("test"), (file) => KEPT.test(file));
  for (const file of ["package.json", "README.md", "libbpf-ts/README.md"]) archive.file(path(file));
  for (const name of ["koffi", "@koromix/koffi-linux-x64"]) {
    if (!existsSync(path("node_modules", name))) continue;
    addFolder(archive, path("node_modules", name), (file) => !/\/(doc|vendor|musl_x64)\//.test(file));
  }
  for (const entry of readdirSync(bundles, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath ?? entry.path, entry.name);
    if (entry.isFile() && !file.endsWith(".map")) archive.file(file.replace(bundles, "/tests"), file);
  }
  archive.text("/tests/files.json", JSON.stringify(tests));
  for (const entry of readdirSync(programs, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath ?? entry.path, entry.name);
    if (!entry.isFile()) continue;
    archive.file(file.replace(programs, PROGRAMS), file);
    const { stdout } = spawnSync("ldd", [file], { encoding: "utf8" });
    for (const [library] of stdout.matchAll(/\/\S+(?= \()/g)) {
      archive.file(merged(library), realpathSync(library));
    }
  }
  archive.close();
  return to;
}
