import { describe, expect, test } from "vitest";
import { UsageError } from "./options.ts";
import { parseRunOptions, type RunOptions } from "./runOptions.ts";

/** arguments → what they mean, as far as the row says */
const rows: [args: string[], meaning: Partial<RunOptions>][] = [
  [["script.bt"], { program: undefined, positionals: ["script.bt"] }],
  [["-e", "begin { }"], { program: "begin { }", positionals: [] }],
  [["-e", "-x"], { program: "-x" }],
  [["-e", ""], { program: "" }],
  [["-", "1"], { positionals: ["-", "1"] }],
  [["-qve", "x"], { quiet: true, verbose: true, program: "x" }],
  [["-lv", "kprobe:*"], { list: true, verbose: true, positionals: ["kprobe:*"] }],
  [["-p", "42", "-e", "x"], { pid: 42 }],
  [["--pid=42", "-e", "x"], { pid: 42 }],
  [["-c", "sleep 1", "-e", "x"], { command: "sleep 1" }],
  [["-f", "json", "-o", "file", "-B", "none"], { format: "json", output: "file", buffering: "none" }],
  [["-e", "x", "1", "two"], { positionals: ["1", "two"] }],
  [
    ["-e", "x", "a", "--", "--n=5", "--on", "b", "--s=a=b"],
    { positionals: ["a"], moreParameters: ["b"], named: { n: "5", on: true, s: "a=b" } },
  ],
  [["-d", "ast,verifier"], { stages: ["ast", "verifier"] }],
  [["-d", "all"], { stages: ["ast", "types", "ir", "bpf", "verifier"] }],
  [["-d", "codegen"], { stages: ["ir"] }],
  [["-I", "a", "-I", "b", "--include", "c"], { includeDirectories: ["a", "b"], includeFiles: ["c"] }],
  [["-k", "-e", "x"], { runtimeWarnings: true }],
  [["--unsafe", "--dry-run", "--no-warnings", "-e", "x"], { unsafe: true, dryRun: true, noWarnings: true }],
  [["--no-feature", "uprobe_multi,kprobe_multi"], { withoutFeatures: ["uprobe_multi", "kprobe_multi"] }],
  [["--probe-filter", "^k", "-e", "x"], { probeFilter: /^k/ }],
  [["--traceable-functions", "/dev/null"], { traceableFunctions: "/dev/null" }],
  [["-b", "-e", "x"], { program: "x" }],
  [["--help"], { show: "help" }],
  [["-V"], { show: "version" }],
  [["-e", "x", "--", "--aot"], { named: { aot: true } }],
];

/** arguments → a piece of the message or hint */
const wrong: [args: string[], words: string][] = [
  [["--no-feature", "kprobe"], "'kprobe_multi'"],
  [["--probe-filter", "("], "invalid --probe-filter"],
  [["--traceable-functions", "/no/such"], "/no/such can't be read"],
  [["--quit"], "did you mean '--quiet'?"],
  [["--verbos"], "did you mean '--verbose'?"],
  [["-z"], "unknown option '-z'"],
  [["-e"], "'-e' needs a value"],
  [["-o"], "'-o' needs a value"],
  [["--quiet=yes"], "takes no value"],
  [["-p", "1x"], "invalid process id '1x'"],
  [["-p", "5000000"], "out of range"],
  [["-p", "1", "-c", "x"], "both -c and -p"],
  [["-k", "--no-warnings"], "conflicts"],
  [["-f", "xml"], "'text', 'json'"],
  [["-d", "nothing"], "'ast'"],
  [["--aot", "file"], "--aot is not available"],
  [["--bench", "--test", "-e", "x"], "exclude each other"],
  [["--emit-llvm=x"], "-d ir"],
  [["--aa=20", "-e", "x"], "after '--'"],
];

describe("arguments of run", () => {
  test.each(rows)("%j", (args, meaning) => {
    expect(parseRunOptions(args)).toMatchObject(meaning);
  });

  test.each(wrong)("refuses %j", (args, words) => {
    let said = "";
    try {
      parseRunOptions(args);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      said = `${error.message}\n${error.hint ?? ""}`;
    }
    expect(said).toContain(words);
  });
});
