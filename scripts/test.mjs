// `npm test`: brings what the tests need on a fresh machine, builds, runs every lane, and names what was skipped.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { report } from "./report.mjs";

/** Command the tests look for → Debian's package, and what goes untested without it. */
const needs = [
  { command: "gcc", package: "gcc libc6-dev", for: "traced C programs" },
  { command: "xz", package: "xz-utils", for: "symbols packed in binaries" },
  { command: "g++", package: "g++", for: "traced C++ programs" },
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
    const quiet = {
      stdio: ["ignore", "ignore", "inherit"],
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    };
    spawnSync("apt-get", ["update", "-qq"], quiet);
    spawnSync("apt-get", ["install", "-y", "-qq", "--no-install-recommends", ...packages], quiet);
  }
  for (const need of missing.filter((need) => !onPath(need.command))) {
    console.log(`test: ${need.command} is missing (Debian: ${need.package}); skipped: ${need.for}`);
  }
}

bringPackages();
execFileSync(process.execPath, ["scripts/build.mjs"], { stdio: "inherit" });

/**
 * Unit tests side by side; what traces the kernel one file after another, so that no test counts another's work. These share
 * the machine with whatever else runs on it: one that fails is run once more, and the report names it.
 */
const lanes =
  process.argv.length > 2
    ? [process.argv.slice(2)]
    : [
        ["--project", "unit"],
        ["--project", "live", "--project", "screen", "--no-file-parallelism", "--retry=1"],
      ];

const scratch = mkdtempSync(join(tmpdir(), "tracedeck-test-"));
const tests = [];
let failed = false;
lanes.forEach((lane, i) => {
  const report = join(scratch, `${i}.json`);
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  const vitest = ["node_modules/vitest/vitest.mjs", "run", ...reporters, ...lane];
  failed = spawnSync(process.execPath, vitest, { stdio: "inherit" }).status !== 0 || failed;
  if (!existsSync(report)) return;
  tests.push(
    ...JSON.parse(readFileSync(report, "utf8")).testResults.flatMap((file) => file.assertionResults),
  );
});
rmSync(scratch, { recursive: true, force: true });

const states = { passed: "passed", failed: "failed" };
report(
  tests.map(({ fullName, status, failureMessages }) => ({
    name: fullName,
    state: states[status] ?? "skipped",
    errors: failureMessages,
  })),
);
process.exit(failed ? 1 : 0);
