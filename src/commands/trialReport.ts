/** What tests and benchmarks came to, as bpftrace tells it: in text, or a JSON object a line. */
import { jsonString } from "../engine/output/json.ts";

export interface Outcome {
  name: string;
  passed: boolean;
  nanoseconds: number;
  /** What it printed. */
  output: string;
}

export interface TrialReport {
  beforeTests(count: number): string;
  beforeTest(name: string): string;
  afterTest(outcome: Outcome): string;
  afterTests(outcomes: readonly Outcome[]): string;
  beforeBenches(names: readonly string[]): string;
  afterBench(name: string, nanoseconds: number, repeats: number): string;
}

const UNITS: readonly [nanoseconds: number, unit: string][] = [
  [1e9, "s"],
  [1e6, "ms"],
  [1e3, "us"],
  [1, "ns"],
];

function durationText(nanoseconds: number): string {
  const [scale, unit] = UNITS.find(([least]) => nanoseconds >= least) ?? [1, "ns"];
  return `${Math.floor(nanoseconds / scale)} ${unit}`;
}

const tests = (count: number): string => `${count} ${count === 1 ? "test" : "tests"}`;
const NAME_WIDTH = 40;
const TIME_WIDTH = 15;

function textReport(color: boolean): TrialReport {
  const mark = (code: number, text: string) => (color ? `\x1b[${code}m[${text}]\x1b[0m` : `[${text}]`);
  const good = (text: string) => mark(32, text);
  const bad = (text: string) => mark(31, text);
  let width = NAME_WIDTH;
  return {
    beforeTests: (count) => `${good("==========")} Running ${tests(count)}.\n`,
    beforeTest: (name) => `${good(" RUN      ")} ${name}\n`,
    // What a test that passes prints is of no interest.
    afterTest: ({ name, passed, nanoseconds, output }) => {
      const lines = passed ? "" : output.replace(/^\n+/gm, "");
      const result = passed ? good("       OK ") : bad("  FAILED  ");
      return `${lines}${lines && !lines.endsWith("\n") ? "\n" : ""}${result} ${name} (${durationText(nanoseconds)})\n`;
    },
    afterTests(outcomes) {
      const failed = outcomes.filter(({ passed }) => !passed);
      const ran = `${good("==========")} ${tests(outcomes.length)} ran.\n`;
      const passed = `${good("  PASSED  ")} ${tests(outcomes.length - failed.length)}.\n`;
      if (failed.length === 0) return ran + passed;
      const listed = failed.map(({ name }) => `${bad("  FAILED  ")} ${name}\n`).join("");
      return `${ran}${passed}${bad("  FAILED  ")} ${tests(failed.length)}, listed below:\n${listed}`;
    },
    beforeBenches(names) {
      width = Math.max(NAME_WIDTH, ...names.map((name) => name.length)) + 1;
      const head = `${"Benchmark".padEnd(width)}${"Time(ns)".padEnd(TIME_WIDTH)}Iterations`;
      return `${head}\n${"-".repeat(head.length)}\n`;
    },
    afterBench: (name, nanoseconds, repeats) =>
      `${name.padEnd(width)}${String(nanoseconds).padEnd(TIME_WIDTH)}${repeats}\n`,
  };
}

const jsonLine = (type: string, name: string, fields: string): string =>
  `{"type": "${type}", "data": {${jsonString(name)}: {${fields}}}}\n`;

const jsonReport: TrialReport = {
  beforeTests: () => "",
  beforeTest: () => "",
  afterTest: ({ name, passed, nanoseconds, output }) =>
    jsonLine(
      "test_result",
      name,
      `"duration": ${nanoseconds}, "passed": ${passed}, "output": ${jsonString(output)}`,
    ),
  afterTests: () => "",
  beforeBenches: () => "",
  afterBench: (name, nanoseconds, repeats) =>
    jsonLine("benchmark_result", name, `"average": ${nanoseconds}, "iters": ${repeats}`),
};

export const trialReport = (format: "text" | "json", color: boolean): TrialReport =>
  format === "json" ? jsonReport : textReport(color);
