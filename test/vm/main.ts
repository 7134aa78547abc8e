/**
 * Runs in the virtual machine: the test files that the host gives it, each in a process of its own. While one runs, the
 * next one's process is started and loads its code, which takes an emulated processor seconds.
 */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { openSync, readFileSync, readSync, writeSync } from "node:fs";
import { release } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import type { FileMessage, Message } from "./messages.ts";

/** A file that takes longer hangs. */
const FILE_LIMIT = 400_000;

/** Modules to run, by the host's index. */
const bundles = JSON.parse(readFileSync(process.argv[2], "utf8")) as string[];
const fileRunner = join(dirname(process.argv[1]), "file.mjs");

const host = openSync("/dev/ttyS1", "r+");
function say(message: Message): void {
  const bytes = Buffer.from(`${JSON.stringify(message)}\n`);
  for (let done = 0; done < bytes.length; done += writeSync(host, bytes, done));
}

function ask(): string {
  say({ kind: "next" });
  const byte = Buffer.alloc(1);
  let answer = "";
  while (readSync(host, byte) > 0 && byte[0] !== 0x0a) answer += byte.toString();
  return answer;
}

/** The next file's process, which loads the file and waits; undefined if there is none left. The result runs it to its end. */
function prepareNext(): (() => Promise<void>) | undefined {
  const index = ask();
  if (index === "") return undefined;
  const child = spawn(process.execPath, [fileRunner, bundles[Number(index)]], {
    stdio: ["ignore", "pipe", "pipe", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream!.on("data", (chunk) => {
      output = (output + chunk).slice(-4000);
    });
  }
  let running = "";
  /** What it says before its turn. */
  let early: FileMessage[] | undefined = [];
  createInterface({ input: child.stdio[3] as Readable }).on("line", (line) => {
    const message = JSON.parse(line) as FileMessage;
    if (message.kind === "running") running = message.name;
    if (message.kind === "test" && message.name === running) running = "";
    if (early) early.push(message);
    else say(message);
  });
  const closed = once(child, "close");
  const gate = child.stdio[4] as Writable;
  gate.on("error", () => {});

  return async () => {
    const begun = performance.now();
    early?.forEach(say);
    early = undefined;
    gate.end("\n");
    const limit = setTimeout(() => child.kill("SIGKILL"), FILE_LIMIT);
    const [code, signal] = await closed;
    clearTimeout(limit);
    const milliseconds = Math.round(performance.now() - begun);
    if (code !== 0) {
      const why =
        milliseconds >= FILE_LIMIT ? `still ran after ${FILE_LIMIT / 1000} s` : `ended by ${signal ?? code}`;
      const name = running || "(the file's process)";
      say({ kind: "test", name, state: "failed", milliseconds, errors: [`${why}\n${output}`] });
    }
    say({ kind: "fileEnd", milliseconds });
  };
}

say({ kind: "start", kernel: release() });
let next = prepareNext();
while (next) {
  const ended = next();
  next = prepareNext();
  await ended;
}
/** Warnings and worse, which a test may have caused without failing. */
const complaints = execFileSync("dmesg", { encoding: "utf8" })
  .split("\n")
  .filter((line) => /WARNING:|BUG:|Oops|Call Trace|rcu_\w+ .*stall|hung task/.test(line));
if (complaints.length > 0) say({ kind: "kernelLog", lines: complaints });
say({ kind: "end" });
