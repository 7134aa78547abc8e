/** The built command line as tests and the commands they need see it. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { slowness } from "./slowness.ts";

const root = resolve(import.meta.dirname, "../..");

/** node dist/cli.js: built by `npm run build`, which `npm test` does first. */
export const CLI: readonly [string, string] = [process.execPath, join(root, "dist/cli.js")];

export const isRoot = process.geteuid?.() === 0;

export function commandPath(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/sbin"];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

export interface Finished {
  stdout: string;
  stderr: string;
  status: number | null;
}

export interface CliOptions {
  input?: string;
  env?: Record<string, string>;
  /** User and group. */
  uid?: number;
}

/** Runs a program to its end. */
export function finish(command: readonly string[], { input, env, uid }: CliOptions = {}): Promise<Finished> {
  return new Promise((done, fail) => {
    const child = spawn(command[0], command.slice(1), {
      env: { ...process.env, ...env },
      uid,
      gid: uid,
      timeout: 50_000 * slowness,
      killSignal: "SIGKILL",
    });
    const finished: Finished = { stdout: "", stderr: "", status: null };
    child.stdout.on("data", (chunk) => {
      finished.stdout += chunk;
    });
    child.stderr.on("data", (chunk) => {
      finished.stderr += chunk;
    });
    child.stdin.on("error", () => {});
    child.stdin.end(input ?? "");
    child.on("error", fail);
    child.on("close", (status) => done({ ...finished, status }));
  });
}

/** Runs tracedeck to its end. */
export const tracedeck = (args: readonly string[], options?: CliOptions): Promise<Finished> =>
  finish([...CLI, ...args], options);

export interface Running {
  /** Resolves once standard output holds the text. */
  shows(text: string): Promise<void>;
  signal(name: NodeJS.Signals): void;
  finished: Promise<Finished>;
  pid: number;
}

/** Starts tracedeck and lets the test watch it. */
export function startTracedeck(args: readonly string[], env: Record<string, string> = {}): Running {
  const child = spawn(CLI[0], [CLI[1], ...args], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  let seen = () => {};
  child.stdout.on("data", (chunk) => {
    stdout += chunk;
    seen();
  });
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  const finished = new Promise<Finished>((done) => {
    child.on("close", (status) => done({ stdout, stderr, status }));
  });
  const shows = (text: string) =>
    new Promise<void>((done, fail) => {
      const look = () => stdout.includes(text) && done();
      seen = look;
      look();
      finished.then((end) => fail(new Error(`ended before it showed ${text}: ${end.stdout}${end.stderr}`)));
    });
  return { shows, finished, signal: (name) => void child.kill(name), pid: child.pid! };
}
