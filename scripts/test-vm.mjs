// `npm run test:vm`: the live tests on another kernel, in QEMU by software emulation.
//
//   npm run test:vm -- [--release bookworm | bullseye | trixie] [--kernel PATH [--modules DIR]] [--limit SECONDS] [PREFIX …]
//
// A prefix of paths (test/live/functions) chooses test files. Debian's cloud kernel of the release is downloaded once; DIR is
// the /lib/modules/RELEASE of a kernel given by path.
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { path } from "./build-plugins.mjs";
import { report } from "./report.mjs";
import { buildPrograms, bundleTests } from "./vm/bundle.mjs";
import { Archive } from "./vm/cpio.mjs";
import { basePart, bpftracePart, projectPart } from "./vm/image.mjs";
import { concatenate, runMachine } from "./vm/machine.mjs";
import { addModules } from "./vm/modules.mjs";
import { bringPackages, debianKernel, RELEASES } from "./vm/packages.mjs";
import { chooseFiles, needsBpftrace } from "./vm/selection.mjs";

const { values, positionals } = parseArgs({
  options: {
    release: { type: "string", default: "bookworm" },
    kernel: { type: "string" },
    modules: { type: "string" },
    // The whole lane ends within ten minutes.
    limit: { type: "string", default: "570" },
  },
  allowPositionals: true,
});

function fail(message) {
  console.error(`test:vm: ${message}`);
  process.exit(1);
}

const begun = performance.now();
const { chosen: files, leftOut } = chooseFiles(positionals);
if (files.length === 0) fail(`no test file begins with ${positionals.join(" or ")}`);
if (!(values.release in RELEASES)) fail(`choose a release of ${Object.keys(RELEASES).join(", ")}`);
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
  const tests = files.map((file, i) => ({ file, bundle: modules[i].replace(bundles, "/tests") }));
  parts.push(projectPart(join(scratch, "project.cpio"), { bundles, programs, files: tests }));
  return { kernel: kernel.image, initrd: concatenate(parts, join(scratch, "initrd")) };
}

const tests = [];
let current = "";
let version = "";
let inFile = [];
const seconds = (milliseconds) => `${(milliseconds / 1000).toFixed(1)} s`;

function onMessage(message) {
  if (message.kind === "start") {
    version = message.kernel;
    console.log(`test:vm: Linux ${version} runs ${files.length} files`);
  } else if (message.kind === "file") {
    current = message.file;
    inFile = [];
  } else if (message.kind === "test") {
    const test = { ...message, name: `${current} > ${message.name}` };
    inFile.push(test);
    tests.push(test);
  } else if (message.kind === "fileEnd") {
    const failed = inFile.some(({ state }) => state === "failed");
    const counted = inFile.filter(({ state }) => state !== "skipped").length;
    for (const { name, errors } of inFile.filter(({ state }) => state === "failed")) {
      console.log(`\nFAILED ${name}\n${errors.join("\n")}\n`);
    }
    console.log(` ${failed ? "✗" : "✓"} ${current} (${counted} tests) ${seconds(message.milliseconds)}`);
  } else if (message.kind === "kernelLog") {
    console.log(`test:vm: the kernel complained:\n${message.lines.join("\n")}`);
  }
}

const machine = await prepare();
console.log(`test:vm: ready to boot after ${seconds(performance.now() - begun)}`);
const broken = await runMachine({
  ...machine,
  scratch,
  limit: Number(values.limit) * 1000 - (performance.now() - begun),
  onMessage,
});
for (const { file, why } of leftOut) console.log(`left out: ${file}: ${why}`);
for (const { name } of tests.filter(({ state }) => state === "failed")) console.log(`failed: ${name}`);
if (broken) console.log(`\ntest:vm: while ${current || "booting"}: ${broken}\n`);
const passed = report(tests, `vm tests (Linux ${version || "?"}, ${seconds(performance.now() - begun)})`);
process.exit(passed && !broken ? 0 : 1);
