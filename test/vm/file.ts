/**
 * Runs test files and reports on descriptor 3:  node file.mjs
 * Lines on descriptor 4 name them, one after the other; each is loaded, and runs once another line has come. The end of
 * the lines ends the process.
 * Imports test files, so that they build the programs they declare:  node file.mjs --collect FILE …
 */
import { readSync, writeSync } from "node:fs";
import { stripVTControlCharacters } from "node:util";
import { collectTests, type File, startTests, type Task, type VitestRunner } from "@vitest/runner";
import { getFullName } from "@vitest/runner/utils";
import type { FileMessage, TestResult } from "./messages.ts";

/** Emulation is slower than a processor by this much at worst. */
const TIMEOUT = 180_000;

const say = (message: FileMessage) => void writeSync(3, `${JSON.stringify(message)}\n`);

/** Without the file's name. */
const nameOf = (task: Task) => getFullName(task).split(" > ").slice(1).join(" > ");

function result(task: Task, state: TestResult["state"]): TestResult {
  const errors = (task.result?.errors ?? []).map(
    (error) => `${error.stack ?? error.message}\n${stripVTControlCharacters(error.diff ?? "")}`,
  );
  const milliseconds = Math.round(task.result?.duration ?? 0);
  const note = (task.result as { note?: string } | undefined)?.note;
  return {
    kind: "test",
    name: note ? `${nameOf(task)} (${note})` : nameOf(task),
    state,
    milliseconds,
    errors,
  };
}

const [first, ...rest] = process.argv.slice(2);
const collecting = first === "--collect";

/** Without its end; empty at the end of all lines. */
function nextLine(): string {
  const byte = Buffer.alloc(1);
  let line = "";
  while (readSync(4, byte) > 0 && byte[0] !== 0x0a) line += byte.toString("latin1");
  return line;
}

const runner: VitestRunner = {
  config: {
    root: process.cwd(),
    setupFiles: [],
    passWithNoTests: false,
    sequence: { seed: 0, hooks: "stack", setupFiles: "list" },
    maxConcurrency: 1,
    testTimeout: TIMEOUT,
    hookTimeout: TIMEOUT,
    // The host's other work stops an emulated processor at any instruction: the report names what ran twice.
    retry: 1,
  },
  importFile: async (path) => {
    try {
      return await import(path);
    } finally {
      if (!collecting) nextLine();
    }
  },
  onBeforeTryTask: (test) => say({ kind: "running", name: nameOf(test) }),
  onAfterRunTask: (test) => {
    if (test.result?.state === "pass" || test.result?.state === "fail") {
      say(result(test, test.result.state === "pass" ? "passed" : "failed"));
    }
  },
};

/** What no call of the runner told: tests that were skipped, groups and files that failed outside of their tests. */
function reportRest(task: Task): void {
  if (task.type === "test") {
    if (task.mode !== "run" || task.result?.state === "skip") say(result(task, "skipped"));
    else if (!task.result) say({ ...result(task, "failed"), errors: ["did not run"] });
    return;
  }
  for (const child of task.tasks) reportRest(child);
  const own = task.result?.errors ?? [];
  if (own.length > 0) say({ ...result(task, "failed"), name: `${nameOf(task)} (outside of its tests)` });
}

const failOutside = (error: unknown) => {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  say({ kind: "test", name: "(unhandled error)", state: "failed", milliseconds: 0, errors: [text] });
};

const specifications = (paths: string[]) => paths.map((filepath) => ({ filepath, testLocations: undefined }));
if (collecting) {
  const broken = (files: File[]) => files.filter(({ result }) => result?.state === "fail");
  for (const { filepath, result } of broken(await collectTests(specifications(rest), runner))) {
    console.error(`${filepath}: ${result?.errors?.[0]?.stack}`);
    process.exitCode = 1;
  }
  process.exit();
}
process.on("uncaughtException", failOutside);
process.on("unhandledRejection", failOutside);
for (let path = nextLine(); path !== ""; path = nextLine()) {
  for (const file of await startTests(specifications([path]), runner)) reportRest(file);
  say({ kind: "ended" });
}
process.exit();
