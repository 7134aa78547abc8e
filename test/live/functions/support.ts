/** Traced programs of these tests, and ones that are traced by their pid. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { isRoot } from "../../support/cli.ts";
import { canBuildWith, canCompile, cProgram, type Program } from "../../support/programs.ts";

export const canTraceC = isRoot && canCompile;
export const canTraceCpp = isRoot && canBuildWith("g++");

const source = (name: string): string => join(import.meta.dirname, name);

export const userProgram = (name: string, ...flags: string[]): Program =>
  cProgram(source("user.c"), { name, flags: ["-pthread", ...flags] });

export const cppProgram = (name: string): Program => cProgram(source("names.cpp"), { name, compiler: "g++" });

export const rustNames = (name: string): Program => cProgram(source("rust.c"), { name });

export interface Waiting extends Disposable {
  pid: number;
  /** Sends the line that it waits for; resolves once it has ended. */
  go(): Promise<void>;
}

/** Starts a program of user.c that waits to be told to begin; with `before`, another one that becomes it. */
export async function waiting(path: string, count: number, before: readonly string[] = []): Promise<Waiting> {
  const child: ChildProcess = spawn(path, [...before, String(count), "wait"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = once(child, "exit");
  await once(child.stdout!, "data");
  return {
    pid: child.pid!,
    async go() {
      child.stdin!.end("\n");
      await ended;
    },
    [Symbol.dispose]: () => void child.kill("SIGKILL"),
  };
}
