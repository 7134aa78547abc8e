// Runs the live tests of libbpf-ts, or those of the compiler, on other kernels, in QEMU without KVM, in about a minute each:
//
//   node test/live/libbpf/vm/run.mjs [bookworm | bullseye] [libbpf | compile]
//
// bookworm has Linux 6.1 (kprobe, kretprobe, fentry and fexit, which not every development machine has), bullseye 5.10
// (before perf links, cookies and per-CPU array batches: the fallbacks). Needs apt-get, dpkg, cpio and
// qemu-system-x86_64; kernels are kept in ~/.cache/libbpf-ts-vm.

import { execFileSync, spawn } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";

const releases = { bookworm: "linux-image-6.1", bullseye: "linux-image-5.10" };
const chosen = process.argv[2] ?? "bookworm";
if (!(chosen in releases)) throw new RangeError(`choose one of ${Object.keys(releases).join(", ")}`);

const entries = { libbpf: "main.ts", compile: "../../compile/vm.ts" };
const suite = process.argv[3] ?? "libbpf";
if (!(suite in entries)) throw new RangeError(`choose one of ${Object.keys(entries).join(", ")}`);

const here = dirname(fileURLToPath(import.meta.url));
const project = join(here, "../../../..");
const cache = join(homedir(), ".cache/libbpf-ts-vm", chosen);
const files = join(cache, "files");

/** Runs a command of apt with lists and sources of its own, so that the machine's stay as they are. */
function apt(command, ...args) {
  const mirror = "http://deb.debian.org";
  mkdirSync(join(cache, "lists/partial"), { recursive: true });
  writeFileSync(
    join(cache, "sources.list"),
    `deb ${mirror}/debian ${chosen} main\ndeb ${mirror}/debian-security ${chosen}-security main\n`,
  );
  const options = [
    `Dir::Etc::sourcelist=${cache}/sources.list`,
    "Dir::Etc::sourceparts=-",
    `Dir::State::lists=${cache}/lists`,
    "Dir::State::status=/dev/null",
    "Dir::Cache::pkgcache=",
    "Dir::Cache::srcpkgcache=",
    "APT::Sandbox::User=root",
  ];
  return execFileSync(command, [...options.flatMap((option) => ["-o", option]), ...args], {
    cwd: cache,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
}

function fetchKernel() {
  apt("apt-get", "-qq", "update");
  const names = apt("apt-cache", "pkgnames", releases[chosen]).split("\n");
  const collator = new Intl.Collator("en", { numeric: true });
  const kernel = names
    .filter((name) => /-\d+-cloud-amd64$/.test(name))
    .sort(collator.compare)
    .at(-1);
  apt("apt-get", "-qq", "download", kernel, "busybox-static");
  for (const name of readdirSync(cache).filter((file) => file.endsWith(".deb"))) {
    execFileSync("dpkg", ["-x", name, files], { cwd: cache });
  }
}

/** A root file system of Node, koffi, busybox and the tests. */
function makeInitrd() {
  const root = join(cache, `root-${suite}`);
  rmSync(root, { recursive: true, force: true });
  for (const folder of ["bin", "proc", "sys", "dev", "tmp", "app/node_modules"]) {
    mkdirSync(join(root, folder), { recursive: true });
  }
  cpSync(join(files, "bin/busybox"), join(root, "bin/busybox"));
  for (const name of ["sh", "mount", "poweroff"]) symlinkSync("busybox", join(root, "bin", name));
  cpSync(process.execPath, join(root, "bin/node"), { dereference: true });
  const libraries = execFileSync("ldd", [process.execPath], { encoding: "utf8" }).match(/\/lib\S+/g) ?? [];
  for (const library of libraries) cpSync(realpathSync(library), join(root, library));
  for (const name of ["koffi", "@koromix/koffi-linux-x64"]) {
    cpSync(join(project, "node_modules", name), join(root, "app/node_modules", name), {
      recursive: true,
      filter: (path) => !/\/(doc|vendor|musl_x64)$/.test(path),
    });
  }
  buildSync({
    entryPoints: [join(here, entries[suite])],
    outfile: join(root, "app/main.mjs"),
    alias: { vitest: join(here, "vitest.ts") },
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    external: ["koffi"],
  });
  const init = [
    "#!/bin/sh",
    "mount -t proc proc /proc",
    "mount -t sysfs sysfs /sys",
    "mount -t devtmpfs dev /dev",
    "cd /app && /bin/node main.mjs",
    "poweroff -f",
  ];
  writeFileSync(join(root, "init"), `${init.join("\n")}\n`, { mode: 0o755 });
  execFileSync("sh", ["-c", `find . | cpio -o -H newc --quiet | gzip -1 > ${cache}/initrd-${suite}.gz`], {
    cwd: root,
  });
}

function boot() {
  const kernel = readdirSync(join(files, "boot")).find((name) => name.startsWith("vmlinuz"));
  const machine = ["-M", "q35", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", "1500"];
  const append = "console=ttyS0 quiet panic=-1 mitigations=off";
  const boot = [
    "-kernel",
    join(files, "boot", kernel),
    "-initrd",
    join(cache, `initrd-${suite}.gz`),
    "-append",
    append,
  ];
  const qemu = spawn("qemu-system-x86_64", [...machine, "-nographic", "-no-reboot", ...boot], {
    stdio: ["ignore", "pipe", "inherit"],
    timeout: 300_000,
  });
  let output = "";
  qemu.stdout.on("data", (chunk) => {
    output += chunk;
    process.stdout.write(chunk);
  });
  qemu.on("close", () => {
    process.exitCode = /RESULT 0 failed/.test(output) ? 0 : 1;
  });
}

if (!existsSync(join(files, "boot"))) fetchKernel();
makeInitrd();
boot();
