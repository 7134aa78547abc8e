// `npm run test:vm`: the live tests on another kernel, in QEMU by software emulation.
//
//   npm run test:vm -- [--release bookworm | bullseye | trixie] [--kernel PATH [--modules DIR]] [--limit SECONDS]
//                      [--machines N] [PREFIX …]
//
// A prefix of paths (test/live/functions) chooses test files. Debian's cloud kernel of the release is downloaded once; DIR is
// the /lib/modules/RELEASE of a kernel given by path. Files are shared among two machines where the host has two processors.
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { availableParallelism, totalmem } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { path } from "./build-plugins.mjs";
import { report } from "./report.mjs";
import { buildPrograms, bundleTests } from "./vm/bundle.mjs";
import { Archive } from "./vm/cpio.mjs";
import { basePart, bpftracePart, projectPart } from "./vm/image.mjs";
import { runLane } from "./vm/lane.mjs";
import { concatenate } from "./vm/machine.mjs";
import { addModules } from "./vm/modules.mjs";
import { bringPackages, debianKernel, RELEASES } from "./vm/packages.mjs";
import { chooseFiles, isSpare, needsBpftrace } from "./vm/selection.mjs";

/** Bytes of memory for two machines; each takes up to 3 GiB with what QEMU translates. */
const TWO_MACHINES = 7e9;

const { values, positionals } = parseArgs({
  options: {
    release: { type: "string", default: "bookworm" },
    kernel: { type: "string" },
    modules: { type: "string" },
    limit: { type: "string" },
    machines: {
      type: "string",
      default: availableParallelism() > 1 && totalmem() > TWO_MACHINES ? "2" : "1",
    },
  },
  allowPositionals: true,
});

function fail(message) {
  console.error(`test:vm: ${message}`);
  process.exit(1);
}

const begun = performance.now();
const version = values.kernel ? "" : RELEASES[values.release];
const { chosen: files, leftOut } = chooseFiles(positionals, version);
/** Seconds. The lane of every day ends within ten minutes; the others are run when there is reason to. */
const limit = Number(values.limit ?? (version === RELEASES.bookworm ? 570 : 1500));
if (files.length === 0) fail(`no test file begins with ${positionals.join(" or ")}`);
if (!(values.release in RELEASES)) fail(`choose a release of ${Object.keys(RELEASES).join(", ")}`);
for (const given of [values.kernel, values.modules].filter(Boolean)) {
  if (!existsSync(given)) fail(`there is no ${given}`);
}
if (!(limit >= 1)) fail(`--limit takes seconds, not ${values.limit}`);
if (!(Number(values.machines) >= 1)) fail(`--machines takes a number, not ${values.machines}`);
try {
  bringPackages();
} catch ({ message }) {
  fail(message);
}
await import("./build.mjs");

const folder = path("node_modules/.cache/tracedeck-vm");
mkdirSync(folder, { recursive: true });
const scratch = join(folder, String(process.pid));
process.on("exit", () => rmSync(scratch, { recursive: true, force: true }));
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(1));

/** The kernel and the file system to boot. */
async function prepare() {
  const kernel = values.kernel
    ? { image: values.kernel, modules: values.modules }
    : debianKernel(values.release);
  const bundles = join(scratch, "bundles");
  const programs = join(scratch, "programs");
  const modules = await bundleTests(files, bundles);
  buildPrograms(bundles, modules, programs, join(scratch, "tmp"));
  const parts = [basePart()];
  if (files.some(needsBpftrace)) parts.push(bpftracePart());
  if (kernel.modules) {
    const archive = new Archive(join(scratch, "modules.cpio"));
    addModules(archive, kernel.modules);
    archive.close();
    parts.push(join(scratch, "modules.cpio"));
  }
  const tests = modules.map((module) => module.replace(bundles, "/tests"));
  parts.push(projectPart(join(scratch, "project.cpio"), { bundles, programs, tests }));
  return { kernel: kernel.image, initrd: concatenate(parts, join(scratch, "initrd")), bundles };
}

const elapsed = () => performance.now() - begun;
const seconds = () => `${(elapsed() / 1000).toFixed(1)} s`;

const machine = await prepare().catch(({ message }) => fail(message));
const machines = Math.min(Number(values.machines), files.length);
console.log(
  `test:vm: ${files.length} test files, ${machines === 1 ? "one machine boots" : `${machines} machines boot`} after ${seconds()}`,
);
const {
  tests,
  version: booted,
  notRun,
  broken,
} = await runLane({
  ...machine,
  scratch,
  names: files,
  // What was asked for by name is not.
  isSpare: positionals.length === 0 ? isSpare : () => false,
  machines,
  limit: limit * 1000 - elapsed(),
  print: console.log,
});
for (const why of new Set(leftOut.map((left) => left.why))) {
  const names = leftOut.filter((left) => left.why === why).map(({ file }) => file);
  console.log(`left out, as ${why}: ${names.join(", ")}`);
}
if (leftOut.length > 0)
  console.log("A prefix of their path runs them: npm run test:vm -- test/live/language");
for (const { name } of tests.filter(({ state }) => state === "failed")) console.log(`failed: ${name}`);
if (broken) console.log(`\ntest:vm: ${broken}\n`);
if (!broken && notRun.length > 0)
  console.log(
    `This host is slow: ${notRun.length} of ${files.length} files were not run to their end (--limit SECONDS gives more than ${limit})`,
  );
const unrun = notRun.map((name) => ({
  name: `${name} (not run to its end for lack of time)`,
  state: "skipped",
}));
const passed = report([...tests, ...unrun], `vm tests (Linux ${booted || "?"}, ${seconds()})`);
process.exit(passed && !broken ? 0 : 1);
