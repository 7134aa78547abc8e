// Shares test files among machines: each asks for its next file, so that none idles while files are left.
import { join } from "node:path";
import { startMachine } from "./machine.mjs";
import { sourceLines } from "./sources.mjs";

/**
 * QEMU before 8.1 may run an instruction that the kernel has just patched as it was before: the kernel dies of its own
 * breakpoint (int3), or its processors wait for each other for ever. That says nothing of the file that ran, unless it
 * happens again.
 */
const EMULATORS_FAULT = /Oops: int3: 0000|softlockup: hung tasks/;

/** No file that may go without a run is given out after this part of the limit, so that those that run have time to end. */
const LAST_START = 0.8;
/** One that began before this part and has not ended hangs. */
const TIME_TO_END = 0.6;

/**
 * Runs files until all are done, a machine breaks, or `limit` milliseconds have passed, in `machines` machines at once. Machines
 * know files by their index in `names`; those that `isSpare` come last, and go without a run where time is short; `bundles` is
 * the folder of what they became. `print` gets lines as files end. Gives tests ({ name, state }) in the order of the files, the
 * kernel's version, files that were not run, and `broken`: why one that had to be was not.
 */
export async function runLane({ kernel, initrd, bundles, scratch, names, isSpare, machines, limit, print }) {
  const begun = performance.now();
  const readable = sourceLines(bundles);
  const waiting = names.map((_, index) => index);
  const results = names.map(() => []);
  const done = new Set();
  const running = new Set();
  let version = "";
  let broken;
  let stopped = false;
  const past = (part) => performance.now() - begun > limit * part;
  /** Those that have begun with time to end. */
  const inTime = new Set();
  const begins = (index) => !past(TIME_TO_END) && inTime.add(index);
  /** Files whose machine the emulator has ended once. */
  const retried = new Set();

  function report(index, milliseconds) {
    const tests = results[index];
    const failed = tests.filter(({ state }) => state === "failed");
    for (const { name, errors } of failed) print(`\nFAILED ${name}\n${errors.join("\n")}\n`);
    const count = (state, word) => {
      const { length } = tests.filter((test) => test.state === state);
      return length > 0 ? [`${length} ${word}`] : [];
    };
    const counts = [
      ...count("passed", "passed"),
      ...count("failed", "failed"),
      ...count("skipped", "skipped"),
    ];
    const seconds = (milliseconds / 1000).toFixed(1);
    print(` ${failed.length > 0 ? "✗" : "✓"} ${names[index]}: ${counts.join(", ")} (${seconds} s)`);
  }

  async function run(number) {
    /** Files given to the machine that have not ended. */
    const given = [];
    const machine = startMachine({
      kernel,
      initrd,
      log: join(scratch, `console-${number}`),
      onMessage(message, reply) {
        if (message.kind === "start") {
          if (!version) print(`test:vm: Linux ${message.kernel} has booted`);
          version = message.kernel;
        } else if (message.kind === "next") {
          if (past(LAST_START) && waiting.length > 0 && isSpare(names[waiting[0]])) waiting.length = 0;
          const index = waiting.shift();
          if (index !== undefined && given.push(index) === 1) begins(index);
          reply(index ?? "");
        } else if (message.kind === "test") {
          results[given[0]].push({
            ...message,
            name: `${names[given[0]]} > ${message.name}`,
            errors: message.errors.map(readable),
          });
        } else if (message.kind === "fileEnd") {
          done.add(given[0]);
          report(given.shift(), message.milliseconds);
          if (given.length > 0) begins(given[0]);
        } else if (message.kind === "kernelLog") {
          print(`test:vm: the kernel complained:\n${message.lines.join("\n")}`);
        }
      },
    });
    running.add(machine);
    const failure = await machine.ended;
    running.delete(machine);
    if (failure === undefined || stopped) return;
    const inFile = given.length > 0 ? `while ${names[given[0]]} ran` : "while it booted";
    if (EMULATORS_FAULT.test(failure) && !retried.has(given[0])) {
      const word = EMULATORS_FAULT.exec(failure)[0];
      print(`test:vm: ${inFile}, the emulator ended the machine (${word}): another runs the file again`);
      retried.add(given[0]);
      for (const index of given) results[index].length = 0;
      waiting.unshift(...given);
      return run(number);
    }
    broken = `${inFile}: ${failure}`;
    stop();
  }

  function stop() {
    stopped = true;
    for (const machine of running) machine.stop();
  }

  const notRun = () => names.filter((_, index) => !done.has(index));
  const timer = setTimeout(() => {
    const left = notRun().filter((name) => !isSpare(name) || inTime.has(names.indexOf(name)));
    if (left.length > 0)
      broken =
        `the limit of the whole run has passed (a slow host, or a test that hangs; --limit SECONDS gives more).\n` +
        `Not run to their end:\n${left.map((name) => `  ${name}`).join("\n")}`;
    stop();
  }, limit);
  await Promise.all(Array.from({ length: machines }, (_, number) => run(number)));
  clearTimeout(timer);
  return { tests: results.flat(), version, notRun: notRun(), broken };
}
