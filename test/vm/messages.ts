/** What the machine says about its tests, a line of JSON each: from the process of a file to main, from main to the host. */

/** One test. */
export interface TestResult {
  kind: "test";
  /** With the names of the groups it stands in. */
  name: string;
  state: "passed" | "failed" | "skipped";
  milliseconds: number;
  /** Messages and stacks, where it failed. */
  errors: readonly string[];
}

export type Message =
  | { kind: "start"; kernel: string }
  | { kind: "file"; file: string }
  | TestResult
  /** A test begins; named if nothing more comes. */
  | { kind: "running"; name: string }
  | { kind: "fileEnd"; file: string; milliseconds: number }
  /** The kernel's complaints while the tests ran. */
  | { kind: "kernelLog"; lines: readonly string[] }
  | { kind: "end" };
