/** What the machine says about its tests, a line of JSON each: from the process of a file to main, from main to the host. */

/** One test. */
export interface TestResult {
  kind: "test";
  /** With the names of the groups it stands in. */
  name: string;
  state: "passed" | "failed" | "skipped";
  milliseconds: number;
  /** Messages and stacks, where it failed, or failed once. */
  errors: readonly string[];
}

/** What a file's process says. */
export type FileMessage =
  | TestResult
  /** A test begins; named if nothing more comes. */
  | { kind: "running"; name: string }
  /** All tests of the file have ended. */
  | { kind: "ended" };

/** What the machine says. */
export type Message =
  | { kind: "start"; kernel: string }
  /** Asks for the index of a file to run; the host answers with a line, empty if there is none left. */
  | { kind: "next" }
  /** Of the first file that was given and has not ended. */
  | Exclude<FileMessage, { kind: "ended" }>
  | { kind: "fileEnd"; milliseconds: number }
  /** The kernel's complaints while the tests ran. */
  | { kind: "kernelLog"; lines: readonly string[] }
  | { kind: "end" };
