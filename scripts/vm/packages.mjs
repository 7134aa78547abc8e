// What the virtual machine is made of: QEMU and what the tests build with are installed where that is allowed; kernels and
// busybox are downloaded and unpacked, never installed.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";

/** Kernels and unpacked packages, kept between runs. */
export const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "tracedeck-vm");

/** Debian's releases by name, and the kernel of each. */
export const RELEASES = { bookworm: "6.1", bullseye: "5.10", trixie: "6.12" };

const needs = [
  { command: "qemu-system-x86_64", package: "qemu-system-x86" },
  { command: "gcc", package: "gcc libc6-dev" },
  { command: "dtrace", package: "systemtap-sdt-dev" },
  { command: "bpftrace", package: "bpftrace" },
  { command: "xz", package: "xz-utils" },
];

const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/sbin"];
/** Path of a command of this machine, or undefined. */
export const which = (command) =>
  folders.map((folder) => join(folder, command)).find((path) => existsSync(path));

/** Installs what is missing, as root; throws where something still is. */
export function bringPackages() {
  const missing = () => needs.filter(({ command }) => !which(command));
  if (missing().length > 0 && process.getuid?.() === 0 && which("apt-get")) {
    const packages = missing().flatMap((need) => need.package.split(" "));
    console.log(`test:vm: installing Debian packages: ${packages.join(" ")}`);
    const quiet = {
      stdio: ["ignore", "ignore", "inherit"],
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    };
    spawnSync("apt-get", ["update", "-qq"], quiet);
    spawnSync("apt-get", ["install", "-y", "-qq", "--no-install-recommends", ...packages], quiet);
  }
  if (missing().length > 0) {
    const names = missing().map(({ command, package: name }) => `${command} (Debian: ${name})`);
    throw new Error(`these commands are needed and missing: ${names.join(", ")}`);
  }
}

/** Options that let apt work on another release without touching the machine's lists; none for its own release. */
function aptOptions(release) {
  const own = /^VERSION_CODENAME=(\w+)/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1];
  if (release === own) return [];
  const folder = join(cache, "apt", release);
  mkdirSync(join(folder, "lists/partial"), { recursive: true });
  const mirror = "http://deb.debian.org";
  writeFileSync(
    join(folder, "sources.list"),
    `deb ${mirror}/debian ${release} main\ndeb ${mirror}/debian-security ${release}-security main\n`,
  );
  return [
    `Dir::Etc::sourcelist=${folder}/sources.list`,
    "Dir::Etc::sourceparts=-",
    `Dir::State::lists=${folder}/lists`,
    "Dir::State::status=/dev/null",
    "Dir::Cache::pkgcache=",
    "Dir::Cache::srcpkgcache=",
  ].flatMap((option) => ["-o", option]);
}

/** Downloads packages of a release and unpacks them to a folder; `choose` picks them by apt-cache. */
function unpack(release, to, choose) {
  const options = ["-o", "APT::Sandbox::User=root", ...aptOptions(release)];
  const scratch = `${to}.${process.pid}`;
  mkdirSync(scratch, { recursive: true });
  const apt = (command, ...args) =>
    execFileSync(command, [...options, ...args], {
      cwd: scratch,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "inherit"],
    });
  try {
    if (!which("apt-get")) throw new Error("Debian's packages need apt-get; give a kernel by --kernel PATH");
    apt("apt-get", "-qq", "update");
    const names = choose(apt);
    console.log(`test:vm: downloading Debian's ${names.join(" and ")} (${release}), kept in ${to}`);
    apt("apt-get", "-qq", "download", ...names);
    for (const name of readdirSync(scratch).filter((file) => file.endsWith(".deb"))) {
      execFileSync("dpkg", ["-x", name, "."], { cwd: scratch });
      rmSync(join(scratch, name));
    }
    rmSync(to, { recursive: true, force: true });
    renameSync(scratch, to);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Debian's cloud kernel: the image's path and the folder of its modules. */
export function debianKernel(release) {
  const folder = join(cache, `kernel-${release}`);
  if (!existsSync(folder)) {
    unpack(release, folder, (apt) => {
      const depends = apt("apt-cache", "depends", "linux-image-cloud-amd64");
      const name = /Depends: (linux-image-[\d.]\S*-cloud-amd64)/.exec(depends)?.[1];
      if (!name) throw new Error(`Debian ${release} has no linux-image-cloud-amd64`);
      return [name];
    });
  }
  const boot = join(folder, "boot");
  const image = existsSync(boot) && readdirSync(boot).find((name) => name.startsWith("vmlinuz-"));
  if (!image) throw new Error(`${folder} holds no boot/vmlinuz-…: remove it, and it is downloaded again`);
  const version = image.replace("vmlinuz-", "");
  // Since trixie, packages have /usr/lib where older ones have /lib.
  const modules = ["lib", "usr/lib"].map((name) => join(folder, name, "modules", version)).find(existsSync);
  if (!modules)
    throw new Error(
      `the package of Linux ${version} in ${folder} brings no modules, which tests trace: ` +
        "give a kernel and its modules by --kernel PATH --modules DIR",
    );
  return { image: join(boot, image), modules };
}

/** A busybox that needs no libraries. */
export function busybox() {
  const installed = which("busybox");
  if (installed && spawnSync("ldd", [installed]).status !== 0) return installed;
  const folder = join(cache, "busybox");
  const release = /^VERSION_CODENAME=(\w+)/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ?? "bookworm";
  if (!existsSync(folder)) unpack(release, folder, () => ["busybox-static"]);
  return ["bin/busybox", "usr/bin/busybox"].map((name) => join(folder, name)).find(existsSync);
}
