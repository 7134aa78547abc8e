/** Runs in the virtual machine: the test files it was given, each in a process of its own, reported to the host. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { openSync, readFileSync, writeSync } from "node:fs";
import { release } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import type { Message } from "./messages.ts";

/** A file that takes longer hangs. */
const FILE_LIMIT = 400_000;

/** [{ file, bundle }]: names for the report, modules to run. */
const files = JSON.parse(readFileSync(process.argv[2], "utf8")) as { file: string; bundle: string }[];
const fileRunner = join(dirname(process.argv[1]), "file.mjs");

const host = openSync("/dev/ttyS1", "w");
function say(message: Message): void {
  const bytes = Buffer.from(`${JSON.stringify(message)}\n`);
  for (let done = 0; done < bytes.length; done += writeSync(host, bytes, done));
}

async function runFile({ file, bundle }: (typeof files)[number]): Promise<void> {
  const begun = performance.now();
  say({ kind: "file", file });
  const child = spawn(process.execPath, [fileRunner, bundle], {
    stdio: ["ignore", "pipe", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream!.on("data", (chunk) => {
      output = (output + chunk).slice(-4000);
    });
  }
  let running = "";
  createInterface({ input: child.stdio[3] as Readable }).on("line", (line) => {
    const message = JSON.parse(line) as Message;
    if (message.kind === "running") running = message.name;
    if (message.kind === "test" && message.name === running) running = "";
    say(message);
  });
  const limit = setTimeout(() => child.kill("SIGKILL"), FILE_LIMIT);
  const [code, signal] = await once(child, "close");
  clearTimeout(limit);
  const milliseconds = Math.round(performance.now() - begun);
  if (code !== 0) {
    const why =
      milliseconds >= FILE_LIMIT ? `still ran after ${FILE_LIMIT / 1000} s` : `ended by ${signal ?? code}`;
    const name = running || "(the file's process)";
    say({ kind: "test", name, state: "failed", milliseconds, errors: [`${why}\n${output}`] });
  }
  say({ kind: "fileEnd", file, milliseconds });
}

say({ kind: "start", kernel: release() });
for (const file of files) {
  await runFile(file);
}
/** Warnings and worse, which a test may have caused without failing. */
const complaints = execFileSync("dmesg", { encoding: "utf8" })
  .split("\n")
  .filter((line) => /WARNING:|BUG:|Oops|Call Trace|rcu_\w+ .*stall|hung task/.test(line));
if (complaints.length > 0) say({ kind: "kernelLog", lines: complaints });
say({ kind: "end" });
