/** The built command line as tests and the commands they need see it. */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "../..");

/** node dist/cli.js: built by `npm run build`, which `npm test` does first. */
export const CLI: readonly [string, string] = [process.execPath, join(root, "dist/cli.js")];

export const isRoot = process.geteuid?.() === 0;

export function commandPath(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/sbin"];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

export function compileC(source: string, to: string): void {
  execFileSync("gcc", ["-O1", "-o", to, source], { stdio: "inherit" });
}

export interface Finished {
  stdout: string;
  stderr: string;
  status: number | null;
}

export interface CliOptions {
  input?: string;
  env?: Record<string, string>;
}

/** Runs tracedeck to its end. */
export function tracedeck(args: readonly string[], { input, env }: CliOptions = {}): Finished {
  const { stdout, stderr, status } = spawnSync(CLI[0], [CLI[1], ...args], {
    encoding: "utf8",
    input: input ?? "",
    env: { ...process.env, ...env },
    timeout: 30_000,
  });
  return { stdout, stderr, status };
}

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
