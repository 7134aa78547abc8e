// `npm test`: brings what the tests need on a fresh machine, builds, runs every lane, and names what was skipped.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

/** Command the tests look for → Debian's package, and what goes untested without it. */
const needs = [
  { command: "gcc", package: "gcc libc6-dev", for: "traced C programs" },
  { command: "tmux", package: "tmux", for: "the deck in tmux" },
  { command: "bpftrace", package: "bpftrace", for: "side-by-side checks" },
  { command: "dtrace", package: "systemtap-sdt-dev", for: "USDT probes" },
];

const onPath = (command) =>
  [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/sbin"].some((dir) =>
    existsSync(join(dir, command)),
  );

function bringPackages() {
  const missing = needs.filter((need) => !onPath(need.command));
  if (missing.length === 0) return;
  const canInstall = process.getuid?.() === 0 && onPath("apt-get");
  if (canInstall) {
    const packages = missing.flatMap((need) => need.package.split(" "));
    console.log(`test: installing Debian packages: ${packages.join(" ")}`);
    const quiet = { stdio: ["ignore", "ignore", "inherit"], env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } };
    spawnSync("apt-get", ["update", "-qq"], quiet);
    spawnSync("apt-get", ["install", "-y", "-qq", "--no-install-recommends", ...packages], quiet);
  }
  for (const need of missing.filter((need) => !onPath(need.command))) {
    console.log(`test: ${need.command} is missing (Debian: ${need.package}); skipped: ${need.for}`);
  }
}

bringPackages();
execFileSync(process.execPath, ["scripts/build.mjs"], { stdio: "inherit" });

const scratch = mkdtempSync(join(tmpdir(), "tracedeck-test-"));
const report = join(scratch, "report.json");
const { status } = spawnSync(
  process.execPath,
  [
    "node_modules/vitest/vitest.mjs",
    "run",
    "--reporter=default",
    "--reporter=json",
    `--outputFile.json=${report}`,
    ...process.argv.slice(2),
  ],
  { stdio: "inherit" },
);

if (existsSync(report)) {
  const results = JSON.parse(readFileSync(report, "utf8"));
  const tests = results.testResults.flatMap((file) => file.assertionResults);
  const count = (state) => tests.filter((test) => state.includes(test.status)).length;
  for (const test of tests.filter((test) => ["skipped", "pending", "todo"].includes(test.status))) {
    console.log(`skipped: ${test.fullName}`);
  }
  console.log(`tests: ${count(["passed"])} passed, ${count(["failed"])} failed, ${count(["skipped", "pending", "todo"])} skipped`);
}
rmSync(scratch, { recursive: true, force: true });
process.exit(status ?? 1);
