// The last lines of a test run: what was skipped, by name, and how many tests passed, failed and were skipped.

/** Prints the report of tests ({ name, state: "passed" | "failed" | "skipped" }); whether none failed. */
export function report(tests, label = "tests") {
  const count = (state) => tests.filter((test) => test.state === state).length;
  for (const { name } of tests.filter(({ state }) => state === "skipped")) console.log(`skipped: ${name}`);
  console.log(`${label}: ${count("passed")} passed, ${count("failed")} failed, ${count("skipped")} skipped`);
  return count("failed") === 0;
}
