// The last lines of a test run: what was skipped, by name, what failed before it passed, and how many tests passed,
// failed and were skipped.

/**
 * Prints the report of tests ({ name, state: "passed" | "failed" | "skipped", errors? }); whether none failed. One that
 * passed and has errors failed when it was run first.
 */
export function report(tests, label = "tests") {
  const count = (state) => tests.filter((test) => test.state === state).length;
  for (const { name } of tests.filter(({ state }) => state === "skipped")) console.log(`skipped: ${name}`);
  const unsteady = tests.filter(({ state, errors }) => state === "passed" && errors?.length > 0);
  for (const { name, errors } of unsteady) {
    console.log(
      `unsteady, passed when it ran again: ${name}\n  ${errors[0].trimEnd().replaceAll("\n", "\n  ")}`,
    );
  }
  const counts = ["passed", "failed", "skipped"].map((state) => `${count(state)} ${state}`);
  if (unsteady.length > 0) counts.push(`${unsteady.length} of those that passed unsteady`);
  console.log(`${label}: ${counts.join(", ")}`);
  return count("failed") === 0;
}
