/**
 * Runs in the virtual machine: the test files that the host gives it, those of a folder that follow each other in one
 * process. While the last of them runs, the next folder's is started, which takes an emulated processor seconds.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { openSync, readFileSync, readSync, writeSync } from "node:fs";
import { release } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import type { FileMessage, Message } from "./messages.ts";

type ToldMessage = Exclude<FileMessage, { kind: "ended" }>;

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

/** A process that runs files of one folder, which share what it has read of the kernel. */
class Runner {
  readonly folder: string;
  #child: ChildProcess;
  #lines: Writable;
  /** Once it has. */
  #ended: string | undefined;
  #output = "";
  #running = "";
  /** What it says before its turn. */
  #early: ToldMessage[] | undefined = [];
  #fileEnds = () => {};

  constructor(folder: string) {
    this.folder = folder;
    this.#child = spawn(process.execPath, [fileRunner], {
      stdio: ["ignore", "pipe", "pipe", "pipe", "pipe"],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream!.on("data", (chunk) => {
        this.#output = (this.#output + chunk).slice(-4000);
      });
    }
    createInterface({ input: this.#child.stdio[3] as Readable }).on("line", (line) =>
      this.#hear(JSON.parse(line) as FileMessage),
    );
    this.#child.on("close", (code, signal) => {
      this.#ended = `ended by ${signal ?? code}`;
      this.#fileEnds();
    });
    this.#lines = this.#child.stdio[4] as Writable;
    this.#lines.on("error", () => {});
  }

  get hasEnded(): boolean {
    return this.#ended !== undefined;
  }

  #hear(message: FileMessage): void {
    if (message.kind === "ended") {
      this.#fileEnds();
      return;
    }
    if (message.kind === "running") this.#running = message.name;
    if (message.kind === "test" && message.name === this.#running) this.#running = "";
    if (this.#early) this.#early.push(message);
    else say(message);
  }

  /** Has it load a file, now or when it has ended the one that runs. */
  load(bundle: string): void {
    this.#lines.write(`${bundle}\n`);
  }

  /** Runs the file that was loaded to its end. */
  async run(): Promise<void> {
    const begun = performance.now();
    this.#early?.forEach(say);
    this.#early = undefined;
    const fileEnds = new Promise<void>((resolve) => {
      this.#fileEnds = resolve;
    });
    this.#lines.write("\n");
    const limit = setTimeout(() => this.#child.kill("SIGKILL"), FILE_LIMIT);
    if (!this.#ended) await fileEnds;
    clearTimeout(limit);
    const milliseconds = Math.round(performance.now() - begun);
    if (this.#ended) {
      const why = milliseconds >= FILE_LIMIT ? `still ran after ${FILE_LIMIT / 1000} s` : this.#ended;
      const name = this.#running || "(the file's process)";
      say({ kind: "test", name, state: "failed", milliseconds, errors: [`${why}\n${this.#output}`] });
    }
    say({ kind: "fileEnd", milliseconds });
  }

  end(): void {
    this.#lines.end();
  }
}

/** The process for a file: one that runs another of its folder, if that lives, or a new one, which loads it meanwhile. */
function runnerFor(bundle: string, other?: Runner): Runner {
  const folder = dirname(bundle);
  const runner = other?.folder === folder && !other.hasEnded ? other : new Runner(folder);
  runner.load(bundle);
  return runner;
}

function nextBundle(): string | undefined {
  const index = ask();
  return index === "" ? undefined : bundles[Number(index)];
}

say({ kind: "start", kernel: release() });
let bundle = nextBundle();
let runner = bundle && runnerFor(bundle);
while (runner) {
  const ended = runner.run();
  bundle = nextBundle();
  let next = bundle && runnerFor(bundle, runner);
  await ended;
  if (bundle && next === runner && runner.hasEnded) next = runnerFor(bundle);
  if (next !== runner) runner.end();
  runner = next;
}
/** Warnings and worse, which a test may have caused without failing. */
const complaints = execFileSync("dmesg", { encoding: "utf8" })
  .split("\n")
  .filter((line) => /WARNING:|BUG:|Oops|Call Trace|rcu_\w+ .*stall|hung task/.test(line));
if (complaints.length > 0) say({ kind: "kernelLog", lines: complaints });
say({ kind: "end" });
